"""The connections to exchanges: kept open and used again, one request at a time each."""

import ssl
from typing import Literal

import aiohttp
from aiohttp.tracing import Trace

from vaultsigner.dispatch.troubles import BrokenConnectionError

CONNECTIONS_PER_EXCHANGE = 128
"""So that one exchange that is slow takes no connections from another."""
STRANGERS_CONNECTIONS = 16
"""To one exchange, for what nobody signed."""
KEEP_SECONDS = 15.0
"""Less than exchanges keep an idle connection: a request that meets its end is one whose outcome nobody knows."""


class CleanConnector(aiohttp.TCPConnector):
    """Gives no connection out on which something came that nobody asked for: it would be taken for the next one's answer."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the library's own method has it
    ) -> aiohttp.connector.Connection:
        """As the library's, but an idle connection with an answer waiting on it is closed."""
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


def exchange_session(
    tls: ssl.SSLContext | Literal[True] = True, *, connections: int = CONNECTIONS_PER_EXCHANGE
) -> aiohttp.ClientSession:
    """A session for every exchange: no proxy from the environment, no cookies.

    Args:
        tls: who is trusted to say that a certificate is good; as the system has it unless given.
        connections: to each host, at most.
    """
    return aiohttp.ClientSession(
        connector=CleanConnector(
            ssl=tls, limit=0, limit_per_host=connections, keepalive_timeout=KEEP_SECONDS
        ),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Middleware. By itself the library asks a second time where a connection broke, also when it is told to PUT or DELETE."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise BrokenConnectionError from None
