"""The files around a SQLite database, watched: its log, its shared memory, and a lock that does not lie in either.

SQLite keeps the locks and the index of a write-ahead log in the `-shm` file (sqlite.org/walformat.html). Where that file is
deleted under running processes, the next to start makes another, and neither group sees the other's locks nor commits.
"""

import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vaultsigner.errors import StateError

Identity = tuple[int, int]

_POLL_SECONDS = 0.002
_SHARED_FIRST, _SHARED_BYTES = 0x40000002, 510  # sqlite.org/fileformat2.html: the lock-byte page
_FLOCK = struct.Struct("hhqqi4x")  # fcntl(2): l_type, l_whence, l_start, l_len, l_pid


def identity(path: Path) -> Identity:
    """Which file has this name now: device and inode.

    Raises:
        OSError: none.
    """
    status = path.stat()
    return status.st_dev, status.st_ino


def log_files(database: Path) -> tuple[Identity, Identity]:
    """The write-ahead log and the shared memory that stand beside a database now.

    Raises:
        OSError: one of them is missing.
    """
    log, memory = (identity(database.with_name(f"{database.name}{suffix}")) for suffix in ("-wal", "-shm"))
    return log, memory


@contextmanager
def only_writer(directory: Path, wait_seconds: float) -> Iterator[None]:
    """Keeps every other vaultsigner from writing to the databases of a directory, whatever becomes of SQLite's own locks.

    The lock is on the directory: a lock file could be deleted as well.

    Raises:
        StateError: another has it for longer than `wait_seconds`.
        OSError: there is no such directory.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(descriptor, directory, time.monotonic() + wait_seconds)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise StateError(f"{directory} is locked by another process") from None
            time.sleep(_POLL_SECONDS)
        else:
            return


@contextmanager
def log_kept(database: Path) -> Iterator[None]:
    """Keeps SQLite from clearing the log away when a connection closes that does not know all that is in the log.

    The last connection to close copies the commits that it knows into the database and deletes the log, commits of others
    included. It does so only under an exclusive lock, which the shared one that is taken here keeps from it.

    Raises:
        OSError: the database is gone, or somebody holds it exclusively.
    """
    descriptor = os.open(database, os.O_RDONLY | os.O_CLOEXEC)
    try:
        request = _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, _SHARED_FIRST, _SHARED_BYTES, 0)
        # Of this descriptor, not of the process: against a lock of the latter it would not hold.
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, request)
        yield
    finally:
        os.close(descriptor)
