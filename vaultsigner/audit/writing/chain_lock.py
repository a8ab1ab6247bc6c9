"""Which process a chain belongs to: the one that holds the lock on its `lock` file. The system frees it when the process dies."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from vaultsigner.durable_files import FILE_MODE
from vaultsigner.errors import AuditError

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class ChainLock:
    """The lock of one chain directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        self._descriptor: int | None = None

    def take(self) -> bool:
        """True when the chain is ours from now on; False when another process has it.

        Raises:
            OSError: the lock file cannot be opened.
        """
        descriptor = os.open(self._path, _FLAGS, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self.release()
        self._descriptor = descriptor
        # Deleted between our open and our lock: what we hold then is a lock that nobody else sees.
        return self._is_named() or self.take()

    def confirm(self) -> bool:
        """Make sure that the lock file that the path names is the one we hold, and take it where it was deleted.

        Returns:
            Whether it was ours all the time. Where it was not, another process may have had the chain in between.

        Raises:
            AuditError: another process took the chain meanwhile: a second writer would fork it.
        """
        try:
            if self._is_named():
                return True
            if not self.take():
                raise taken_over(self._path.parent)
        except OSError as error:
            raise AuditError(f"{self._path} cannot be locked: {error.strerror}") from error
        return False

    def is_ours(self) -> bool:
        """Whether the lock file that the path names is the one we hold. May be asked from another thread than the writer's."""
        try:
            return self._is_named()
        except OSError:
            return False

    def release(self) -> None:
        """Leave the chain to whoever comes next."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _is_named(self) -> bool:
        if self._descriptor is None:
            return False
        try:
            ours, named = os.fstat(self._descriptor), self._path.lstat()
        except FileNotFoundError:
            return False
        return (ours.st_dev, ours.st_ino) == (named.st_dev, named.st_ino)


def taken_over(chain: Path) -> AuditError:
    """What is said where a second writer would fork a chain."""
    return AuditError(f"{chain} was taken over by another process; restart vaultsigner")
