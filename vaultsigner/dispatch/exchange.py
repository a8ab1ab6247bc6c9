"""One exchange, asked over HTTP: only the host that config names, and never a second time by itself what may change something.

What comes of a request is one of three things, and they must not be mixed up: nothing was sent, there is an answer, or nobody
knows.
"""

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

import vaultsigner
from vaultsigner.dispatch.exchange_body import ExchangeBody, ExchangeCutError, Patience, read_first
from vaultsigner.dispatch.exchange_headers import Headers, headers_that_matter
from vaultsigner.dispatch.exchange_session import once
from vaultsigner.dispatch.exchange_time import Clock, ExchangeTime
from vaultsigner.dispatch.exchange_verdicts import server_time_in
from vaultsigner.dispatch.troubles import trouble
from vaultsigner.telemetry.passages import step

USER_AGENT = f"vaultsigner/{vaultsigner.__version__}"
PATIENCE = Patience()
TIME_PATIENCE = Patience(connect=2, first_byte=2, between=2, whole=4)
_OWN_HEADERS = (("User-Agent", USER_AGENT), ("Accept-Encoding", "gzip"))
_LIBRARY_HEADERS = ("Accept", "Content-Type")
"""What the library would add by itself where it is missing, beside those above."""
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
_TARGET = re.compile(rf"/[{re.escape(_PLAIN)}]*")
"""Without the slash it would be part of the host's name."""


class Addressed(Protocol):
    """What is asked: an exchange of the configuration, or an Open API."""

    @property
    def base_url(self) -> str:
        """Scheme, host and port; no trailing slash."""


class Signed(Protocol):
    """A request as it has to be sent, byte for byte: `formats.exchange.encoding.SignedExchangeRequest`."""

    @property
    def method(self) -> str:
        """In capitals."""

    @property
    def target(self) -> str:
        """Path and query, percent-encoded."""

    @property
    def headers(self) -> Headers:
        """Those that belong to it."""

    @property
    def body(self) -> bytes:
        """May be empty."""


@dataclass(frozen=True, slots=True)
class ExchangeAnswer:
    """What the exchange says. Whoever gets it closes its body.

    Args:
        headers: those that matter to clients: what the body is, how much of a limit is used, when to come again.
    """

    status: int
    headers: Headers
    body: ExchangeBody


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not one byte of it left; the exchange knows nothing of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have arrived, and there is no usable answer. `status` is the answer's, where it came as far as that."""

    reason: str
    status: int | None = None


Sent = ExchangeAnswer | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class _Unsigned:
    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""


class ExchangeHost:
    """Asks one exchange. Follows no redirect, keeps no cookie, unpacks at most 64 MiB.

    Args:
        session: `exchange_session()`.
        exchange: where it is.
        clock: ours, to compare the exchange's with.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        exchange: Addressed,
        clock: Clock,
        patience: Patience = PATIENCE,
    ) -> None:
        self._session = session
        self._base = exchange.base_url
        self._patience = patience
        self._time = ExchangeTime(self._server_time, clock)
        self.host = urlsplit(exchange.base_url).netloc

    async def send(self, signed: Signed, *, changes: bool) -> Sent:
        """Send exactly these bytes.

        Args:
            changes: whether anything may change at the exchange. What changes nothing is asked once more where a connection
                that was open already turns out to be broken.
        """
        return await self._ask(signed, self._patience, changes=changes)

    async def pass_through(
        self, method: str, target: str, headers: Headers = (), body: bytes = b"", *, changes: bool = False
    ) -> Sent:
        """Hand on what nobody signs.

        Args:
            target: path and query as the client sent them; what is no ASCII in it is percent-encoded.
            headers: those to send; none of the client's get there by themselves.
        """
        encoded = quote(target.encode("utf-8", "surrogateescape"), safe=_PLAIN)
        path, _, query = encoded.partition("?")
        unsigned = _Unsigned(method, f"{path}?{query}" if query else path, headers, body)
        return await self._ask(unsigned, self._patience, changes=changes)

    async def clock_offset_ms(self, time_path: str, *, fresh: bool = False) -> int | None:
        """The exchange's clock minus ours, in milliseconds; remembered for five minutes. None where it cannot be told.

        Args:
            time_path: the time endpoint of the product that is asked, e.g. `/api/v3/time`.
            fresh: measure anew.
        """
        return await self._time.offset_ms(time_path, fresh=fresh)

    async def _server_time(self, time_path: str) -> int | None:
        answer = await self._ask(_Unsigned("GET", time_path), TIME_PATIENCE, changes=False)
        if not isinstance(answer, ExchangeAnswer):
            return None
        answer.body.close()
        usable = answer.status == HTTPStatus.OK and answer.body.complete
        return server_time_in(answer.body.first) if usable else None

    async def _ask(self, request: Signed, patience: Patience, *, changes: bool) -> Sent:
        with step("dispatch", "exchange"):
            return await self._answer_to(request, patience, changes=changes)

    async def _answer_to(self, request: Signed, patience: Patience, *, changes: bool) -> Sent:
        deadline = asyncio.get_running_loop().time() + patience.whole
        try:
            async with asyncio.timeout(patience.connect + patience.first_byte):
                response = await self._session.request(
                    request.method,
                    self._url(request.target),
                    data=request.body or None,
                    headers=[*_OWN_HEADERS, *request.headers],
                    skip_auto_headers=_LIBRARY_HEADERS,
                    allow_redirects=False,
                    auto_decompress=False,
                    middlewares=(once,) if changes else (),
                    timeout=aiohttp.ClientTimeout(
                        total=None, connect=patience.connect, sock_read=patience.first_byte
                    ),
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return NotSent(f"no connection to {self.host}: {trouble(error)}")
        except (aiohttp.ClientError, TimeoutError) as error:
            return Unknown(f"no usable answer from {self.host}: {trouble(error)}")
        if not _is_an_answer(response.status):
            response.close()
            return Unknown(f"{self.host} answered with the status {response.status}", response.status)
        try:
            read = await read_first(response, patience, deadline)
        except ExchangeCutError as error:
            return Unknown(str(error), response.status)
        return ExchangeAnswer(response.status, headers_that_matter(response.headers.items()), read)

    def _url(self, target: str) -> URL:
        """Where to send it, as it is: `encoded` keeps yarl from spelling it otherwise.

        Raises:
            ValueError: the target is none, or would be another one on the wire.
        """
        url = URL(self._base + target, encoded=True) if _TARGET.fullmatch(target) else None
        if url is None or url.raw_path_qs != target:
            raise ValueError("not a target that can be sent as it is")
        return url


def _is_an_answer(status: int) -> bool:
    """Exchanges redirect nobody: where something in between does, nobody knows what it did with the request."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or HTTPStatus.BAD_REQUEST <= status < 600
