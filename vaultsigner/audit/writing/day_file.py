"""One file of a chain: lines are appended, made durable, and the file is looked at again before anyone may rely on them."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from stat import S_ISREG

from vaultsigner.audit.files.file_names import FileName, name_of, parse
from vaultsigner.durable_files import FILE_MODE, sync_directory
from vaultsigner.errors import AuditError

# O_NOFOLLOW: a link planted in the directory must not send the record elsewhere.
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A file as it was when an append failed.

    Args:
        identity: device and inode.
        size: bytes that were durable before.
        attempted: what the append was about to write; any beginning of it may stand in the file.
    """

    path: Path
    identity: tuple[int, int]
    size: int
    attempted: bytes


class AppendError(AuditError):
    """Lines are not known to be durable; `interrupted` is what is needed to take them back."""

    def __init__(self, message: str, interrupted: Interrupted) -> None:
        super().__init__(message)
        self.interrupted = interrupted


class DayFile:
    """An open file of records, made if missing. Not for use from two threads at a time.

    Raises:
        AuditError: it cannot be opened, or is no regular file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(path, _FLAGS, FILE_MODE)
            try:
                sync_directory(path.parent)
                status = _regular(path, os.fstat(self._descriptor))
                self.identity = (status.st_dev, status.st_ino)
                self.size = status.st_size
                self._ends_in_line = self.size == 0 or os.pread(self._descriptor, 1, self.size - 1) == b"\n"
            except BaseException:
                self.close()
                raise
        except OSError as error:
            raise AuditError(f"{path} cannot be opened: {error.strerror}") from error

    def append(self, lines: bytes, is_ours: Callable[[], bool] = lambda: True) -> None:
        """Write lines and return once they are on disk, in the file that the path names, behind all that was there before.

        Args:
            is_ours: whether the chain is still held by this process. Another one may have gone on with it in another file.

        Raises:
            AppendError: they may or may not be there. Close the file then, and take them back with a newly opened one.
        """
        # A foreign hand may have left half a line: ours must not become its other half.
        data = lines if self._ends_in_line else b"\n" + lines
        attempted = b""
        try:
            problem = self._lost(is_ours) or self._changed(self.size)
            if problem is None:
                attempted = data
                self._write(data)
                problem = self._lost(is_ours) or self._changed(self.size + len(data))
        except OSError as error:
            problem = f"{self.path}: {error.strerror}"
        if problem is not None:
            raise AppendError(problem, Interrupted(self.path, self.identity, self.size, attempted))
        self.size += len(data)
        self._ends_in_line = True

    def take_back(self, interrupted: Interrupted) -> str:
        """Remove what a failed append left behind, if nothing else has happened to the file.

        Returns:
            `intact`; `torn`: bytes were removed; `lost`: the file is another one or has fewer bytes than were durable;
            `changed`: it has bytes that are not ours. Nothing is removed then: it is evidence.

        Raises:
            AuditError: the file cannot be read or truncated.
        """
        if self.identity != interrupted.identity or self.size < interrupted.size:
            return "lost"
        try:
            found = os.pread(self._descriptor, len(interrupted.attempted) + 1, interrupted.size)
            if not interrupted.attempted.startswith(found):
                return "changed"
            if not found:
                return "intact"
            os.ftruncate(self._descriptor, interrupted.size)
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise AuditError(f"{self.path} cannot be repaired: {error.strerror}") from error
        self.size = interrupted.size
        self._ends_in_line = True
        return "torn"

    def close(self) -> None:
        """Give the descriptor back. What `append` returned for is durable already."""
        with suppress(OSError):
            os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        os.fdatasync(self._descriptor)

    def _changed(self, size: int) -> str | None:
        """A deleted or replaced file would take the record with it; one that grew otherwise has a second writer."""
        ours, named = os.fstat(self._descriptor), self.path.lstat()
        if (named.st_dev, named.st_ino) != self.identity or ours.st_nlink == 0:
            return f"{self.path} was replaced by another file"
        if ours.st_size != size:
            return f"{self.path} has {ours.st_size} bytes instead of {size}: another hand changed it"
        return None

    def _lost(self, is_ours: Callable[[], bool]) -> str | None:
        """Asked first: who took the chain over may have compressed or renewed the file, too, and that is the lesser news."""
        return None if is_ours() else f"the lock of {self.path.parent} was deleted or replaced"


def path_to_write(directory: Path, day: date, rotate_bytes: int) -> Path:
    """The file of a chain in which a day goes on: its newest, or the one after it where that is full or compressed.

    Raises:
        AuditError: the directory cannot be read, or the day has no number left.
    """
    try:
        names = [
            name
            for name in (parse(path.name) for path in directory.iterdir())
            if name is not None and name.day == day
        ]
        newest = max(names, default=FileName(day))
        full = newest.compressed or (
            bool(names) and (directory / str(newest)).lstat().st_size >= rotate_bytes
        )
    except OSError as error:
        raise AuditError(f"{error.filename or directory}: {error.strerror}") from error
    return directory / name_of(day, newest.number + full)


def _regular(path: Path, status: os.stat_result) -> os.stat_result:
    if not S_ISREG(status.st_mode):
        raise AuditError(f"{path} is no regular file")
    return status
