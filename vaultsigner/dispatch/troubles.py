"""What goes wrong with a connection, in words: an exception's own text would repeat addresses and internals."""

import errno

import aiohttp


class BrokenConnectionError(aiohttp.ClientError):
    """The connection broke once the request was, perhaps, on it."""


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timed out"),
    (aiohttp.ClientConnectorDNSError, "its host name is not known"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is not accepted"),
    (aiohttp.ClientSSLError, "the TLS handshake failed"),
    (aiohttp.ClientConnectorError, "it cannot be reached"),
    (BrokenConnectionError, "hung up"),
    (aiohttp.ServerDisconnectedError, "hung up"),
    (aiohttp.ClientOSError, "hung up"),
    (aiohttp.ClientPayloadError, "hung up"),
)
"""The first that fits counts: several are kinds of others further down."""


def trouble(error: Exception) -> str:
    """What an exception of aiohttp's client means."""
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno == errno.ECONNREFUSED:
        return "connection refused"
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "what it says is not HTTP")
