"""Requests over connections that are kept, for threads that wait. Every byte goes out as it was signed, and once."""

import selectors
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

from vaultsigner.client.addresses import Address, not_connected
from vaultsigner.client.asks import Request
from vaultsigner.client.errors import ConnectionLostError, UnexpectedAnswerError
from vaultsigner.client.reply import Reply

LONGEST_IDLE_SECONDS = 20.0
"""A service or a proxy closes what was idle for longer: a request on its way then would have an unknown outcome."""
LARGEST_ANSWER_BYTES = 80 * 2**20
"""Exchanges' answers have at most 64 MiB."""
LARGEST_LINE_BYTES = 2**20


@dataclass(slots=True)
class _Idle:
    connection: HTTPConnection
    since: float


@dataclass(slots=True)
class _Answering:
    response: HTTPResponse
    may_be_kept: bool = False


class Connections:
    """Connections to one service; any number of threads may use them.

    Args:
        timeout_seconds: to connect, and then for each wait for bytes.
    """

    def __init__(self, address: Address, timeout_seconds: float) -> None:
        self._address = address
        self._timeout_seconds = timeout_seconds
        self._idle: deque[_Idle] = deque()

    def send(self, request: Request) -> Reply:
        """Send it, once, and read the whole answer.

        Raises:
            NotSentError: there is no connection.
            ConnectionLostError: it ended too early.
            UnexpectedAnswerError: there is more than anybody would answer.
        """
        with self._answering(request) as answering:
            response = answering.response
            body = response.read(LARGEST_ANSWER_BYTES + 1)
            if len(body) > LARGEST_ANSWER_BYTES:
                raise UnexpectedAnswerError("the answer is too long", response.status)
            # http.client takes half a body for a whole one where it reads by amount.
            if response.length:
                raise ConnectionLostError("the answer was cut")
            answering.may_be_kept = not response.will_close
            return _reply(response, body)

    @contextmanager
    def lines(self, request: Request) -> Iterator[Reply | Iterator[str]]:
        """Send it, and read line by line what comes; a `Reply` where that is an error.

        Raises:
            as `send`; ConnectionLostError also while iterating.
        """
        with self._answering(request) as answering:
            response = answering.response
            if response.status != 200:
                yield _reply(response, response.read(LARGEST_LINE_BYTES))
            else:
                yield _lines(response)

    def close(self) -> None:
        """Close what is open and not in use."""
        while self._idle:
            self._idle.pop().connection.close()

    @contextmanager
    def _answering(self, request: Request) -> Iterator[_Answering]:
        """The beginning of an answer. Its connection is closed afterwards, unless whoever reads it says otherwise."""
        connection = self._take()
        answering = None
        try:
            with _losing():
                connection.putrequest(request.method, request.target, skip_accept_encoding=True)
                for name, value in request.headers.items():
                    connection.putheader(name, value)
                if request.body or request.method in ("POST", "PUT"):
                    connection.putheader("Content-Length", str(len(request.body)))
                connection.endheaders(request.body or None)
                answering = _Answering(connection.getresponse())
                yield answering
        finally:
            if answering is not None and answering.may_be_kept:
                self._idle.append(_Idle(connection, time.monotonic()))
            else:
                connection.close()

    def _take(self) -> HTTPConnection:
        while True:
            try:
                idle = self._idle.pop()
            except IndexError:
                return self._opened()
            if time.monotonic() - idle.since < LONGEST_IDLE_SECONDS and _is_quiet(idle.connection):
                return idle.connection
            idle.connection.close()

    def _opened(self) -> HTTPConnection:
        address = self._address
        timeout = self._timeout_seconds
        connection = (
            HTTPConnection(address.host, address.port, timeout=timeout)
            if address.tls is None
            else HTTPSConnection(address.host, address.port, timeout=timeout, context=address.tls)
        )
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise not_connected(address.origin, error) from error
        return connection


@contextmanager
def _losing() -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException) as error:
        raise ConnectionLostError(f"The answer did not come: {type(error).__name__}: {error}") from error


def _is_quiet(connection: HTTPConnection) -> bool:
    """Whether nothing came unasked: the other side's end, say."""
    if connection.sock is None:
        return False
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return not selector.select(0)


def _lines(response: HTTPResponse) -> Iterator[str]:
    with _losing():
        while line := response.readline(LARGEST_LINE_BYTES):
            yield line.decode().rstrip("\r\n")


def _reply(response: HTTPResponse, body: bytes) -> Reply:
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
