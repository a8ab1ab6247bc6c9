"""Keeping passwords out of this process's memory.

A log-in body passes through here on its way to custody. Python frees memory without clearing it, so every object that held a
piece of it is overwritten in place while it is still ours. A `bytes` object is immutable to Python code, not to memory: its
buffer is overwritten through its address, which is safe only while nobody else holds the object. aiohttp's C parser copies
what it keeps; its pure Python parser keeps slices and joins of what it was given, and is therefore refused at start.
"""

import asyncio
import ctypes
import sys

from aiohttp.http import HttpRequestParser
from aiohttp.http_parser import HttpRequestParserPy
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from vaultsigner.errors import VaultsignerError

_BYTES_HEADER = bytes.__basicsize__ - 1
"""Bytes in front of a bytes object's data: `PyBytesObject.ob_sval`, whose closing zero `__basicsize__` counts."""
_PIECES_AT_A_TIME = 1024
"""After so many the event loop gets its turn: they take about a millisecond."""
_READER_PARTS = frozenset(("_buffer", "_size", "_cursor", "_http_chunk_splits", "_protocol", "_low_water"))


class TooManyPiecesError(VaultsignerError):
    """A body in crumbs: handling these costs far more than sending them."""


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


async def take(stream: StreamReader, into: memoryview, *, max_chunk_pieces: int) -> int:
    """Move a whole payload into `into` and overwrite every piece it came in.

    Args:
        into: no bytearray: assigning a piece to a part of one makes a copy first, which is freed unwiped.
        max_chunk_pieces: how many pieces a chunked payload may come in. A segment costs its sender a packet, so a payload that
            is not chunked may come in as many as it likes; a chunk of one byte costs six, and us a thousand times as much.

    Returns:
        The number of bytes, which is larger than `into` as soon as the payload does not fit; it is left unfinished then.

    Raises:
        TooManyPiecesError: the payload is left unfinished.
    """
    filled = pieces = 0
    while not stream.at_eof():
        if not stream._buffer:
            await _more(stream)
        # One piece at a time, and past the stream's own readers: they join and cut pieces and drop the originals unwiped.
        while stream._buffer and filled <= len(into):
            piece = _detach(stream)
            size = len(piece)
            if filled + size <= len(into):
                into[filled : filled + size] = piece
            wipe(piece)
            filled += size
            pieces += 1
            if pieces % _PIECES_AT_A_TIME == 0:
                await asyncio.sleep(0)
        _release(stream)
        if pieces > max_chunk_pieces and stream._http_chunk_splits is not None:
            raise TooManyPiecesError
        if filled > len(into):
            break
    return filled


def pieces_waiting(stream: StreamReader) -> int:
    """How many pieces a payload holds that nobody has read."""
    return 0 if stream is EMPTY_PAYLOAD else len(stream._buffer)


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
    if probe != bytes(5) or not _READER_PARTS.issubset(StreamReader.__slots__):
        raise UnwipeableError(
            "this interpreter or aiohttp release keeps bytes in a way that cannot be overwritten"
        )


async def _more(stream: StreamReader) -> None:
    """Wait for another piece, or the end of the payload or of one of its chunks, which may be empty."""
    error = stream.exception()
    if error is not None:
        raise error
    if not stream.is_eof():
        await stream._wait("take")


def _detach(stream: StreamReader) -> bytes:
    piece = stream._buffer.popleft()
    stream._size -= len(piece)
    stream._cursor += len(piece)
    return piece


def _release(stream: StreamReader) -> None:
    """Forget where the chunks ended, and let the connection read on where it had paused for what is taken now."""
    if stream._http_chunk_splits:
        stream._http_chunk_splits.clear()
    if stream._protocol._reading_paused and stream._size < stream._low_water:
        stream._protocol.resume_reading()
