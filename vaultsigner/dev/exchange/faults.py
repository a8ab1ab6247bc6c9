"""What can go wrong between an exchange and who asks it, on demand."""

import asyncio
import gzip
import json
import zlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web

from vaultsigner.dev.exchange.exchange import Answer

Way = Callable[[web.Request, Answer], Awaitable[web.StreamResponse]]
CHUNK_BYTES = 1 << 16
TOO_MANY = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."
BANNED = "Way too much request weight used; IP banned until 1659146400000."
UNKNOWN = {
    -1006: "An unexpected response was received from the message bus. Execution status unknown.",
    -1007: "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; made by the functions below.

    Args:
        name: how the record calls it.
        executes: whether the exchange judges and does all the same what it is asked; what it refuses is then refused as ever.
        status: of what goes out, 0 where nothing does.
        way: sends something else than the true answer (of a request that was not executed: an empty one).
    """

    name: str
    executes: bool
    status: int
    way: Way


class Faults:
    """Which faults are armed, by endpoint ("POST /api/v3/order")."""

    def __init__(self) -> None:
        self._next = defaultdict[str, deque[Fault]](deque)
        self._always: dict[str, Fault] = {}

    def arm(self, endpoint: str, *faults: Fault) -> None:
        """The coming requests to the endpoint fail, one fault each, in this order."""
        self._next[endpoint].extend(faults)

    def always(self, endpoint: str, fault: Fault | None) -> None:
        """Every request to the endpoint fails so, after those that are armed; None ends it."""
        if fault is None:
            self._always.pop(endpoint, None)
        else:
            self._always[endpoint] = fault

    def take(self, endpoint: str) -> Fault | None:
        """The fault of the request that has just come in."""
        armed = self._next[endpoint]
        return armed.popleft() if armed else self._always.get(endpoint)


def plain(answer: Answer) -> web.Response:
    """An answer as it is meant."""
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


def answers(
    status: int,
    body: str,
    headers: dict[str, str] | None = None,
    *,
    executes: bool = False,
    name: str = "answers",
) -> Fault:
    """Anything at all: a page of HTML from a gateway, half a document."""

    async def way(_: web.Request, true: Answer) -> web.StreamResponse:
        return plain(Answer(status, body.encode(), {**true.headers, **(headers or {})}))

    return Fault(name, executes, status, way)


def refuses(
    code: int, message: str, status: int = HTTPStatus.BAD_REQUEST, *, executes: bool = False
) -> Fault:
    """A code of the exchange's."""
    return answers(
        status, json.dumps({"code": code, "msg": message}), executes=executes, name=f"refuses {code}"
    )


def rate_limited(retry_after_seconds: int = 7) -> Fault:
    """429: slow down."""
    body = json.dumps({"code": -1003, "msg": TOO_MANY})
    headers = {"Retry-After": str(retry_after_seconds)}
    return answers(HTTPStatus.TOO_MANY_REQUESTS, body, headers, name="rate limited")


def banned(retry_after_seconds: int = 120) -> Fault:
    """418: this address has been told to slow down and has not."""
    body = json.dumps({"code": -1003, "msg": BANNED})
    return answers(418, body, {"Retry-After": str(retry_after_seconds)}, name="banned")


def outcome_unknown(
    code: int = -1007, status: int = HTTPStatus.REQUEST_TIMEOUT, *, executes: bool = True
) -> Fault:
    """-1006 or -1007: the exchange itself does not know."""
    return refuses(code, UNKNOWN[code], status, executes=executes)


def unavailable(status: int = HTTPStatus.SERVICE_UNAVAILABLE, *, executes: bool = True) -> Fault:
    """500, 502, 503, 504 from the gateway, whatever has happened behind it."""
    page = f"<html><head><title>{int(status)}</title></head><body>nginx</body></html>"
    return answers(
        status, page, {"Content-Type": "text/html"}, executes=executes, name=f"unavailable {int(status)}"
    )


def redirects(location: str, status: int = HTTPStatus.FOUND, *, executes: bool = False) -> Fault:
    """Sends the caller somewhere else."""
    return answers(status, "", {"Location": location}, executes=executes, name="redirects")


def large(size_bytes: int, *, executes: bool = True) -> Fault:
    """A document of exactly that size."""
    empty = json.dumps({"filler": ""})
    filler = ("0123456789" * (size_bytes // 10 + 1))[: size_bytes - len(empty)]
    return answers(HTTPStatus.OK, json.dumps({"filler": filler}), executes=executes, name="large")


def sets_cookie(text: str = "session=of-the-exchange; Path=/") -> Fault:
    """The true answer, with a cookie."""

    async def way(_: web.Request, true: Answer) -> web.StreamResponse:
        return plain(replace(true, headers=true.headers | {"Set-Cookie": text}))

    return Fault("sets a cookie", True, HTTPStatus.OK, way)


def compresses() -> Fault:
    """The true answer, gzipped, as Binance does for who accepts that."""

    async def way(_: web.Request, true: Answer) -> web.StreamResponse:
        headers = true.headers | {"Content-Encoding": "gzip"}
        return plain(Answer(true.status, gzip.compress(true.body), headers))

    return Fault("compresses", True, HTTPStatus.OK, way)


def gzip_bomb(unpacked_bytes: int, *, executes: bool = True) -> Fault:
    """A small body that unpacks to this many bytes."""

    async def way(_: web.Request, true: Answer) -> web.StreamResponse:
        packer = zlib.compressobj(wbits=31)
        zeros = bytes(CHUNK_BYTES)
        packed = [packer.compress(zeros) for _ in range(unpacked_bytes // CHUNK_BYTES)]
        body = b"".join([*packed, packer.flush()])
        return plain(Answer(HTTPStatus.OK, body, true.headers | {"Content-Encoding": "gzip"}))

    return Fault("gzip bomb", executes, HTTPStatus.OK, way)


def keeps_silent(*, executes: bool = True) -> Fault:
    """The connection stays open, and nothing comes, not even headers."""

    async def way(_: web.Request, __: Answer) -> web.StreamResponse:
        await asyncio.Event().wait()  # until the caller gives up or the exchange stops
        raise AssertionError("nobody sets that event")

    return Fault("keeps silent", executes, 0, way)


def stalls(after_bytes: int = 1, *, executes: bool = True) -> Fault:
    """Headers and the first bytes of the true answer, then nothing more."""

    async def way(request: web.Request, true: Answer) -> web.StreamResponse:
        response = await _begun(request, true)
        await response.write(true.body[:after_bytes] or b" ")
        await asyncio.Event().wait()  # as above
        return response

    return Fault("stalls", executes, HTTPStatus.OK, way)


def trickles(pause_seconds: float, piece_bytes: int = 1, *, executes: bool = True) -> Fault:
    """The whole true answer, in pieces with a pause before each."""

    async def way(request: web.Request, true: Answer) -> web.StreamResponse:
        response = await _begun(request, true)
        for start in range(0, len(true.body), piece_bytes):
            await asyncio.sleep(pause_seconds)
            await response.write(true.body[start : start + piece_bytes])
        return response

    return Fault("trickles", executes, HTTPStatus.OK, way)


def cuts_in_the_middle(*, executes: bool = True) -> Fault:
    """Half of the true answer, of which the headers tell the whole length; then the connection is gone."""

    async def way(request: web.Request, true: Answer) -> web.StreamResponse:
        response = await _begun(request, true)
        await response.write(true.body[: len(true.body) // 2] or b" ")
        _hang_up(request)
        return response

    return Fault("cuts in the middle", executes, HTTPStatus.OK, way)


def cuts_before_answer(*, executes: bool = True) -> Fault:
    """The connection is gone before the first byte of an answer."""

    async def way(request: web.Request, _: Answer) -> web.StreamResponse:
        _hang_up(request)
        return web.Response()

    return Fault("cuts before the answer", executes, 0, way)


async def _begun(request: web.Request, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = max(len(answer.body), 2)
    await response.prepare(request)
    return response


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
