"""What an exchange answers, well or badly: handed on as it is, as fast as it is wanted, and never half of it for the whole."""

import asyncio
import gzip
import hashlib
import math
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.integration.dispatch.raw_exchange import (
    RawExchange,
    response,
    then_hang_up,
    then_stall,
)
from tests.integration.dispatch.test_exchange_sending import Signed
from vaultsigner.dispatch.exchange import ExchangeAnswer, ExchangeHost, Unknown
from vaultsigner.dispatch.exchange_body import ANSWER_LIMIT_BYTES, FIRST_BYTES, ExchangeCutError, Patience
from vaultsigner.signing.clock import SystemClock

TEN_MEGABYTES = 10 << 20
EMPTY_HEAD = gzip.compress(b"")[:10]
LONG = b"x" * (2 * FIRST_BYTES)
HURRIED = Patience(first_byte=math.inf, between=0.05, whole=math.inf)


async def answer_of(host: ExchangeHost, *, changes: bool = False) -> ExchangeAnswer:
    """An answer, which has to be one."""
    answer = await host.send(Signed("GET"), changes=changes)
    assert isinstance(answer, ExchangeAnswer)
    return answer


async def read(answer: ExchangeAnswer) -> bytes:
    """The whole body."""
    return b"".join([piece async for piece in answer.body])


async def drained(answer: ExchangeAnswer) -> tuple[int, str]:
    """How much of the body came, and why there is no more."""
    size = 0
    try:
        async for piece in answer.body:
            size += len(piece)
    except ExchangeCutError as error:
        return size, str(error)
    return size, ""


@pytest.mark.parametrize("size", [0, 1, FIRST_BYTES - 1, FIRST_BYTES])
async def test_a_short_body_is_here_at_once(exchange: RawExchange, host: ExchangeHost, size: int) -> None:
    body = b"x" * size
    exchange.says(response(body))
    answer = await answer_of(host)
    assert (answer.body.first, answer.body.complete) == (body, True)
    assert await read(answer) == body
    answer.body.close()
    await answer_of(host)
    assert exchange.connections == 1


async def test_an_answer_without_a_body_is_complete(exchange: RawExchange, host: ExchangeHost) -> None:
    exchange.says(b"HTTP/1.1 204 No Content\r\n\r\n")
    answer = await answer_of(host)
    assert (answer.body.first, answer.body.complete, await read(answer)) == (b"", True, b"")


async def test_a_long_body_comes_whole_and_leaves_the_connection_usable(
    exchange: RawExchange, host: ExchangeHost
) -> None:
    body = bytes(range(256)) * (TEN_MEGABYTES // 256)
    exchange.says(response(body), response())
    answer = await answer_of(host)
    assert (len(answer.body.first), answer.body.complete) == (FIRST_BYTES, False)
    digest, size = hashlib.sha256(), 0
    async for piece in answer.body:
        digest.update(piece)
        size += len(piece)
        assert len(piece) <= FIRST_BYTES
    assert (size, digest.digest()) == (TEN_MEGABYTES, hashlib.sha256(body).digest())
    answer.body.close()
    await answer_of(host)
    assert exchange.connections == 1


async def test_a_long_body_is_read_no_faster_than_it_is_wanted(
    exchange: RawExchange, host: ExchangeHost
) -> None:
    size, piece = 6 * TEN_MEGABYTES, b"x" * FIRST_BYTES
    gone = 0

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal gone
        writer.write(response(length=size, body=b""))
        while gone < size:
            writer.write(piece)
            await writer.drain()
            gone += len(piece)

    exchange.says(pour)
    answer = await answer_of(host)
    before = -1
    while before != gone:
        before = gone
        await asyncio.sleep(0.2)
    # What the kernel keeps for both ends of a connection is a few megabytes.
    assert gone < size // 2
    tracemalloc.start()
    try:
        got = await drained(answer)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert got == (size, "")
    assert peak < 4 << 20


async def test_who_stops_reading_gives_the_connection_up(exchange: RawExchange, host: ExchangeHost) -> None:
    exchange.says(response(LONG * 100), response())
    answer = await answer_of(host)
    async for _ in answer.body:
        break
    answer.body.close()
    answer.body.close()
    await answer_of(host)
    assert exchange.connections == 2


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 A", "308 B"])
@pytest.mark.parametrize("changes", [True, False])
async def test_a_redirect_is_not_followed_and_no_answer(
    exchange: RawExchange, host: ExchangeHost, status: str, changes: bool
) -> None:
    where = f"Location: {exchange.base_url}/elsewhere"
    exchange.says(response(b"", status, where, "Set-Cookie: session=1; Path=/"), response())
    code = int(status[:3])
    assert await host.send(Signed("GET"), changes=changes) == Unknown(
        f"{host.host} answered with the status {code}", code
    )
    assert len(exchange.arrived) == 1
    await answer_of(host)
    assert "Cookie" not in dict(exchange.arrived[1].headers)


async def test_a_cookie_is_neither_kept_nor_handed_on(exchange: RawExchange, host: ExchangeHost) -> None:
    exchange.says(response(b"{}", "200 OK", "Set-Cookie: session=1; Path=/", "Location: /elsewhere"))
    for _ in range(2):
        assert (await answer_of(host)).headers == (("Content-Type", "application/json"),)
    assert "Cookie" not in dict(exchange.arrived[1].headers)


@pytest.mark.parametrize("status", ["418 I'm a teapot", "429 Too Many Requests"])
async def test_who_is_told_to_wait_is_told_how_long(
    exchange: RawExchange, host: ExchangeHost, status: str
) -> None:
    body = b'{"code":-1003,"msg":"Way too much request weight used; IP banned until 1659146400000."}'
    weights = ("X-MBX-USED-WEIGHT-1M: 6001", "x-mbx-order-count-10s: 3", "X-SAPI-USED-UID-WEIGHT-1M: 12")
    exchange.says(response(body, status, "Retry-After: 118", *weights, "X-Cache: Miss", "Via: 1.1 edge"))
    answer = await answer_of(host, changes=True)
    assert (answer.status, answer.body.first) == (int(status[:3]), body)
    assert answer.headers == (
        ("Content-Type", "application/json"),
        ("Retry-After", "118"),
        ("X-MBX-USED-WEIGHT-1M", "6001"),
        ("x-mbx-order-count-10s", "3"),
        ("X-SAPI-USED-UID-WEIGHT-1M", "12"),
    )


async def test_what_is_packed_is_unpacked(exchange: RawExchange, host: ExchangeHost) -> None:
    packed = "Content-Encoding: gzip"
    several = gzip.compress(b"{") + gzip.compress(b"") + gzip.compress(b"}")
    exchange.says(*(response(text, "200 OK", packed) for text in (gzip.compress(LONG), several, b"")))
    for text in (LONG, b"{}", b""):
        answer = await answer_of(host)
        assert await read(answer) == text
        assert answer.headers == (("Content-Type", "application/json"),)
        assert answer.body.complete == (len(text) < FIRST_BYTES)
    assert exchange.connections == 1


async def test_a_bomb_does_not_go_off(exchange: RawExchange, host: ExchangeHost) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    bomb = b"".join([*(packer.compress(zeros) for _ in range(96)), packer.flush()])
    assert len(bomb) < 1 << 20
    exchange.says(response(bomb, "200 OK", "Content-Encoding: gzip"))
    tracemalloc.start()
    try:
        answer = await answer_of(host)
        size, why = await drained(answer)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size <= ANSWER_LIMIT_BYTES
    assert why == "the exchange's answer is larger than 67108864 bytes"
    assert peak < 8 << 20


@pytest.mark.parametrize(
    "answer",
    [
        response(b"{", length=100),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        response(gzip.compress(b"a" * 1000)[:20], "200 OK", "Content-Encoding: gzip"),
        response(gzip.compress(b"a" * 1000)[:-1], "200 OK", "Content-Encoding: gzip"),
        response(gzip.compress(b"a" * 1000) + b"more", "200 OK", "Content-Encoding: gzip"),
        response(gzip.compress(b"a" * 1000)[:-5] + b"wrong", "200 OK", "Content-Encoding: gzip"),
        response(b"no gzip", "200 OK", "Content-Encoding: gzip"),
        response(zlib.compress(b"{}"), "200 OK", "Content-Encoding: deflate"),
        response(b"{}", "200 OK", "Content-Encoding: br"),
    ],
)
@pytest.mark.parametrize("changes", [True, False])
async def test_a_short_answer_that_is_cut_is_none(
    exchange: RawExchange, host: ExchangeHost, answer: bytes, changes: bool
) -> None:
    exchange.says(then_hang_up(answer))
    result = await host.send(Signed("GET"), changes=changes)
    assert isinstance(result, Unknown)
    assert result.status == 200
    assert len(exchange.arrived) == 1


async def test_a_long_answer_that_is_cut_says_so(exchange: RawExchange, host: ExchangeHost) -> None:
    exchange.says(then_hang_up(response(LONG, length=len(LONG) + 1)))
    answer = await answer_of(host, changes=True)
    got, why = await drained(answer)
    assert why == "the exchange's answer ended too early: hung up"
    assert got <= len(LONG)


@pytest.mark.parametrize(
    ("endless", "problem"),
    [
        (b"\x00\x00\x00\xff\xff" * 100_000, f"is larger than {ANSWER_LIMIT_BYTES} bytes"),
        (gzip.compress(b"")[10:] + gzip.compress(b"") * 1000 + EMPTY_HEAD, "cannot be unpacked"),
    ],
)
async def test_gzip_that_holds_nothing_has_an_end(
    exchange: RawExchange, host: ExchangeHost, endless: bytes, problem: str
) -> None:
    """Nothing that is unpacked ever becomes too much, be it of blocks or of members that are empty."""

    async def pour(writer: asyncio.StreamWriter) -> None:
        writer.write(response(EMPTY_HEAD, "200 OK", "Content-Encoding: gzip", length=1 << 40))
        while not writer.is_closing():
            writer.write(endless)
            await writer.drain()

    exchange.says(pour)
    assert await host.send(Signed(), changes=True) == Unknown(f"the exchange's answer {problem}", 200)


@pytest.fixture
def hurried(exchange: RawExchange, session: aiohttp.ClientSession) -> ExchangeHost:
    """Waits for nothing."""
    return ExchangeHost(session, exchange, SystemClock(), HURRIED)


async def test_a_short_answer_that_stalls_is_none(exchange: RawExchange, hurried: ExchangeHost) -> None:
    exchange.says(then_stall(response(b"{", length=2)))
    assert await hurried.send(Signed(), changes=True) == Unknown(
        "the exchange's answer ended too early: timed out", 200
    )


async def test_a_long_answer_that_stalls_says_so(exchange: RawExchange, hurried: ExchangeHost) -> None:
    exchange.says(then_stall(response(LONG, length=len(LONG) + 1)))
    answer = await hurried.send(Signed(), changes=True)
    if isinstance(answer, ExchangeAnswer):  # On a slow machine the beginning is late, too.
        with pytest.raises(ExchangeCutError, match="timed out"):
            await read(answer)


async def test_an_answer_that_dribbles_in_for_ever_is_cut(
    exchange: RawExchange, session: aiohttp.ClientSession
) -> None:
    async def dribble(writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"", length=TEN_MEGABYTES))
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.01)

    exchange.says(dribble)
    patient = ExchangeHost(session, exchange, SystemClock(), Patience(whole=2.0))
    assert await patient.send(Signed(), changes=True) == Unknown(
        "the exchange's answer ended too early: timed out", 200
    )


@pytest.mark.parametrize(
    "endless", [b"X-N: a\r\n", b"X-" + b"a" * 10_000, b"X-N: " + b"a" * 10_000, b"HTTP/1.1 100 Continue\r\n"]
)
async def test_a_head_without_an_end_is_no_answer(
    exchange: RawExchange, session: aiohttp.ClientSession, endless: bytes
) -> None:
    gone = 0

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal gone
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(endless)
            gone += len(endless)
            await writer.drain()

    exchange.says(pour)
    host = ExchangeHost(session, exchange, SystemClock())
    result = await host.send(Signed(), changes=True)
    assert result == Unknown(f"no usable answer from {host.host}: what it says is not HTTP")
    # What the kernel keeps for a connection is written, but not read.
    assert gone < TEN_MEGABYTES


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 000 What\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
    ],
)
async def test_what_is_no_answer_is_unknown(exchange: RawExchange, host: ExchangeHost, answer: bytes) -> None:
    exchange.says(then_hang_up(answer))
    assert isinstance(await host.send(Signed(), changes=True), Unknown)


async def test_bodies_are_gone_through_once_and_closed_twice(
    exchange: RawExchange, host: ExchangeHost
) -> None:
    exchange.says(response(LONG))
    answer = await answer_of(host)
    pieces: AsyncIterator[bytes] = aiter(answer.body)
    assert await anext(pieces) == answer.body.first
    answer.body.close()
    with pytest.raises(ExchangeCutError):
        await anext(pieces)
    answer.body.close()
