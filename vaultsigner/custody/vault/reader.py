"""Reads secrets from Vault for as long as it takes to use them, and not an instant longer.

Whoever asks for a secret while a read of it is on its way shares that read: Vault is asked once, everybody's use runs in one
go, and then the buffer is wiped. Nothing is kept for whoever comes later.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from vaultsigner.config.settings import KvReference
from vaultsigner.custody.process_edge import where_from
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.vault.pool import AskedAhead, VaultPool
from vaultsigner.errors import CustodyError

MOST_READ_AHEAD = 32
"""Each keeps a connection to Vault from other questions, for a second at most."""
MOST_USES_OF_ONE_READ = 64
"""Each takes some 40 microseconds during which the key lies in memory and the event loop waits."""

T = TypeVar("T")
_log = structlog.get_logger()


class VaultReader:
    """Hands secrets to callbacks."""

    def __init__(self, pool: VaultPool) -> None:
        self._pool = pool
        self._under_way: dict[KvReference, _Read] = {}
        self._ahead: set[_Read] = set()
        self.reads = 0

    async def with_secret(self, reference: KvReference, use: Callable[[SecretView], T]) -> T:
        """Read a secret and use it.

        Args:
            reference: the field to read.
            use: called once with the secret in memory. Must not keep anything of it; must not await.

        Raises:
            CustodyError: the secret cannot be had, or `use` raised this.
        """
        return await self.begin(reference, use)

    def begin(self, reference: KvReference, use: Callable[[SecretView], T]) -> "asyncio.Future[T]":
        """`with_secret`, but the question to Vault has left when this returns."""
        read = self._under_way.get(reference)
        if read is not None and not read.full:
            return read.join(use)
        read = _Read(self, reference)
        future = read.join(use)
        self._under_way[reference] = read
        self.reads += 1
        self._pool.ask(read)
        return future

    def read_ahead(self, reference: KvReference) -> "ReadAhead | None":
        """Ask Vault for a secret that will be needed in a moment, if all goes well; None where too many wait already."""
        if len(self._ahead) >= MOST_READ_AHEAD:
            return None
        read = _Read(self, reference)
        self._ahead.add(read)
        self.reads += 1
        return ReadAhead(self, read, self._pool.ask_ahead(read))

    def let_in(self, read: "_Read") -> None:
        """Called when a read that went ahead becomes one like any other, which others may join."""
        self._ahead.discard(read)
        self._under_way.setdefault(read.reference, read)

    def ended(self, read: "_Read") -> None:
        """Called by a read that nobody may join any more."""
        self._ahead.discard(read)
        if self._under_way.get(read.reference) is read:
            del self._under_way[read.reference]


class ReadAhead:
    """A secret that Vault has been asked for, while its answer is left unread: no secret lies in memory until it is used."""

    def __init__(self, reader: VaultReader, read: "_Read", asked: AskedAhead) -> None:
        self._reader = reader
        self._read = read
        self._asked = asked

    async def with_secret(self, use: Callable[[SecretView], T]) -> T:
        """As `VaultReader.with_secret`: with the answer that waits, or with a new one if that has been given up."""
        read = self._read
        if read.over:
            return await self._reader.with_secret(read.reference, use)
        future = read.join(use)
        self._reader.let_in(read)
        self._asked.let_in()
        return await future

    def drop(self) -> None:
        """The secret is not needed; its answer is never read."""
        self._asked.drop()


class _Read:
    method = "GET"
    body = b""
    with_token = True

    def __init__(self, reader: VaultReader, reference: KvReference) -> None:
        self._reader = reader
        self._uses: list[tuple[Callable[[SecretView], Any], asyncio.Future[Any]]] = []
        self.over = False
        self.reference = reference
        self.path = reference.audited_path
        self.what = str(reference)

    @property
    def full(self) -> bool:
        return len(self._uses) >= MOST_USES_OF_ONE_READ

    def join(self, use: Callable[[SecretView], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._uses.append((use, future))
        return future

    def answered(self, body: memoryview) -> None:
        self._end()
        try:
            secret = SecretView(self.reference, body)
        except CustodyError as error:
            self.failed(error)
            return
        try:
            for use, future in self._uses:
                if not future.done():
                    _settle(future, use, secret)
        finally:
            secret.close()

    def failed(self, error: CustodyError) -> None:
        self._end()
        for _, future in self._uses:
            if not future.done():
                future.set_exception(_without_frames(error))

    def _end(self) -> None:
        self.over = True
        self._reader.ended(self)


def _settle(future: asyncio.Future[T], use: Callable[[SecretView], T], secret: SecretView) -> None:
    try:
        future.set_result(use(secret))
    except CustodyError as error:
        future.set_exception(_without_frames(error))
    except Exception as error:  # noqa: BLE001 - the edge of secret memory: no foreign exception leaves with its frames
        _log.error("use_of_secret_failed", error=type(error).__name__, at=where_from(error))
        future.set_exception(
            CustodyError("internal_error", "custody could not use the key; its log says where")
        )


def _without_frames(error: CustodyError) -> CustodyError:
    """The same error without traceback and context: those keep the variables of frames that saw the secret."""
    return CustodyError(error.code, str(error))
