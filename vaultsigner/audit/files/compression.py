"""Compresses a chain's closed files, on a thread of its own for which nobody waits.

The plain file goes once the compressed one is known to be whole and durable under its name; a crash before that leaves the plain
one, and what is left over is cleared away or finished at the next start. Nothing that fails here stops the record.
"""

import os
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from vaultsigner.audit.files.file_names import FileName, is_passing, parse
from vaultsigner.audit.files.line_files import CompressedDamageError, find_files, inflated, open_regular
from vaultsigner.durable_files import FILE_MODE, sync_directory
from vaultsigner.errors import AuditError

RETRY_SECONDS = 60.0
_LEVEL = 6
_GZIP = 16 + zlib.MAX_WBITS
_BLOCK = 1 << 18
# Synced bit by bit: one large sync at the end would make the record's own wait behind it.
_BLOCKS_BETWEEN_SYNCS = 64
_LOWEST_PRIORITY = 19
_MAKE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class CompressionError(AuditError):
    """A file stays as it is until somebody has looked at it."""


class _StoppedError(Exception):
    """The service ends, or the chain is not ours any more."""


class Compressor:
    """Compresses whatever is closed, when it starts and whenever it is woken.

    `warning` says what could not be compressed and why; None: nothing. Where the disk was to blame, it is tried again.

    Args:
        directory: the chain's.
        writing: the name of the file that was opened last; None: not known, then the newest is taken to be in use.
        is_ours: whether the chain is still held by this process.
        retry_seconds: how long after a failure it is tried again.
    """

    def __init__(
        self,
        directory: Path,
        *,
        writing: Callable[[], str | None],
        is_ours: Callable[[], bool],
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self.warning: str | None = None
        self._directory = directory
        self._writing = writing
        self._is_ours = is_ours
        self._retry_seconds = retry_seconds
        self._left: dict[str, str] = {}
        self._woken = threading.Event()
        self._stopping = False
        # A daemon, as the writer's thread is: a disk that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="compression", daemon=True)

    def start(self) -> None:
        """Begin, on the thread."""
        self._thread.start()

    def wake(self) -> None:
        """A file was closed. Returns at once."""
        self._woken.set()

    def stop(self) -> None:
        """Begin nothing more. Returns at once."""
        self._stopping = True
        self._woken.set()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, so long at most."""
        self._thread.join(seconds)

    def _run(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
        while True:
            self._woken.clear()
            if self._stopping:
                return
            self._compress_all()
            self._woken.wait(self._retry_seconds if self.warning is not None else None)

    def _compress_all(self) -> None:
        warning = None
        try:
            clear_leftovers(self._directory)
            for path in closed_files(self._directory, self._writing()):
                warning = self._left.get(path.name) or self._compress(path) or warning
        except _StoppedError:
            return
        except OSError as error:
            warning = _words(self._directory, error)
        self.warning = warning

    def _compress(self, path: Path) -> str | None:
        try:
            compress(path, self._go_on)
        except AuditError as error:
            # Somebody has to look at it; to try again and again would only read it again and again.
            words = error.words if isinstance(error, CompressedDamageError) else str(error)
            return self._left.setdefault(path.name, f"{path} stays as it is: {words}")
        except OSError as error:
            return _words(path, error)
        return None

    def _go_on(self) -> None:
        if self._stopping or not self._is_ours():
            raise _StoppedError


def closed_files(directory: Path, writing: str | None) -> list[Path]:
    """The plain files of a chain that come before the one that is written to, and before its newest records.

    Raises:
        OSError: as the system says.
    """
    found = {
        name: (path, status)
        for path, status in find_files(directory)[0].items()
        if S_ISREG(status.st_mode) and status.st_size and (name := parse(path.name)) is not None
    }
    opened = parse(writing) if writing is not None else None
    in_use: list[FileName] = [name.plain for name in (max(found, default=None), opened) if name is not None]
    return [path for name, (path, _) in found.items() if not name.compressed and name < min(in_use)]


def clear_leftovers(directory: Path) -> None:
    """Remove compressed files that were never finished.

    Raises:
        OSError: as the system says.
    """
    for path in directory.iterdir():
        if is_passing(path.name) and path.suffix == ".new":
            path.unlink()


def compress(path: Path, go_on: Callable[[], None] = lambda: None) -> None:
    """Put a compressed file in the place of a plain one. Where both are there already, the plain one goes if they are the same.

    Args:
        go_on: is asked before every step, and may raise.

    Raises:
        CompressedDamageError: what was made cannot be read back under the rules of `line_files`.
        CompressionError: the plain file was changed, or the compressed one is not made from it; both stay.
        AuditError: one of the two is no regular file.
        OSError: as the system says.
    """
    name = parse(path.name)
    if name is None or name.compressed:
        raise CompressionError(f"{path} is no plain file of records")
    made, finished = path.with_name(name.being_made), path.with_name(str(name.gzipped))
    with open_regular(path) as plain:
        before = os.fstat(plain.fileno())
        if not finished.is_symlink() and not finished.exists():
            _make(plain, before, made, finished, go_on)
        elif _digest(plain, go_on) != _packed_digest(finished, go_on):
            raise CompressionError(f"{finished} is not {path.name} compressed: one of the two was changed")
        # The new name must outlive a power cut before the old one goes.
        sync_directory(path.parent)
        _require_unchanged(path, plain, before)
        go_on()
        path.unlink()
        sync_directory(path.parent)


def _make(
    plain: BinaryIO, before: os.stat_result, made: Path, finished: Path, go_on: Callable[[], None]
) -> None:
    with os.fdopen(os.open(made, _MAKE, FILE_MODE), "w+b", buffering=0) as packed:
        try:
            digest = _pack(plain, packed, go_on)
            os.utime(packed.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
            os.fsync(packed.fileno())
            # Read from the disk, as far as the system lets us, and not from memory.
            os.posix_fadvise(packed.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            packed.seek(0)
            _require_digest(made, packed, digest, go_on)
            go_on()
            _require_same(made, packed)
            made.rename(finished)
            _require_same(finished, packed)
        except BaseException:
            made.unlink(missing_ok=True)
            raise


def _require_digest(made: Path, packed: BinaryIO, digest: bytes, go_on: Callable[[], None]) -> None:
    if _digest(inflated(made, packed), go_on) != digest:
        raise CompressionError(f"{made} does not read back as what was compressed")


def _pack(plain: BinaryIO, packed: BinaryIO, go_on: Callable[[], None]) -> bytes:
    """Write `plain` compressed, the same bytes every time: no name and no time are in it. Answers the SHA-256 of `plain`."""
    digest, packer, blocks = sha256(), zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP), 0
    while block := plain.read(_BLOCK):
        go_on()
        digest.update(block)
        _write(packed, packer.compress(block))
        blocks += 1
        if blocks % _BLOCKS_BETWEEN_SYNCS == 0:
            os.fdatasync(packed.fileno())
    _write(packed, packer.flush())
    return digest.digest()


def _write(packed: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[packed.write(rest) :]


def _packed_digest(finished: Path, go_on: Callable[[], None]) -> bytes:
    with open_regular(finished) as packed:
        os.fsync(packed.fileno())
        return _digest(inflated(finished, packed), go_on)


def _digest(file: BinaryIO, go_on: Callable[[], None]) -> bytes:
    digest = sha256()
    while block := file.read(_BLOCK):
        go_on()
        digest.update(block)
    return digest.digest()


def _require_unchanged(path: Path, plain: BinaryIO, before: os.stat_result) -> None:
    _require_same(path, plain)
    now = os.fstat(plain.fileno())
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise CompressionError(f"{path} was changed while it was compressed")


def _require_same(path: Path, file: BinaryIO) -> None:
    """Another process that took the chain over may have put its own file there."""
    ours, named = os.fstat(file.fileno()), path.lstat()
    if (ours.st_dev, ours.st_ino) != (named.st_dev, named.st_ino):
        raise CompressionError(f"{path} was replaced while it was compressed")


def _words(path: Path, error: OSError) -> str:
    return f"{error.filename or path} is not compressed for now: {error.strerror}"
