"""One HTTP request over a connection of its own, its answer read where it lies and wiped: for what is asked a few times an hour
and must not be repeated behind anybody's back.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from vaultsigner.custody.vault.connection import VaultConnection
from vaultsigner.custody.wiping import wipe
from vaultsigner.errors import VaultsignerError

SECONDS = 5.0
T = TypeVar("T")


class NoAnswerError(VaultsignerError):
    """The other side could not be asked, or did not answer in time; nothing of an answer is quoted."""

    code = "vault_unavailable"


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody answers, and how they prove who they are."""

    host: str
    port: int
    tls: ssl.SSLContext | None


async def ask_once(
    place: Place,
    request: bytearray,
    read: Callable[[int, memoryview], T],
    why: Callable[[OSError, float], str],
    seconds: float = SECONDS,
) -> T:
    """What `read` makes of the answer. The request is wiped, whatever happens.

    Args:
        request: the whole request as it goes over the wire.
        read: called once with the status and the body, which is wiped when it returns. What it raises is raised here.
        why: words for a connection that could not be made.
        seconds: for all of it.

    Raises:
        NoAnswerError: there is no answer.
    """
    exchange = _Single(request, read)
    connection: VaultConnection | None = None
    try:
        async with asyncio.timeout(seconds):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: VaultConnection(_Owner()),
                place.host,
                place.port,
                ssl=place.tls,
                server_hostname=place.host if place.tls else None,
            )
            connection.start(exchange)
            return await exchange.result
    except TimeoutError as error:
        reason = why(error, seconds) if connection is None else f"no answer within {seconds:.0f} seconds"
        raise NoAnswerError(reason) from None
    except OSError as error:
        raise NoAnswerError(why(error, seconds)) from None
    finally:
        wipe(request)
        if connection is not None:
            connection.abandon("it is over")


class _Single(Generic[T]):
    """See `connection.Exchange`."""

    def __init__(self, request: bytearray, read: Callable[[int, memoryview], T]) -> None:
        self._request = request
        self._read = read
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def request(self) -> bytearray:
        return self._request

    def answered(self, status: int, body: memoryview) -> None:
        if self.result.done():
            return
        try:
            self.result.set_result(self._read(status, body))
        except VaultsignerError as error:
            # Its frames have seen what the answer held.
            self.result.set_exception(error.with_traceback(None))
            error.__context__ = None

    def broken(self, reason: str, *, unanswered: bool) -> None:
        if not self.result.done():
            self.result.set_exception(NoAnswerError(reason))


class _Owner:
    """Nobody keeps the connection."""

    def idle(self, connection: VaultConnection) -> None:
        pass

    def lost(self, connection: VaultConnection) -> None:
        pass
