"""Files and directories whose existence survives a power cut, and which only their owner reads."""

import os
from pathlib import Path

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700


def make_directory(path: Path) -> None:
    """Make a directory, and those above it that are missing, readable by their owner alone and durable.

    Raises:
        OSError: as the system says.
    """
    missing = []
    current = path.absolute()
    while not current.is_dir():
        missing.append(current)
        current = current.parent
    for directory in reversed(missing):
        try:
            directory.mkdir(mode=DIRECTORY_MODE)
        except FileExistsError:
            if not directory.is_dir():  # Another replica that starts at the same time may have made it.
                raise
        sync_directory(directory.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable: a new file's data is of no use when its name is lost.

    Raises:
        OSError: as the system says.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
