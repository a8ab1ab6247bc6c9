"""Reads a small file that holds a secret into a buffer that its reader wipes."""

import os
import re
from pathlib import Path

from vaultsigner.custody.wiping import wipe

_WORD = re.compile(rb"\s*([!-~]+)\s*")


def open_secret_file(path: Path) -> int:
    """A descriptor to read from: of a pipe too, without waiting for whoever should write into it.

    Raises:
        OSError: as the system says.
    """
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)


def word_in(descriptor: int, longest: int) -> bytearray | None:
    """The one word (printable ASCII, blanks and line ends around it) that an open file holds; None where it holds none.

    Args:
        longest: the most bytes that the whole file may have.

    Raises:
        OSError: as the system says.
    """
    room = bytearray(longest + 1)
    try:
        count = os.preadv(descriptor, [room], 0)
        found = _WORD.fullmatch(room, 0, count) if count <= longest else None
        return None if found is None else room[slice(*found.span(1))]
    finally:
        wipe(room)


def read_word(path: Path, longest: int) -> bytearray | None:
    """`word_in` for a file by its name.

    Raises:
        OSError: as the system says.
    """
    descriptor = open_secret_file(path)
    try:
        return word_in(descriptor, longest)
    finally:
        os.close(descriptor)
