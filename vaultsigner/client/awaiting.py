"""The same for event loops. aiohttp sends requests with some methods again by itself when a connection ends: not here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from vaultsigner.client.addresses import Address, not_connected
from vaultsigner.client.asks import Request
from vaultsigner.client.blocking import LARGEST_ANSWER_BYTES, LARGEST_LINE_BYTES, LONGEST_IDLE_SECONDS
from vaultsigner.client.errors import ConnectionLostError, UnexpectedAnswerError
from vaultsigner.client.reply import Reply

_NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientSSLError)
CONNECTIONS = 1000
"""At most at once; what waits for one waits in the order in which it was asked."""
LOOP_ROUNDS = 4
"""Nothing is read before the first has begun; then one to read a connection's end, one to tell of it, one more over TLS."""


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Tells what is known, in errors that aiohttp does not take for an invitation to try again."""
    try:
        return await send(request)
    except _NO_CONNECTION as error:
        why = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error
        raise not_connected(str(request.url.origin()), _plain(why)) from _plain(error)
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        raise _lost(error) from _plain(error)


class AsyncConnections:
    """Connections to one service, of one event loop.

    Args:
        timeout_seconds: to connect, and then for each wait for bytes.
    """

    def __init__(self, address: Address, timeout_seconds: float) -> None:
        self._address = address
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=timeout_seconds, sock_read=timeout_seconds
        )
        self._http: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Reply:
        """Send it, once, and read the whole answer.

        Raises:
            NotSentError, ConnectionLostError, UnexpectedAnswerError: as `Connections.send`.
        """
        async with self._response(request) as response:
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise UnexpectedAnswerError("the answer is too long", response.status)
            return _reply(response, bytes(body))

    @asynccontextmanager
    async def lines(self, request: Request) -> AsyncIterator[Reply | AsyncIterator[str]]:
        """Send it, and read line by line what comes; a `Reply` where that is an error."""
        async with self._response(request) as response:
            if response.status != 200:
                yield _reply(response, await response.content.read(LARGEST_LINE_BYTES))
            else:
                yield _lines(response)

    async def close(self) -> None:
        """Close all of them."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    @asynccontextmanager
    async def _response(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        await _news_of_connections()
        try:
            async with self._session().request(
                request.method,
                URL(f"{self._address.origin}{request.target}", encoded=True),
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
            ) as response:
                yield response
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _lost(error) from _plain(error)

    def _session(self) -> aiohttp.ClientSession:
        """Made when it is first needed, for it belongs to the loop that runs then."""
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=self._address.tls or True, keepalive_timeout=LONGEST_IDLE_SECONDS, limit=CONNECTIONS
                ),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
                auto_decompress=False,
                read_bufsize=LARGEST_LINE_BYTES,
                middlewares=(_once,),
            )
        return self._http


async def _news_of_connections() -> None:
    """Let the loop hear which kept connections have ended: a request that goes out on one of them has an unknown outcome."""
    for _ in range(LOOP_ROUNDS):
        await asyncio.sleep(0)


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[str]:
    try:
        async for line in response.content:
            yield line.decode().rstrip("\r\n")
    except (aiohttp.ClientError, OSError) as error:
        raise _lost(error) from _plain(error)


def _lost(error: Exception) -> ConnectionLostError:
    return ConnectionLostError(f"The answer did not come: {type(error).__name__}: {_plain(error)}")


def _plain(error: Exception) -> Exception:
    """The same, without the request's whole address: its signature may still be good for somebody who reads a log."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TimeoutError("the connection took too long")
    if isinstance(error, aiohttp.ClientResponseError):
        return ValueError("what came is not HTTP")
    return error


def _reply(response: aiohttp.ClientResponse, body: bytes) -> Reply:
    return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, body)
