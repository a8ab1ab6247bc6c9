"""Keeping passwords out of this process's memory.

A log-in body passes through here on its way to custody. Python frees memory without clearing it, so every object that held a
piece of it is overwritten in place while it is still ours. A `bytes` object is immutable to Python code, not to memory: its
buffer is overwritten through its address, which is safe only while nobody else holds the object. aiohttp's C parser copies
what it keeps; its pure Python parser keeps slices and joins of what it was given, and is therefore refused at start.
"""

import ctypes
import sys

from aiohttp.http import HttpRequestParser
from aiohttp.http_parser import HttpRequestParserPy
from aiohttp.streams import StreamReader

from vaultsigner.errors import VaultsignerError

_BYTES_HEADER = bytes.__basicsize__ - 1
"""Bytes in front of a bytes object's data: `PyBytesObject.ob_sval`, whose closing zero `__basicsize__` counts."""


class UnwipeableError(VaultsignerError):
    """This interpreter or HTTP library would keep passwords in memory."""


def wipe(data: bytes | bytearray) -> None:
    """Overwrite `data` with zeros, in place.

    CPython shares the bytes objects of no byte and of one byte among all who use them: those stay as they are.
    """
    size = len(data)
    if isinstance(data, bytearray):
        data[:] = bytes(size)
    elif size > 1:
        ctypes.memset(id(data) + _BYTES_HEADER, 0, size)


def wipe_unless_shared(data: bytes) -> None:
    """Overwrite `data` when the caller's local variable is the only thing that holds it."""
    if _references(data) <= _REFERENCES_WHEN_ALONE:
        wipe(data)


def _references(data: bytes) -> int:
    return sys.getrefcount(data)


def _references_when_alone() -> int:
    """Counted rather than known: Python 3.14 borrows references that 3.11 owns."""

    def count(data: bytes) -> int:
        return _references(data)

    probe = bytes(bytearray(2))
    return count(probe)


_REFERENCES_WHEN_ALONE = _references_when_alone()


def wipe_unread(stream: StreamReader) -> None:
    """Overwrite what a request's payload holds and nobody will read: a password sent to the wrong path, for one."""
    if not stream.at_eof():
        for piece in tuple(stream._buffer):
            wipe(piece)


async def take(stream: StreamReader, into: bytearray) -> int:
    """Move a whole payload into `into` and overwrite every piece it came in.

    Returns:
        The number of bytes, which is larger than `into` as soon as the payload does not fit; it is left unfinished then.
    """
    filled = 0
    while not stream.at_eof():
        waiting = tuple(stream._buffer)
        # One piece at a time: readany() joins pieces into a new object and drops the originals unwiped.
        piece, _ = await stream.readchunk()
        size = len(piece)
        if filled + size <= len(into):
            into[filled : filled + size] = piece
        filled += size
        wipe(piece)
        _wipe_those_gone(waiting, stream)
        if filled > len(into):
            break
    return filled


def require_wipeable() -> None:
    """Check once, at start, that the means above do what they promise here.

    Raises:
        UnwipeableError: not CPython's layout of bytes, not aiohttp's C parser, or a payload reader of another build.
    """
    if HttpRequestParser is HttpRequestParserPy:
        raise UnwipeableError(
            "aiohttp runs without its C parser, which this server needs to keep passwords out of memory: "
            "unset AIOHTTP_NO_EXTENSIONS, or install aiohttp from a wheel"
        )
    probe = bytes(bytearray(b"probe"))
    wipe(probe)
    if probe != bytes(5) or "_buffer" not in StreamReader.__slots__:
        raise UnwipeableError(
            "this interpreter or aiohttp release keeps bytes in a way that cannot be overwritten"
        )


def _wipe_those_gone(pieces: tuple[bytes, ...], stream: StreamReader) -> None:
    """A chunked body's pieces may have been joined or cut by the reader: the originals that it let go of are overwritten."""
    kept = {id(piece) for piece in stream._buffer}
    for piece in pieces:
        if id(piece) not in kept:
            wipe(piece)
