"""Ports for servers that are about to start: no two of our processes, nor two of one's servers, are given the same."""

import fcntl
import os
import secrets
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

FIRST, COUNT = 10_000, 20_000
"""Below those that systems give to outgoing connections: 32768 or higher (Linux: ip(7), ip_local_port_range)."""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on, and that is ours until this process ends.

    A server takes seconds to bind what it was given, and leaves it while it is started anew: a probe alone would hand the
    port to two of them. So one byte of a file stands for each port, and whoever is given the port holds the byte's lock.

    Raises:
        OSError: as the system says.
    """
    while True:
        port = FIRST + secrets.randbelow(COUNT)
        if port not in _held and _reserve(port):
            _held.add(port)
            with socket.socket() as probe, suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


def _reserve(port: int) -> bool:
    try:
        fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _locks() -> int:
    """The file's descriptor, opened once and never closed: closing any descriptor of it would give all its locks back."""
    if not _descriptor:
        path = _directory() / f"vaultsigner-ports-{os.getuid()}"
        _descriptor.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    return _descriptor[0]


def _directory() -> Path:
    """In memory where there is such a place: the same for all processes, wherever each has its temporary files."""
    memory = Path("/dev/shm")  # noqa: S108 - the file holds nothing; its name is ours, and no link is followed
    return memory if os.access(memory, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())


_held: set[int] = set()
_descriptor: list[int] = []
