"""Opens files of records, plain or compressed, for those who read them from their beginning. In bounded memory.

A compressed file is what compression makes and nothing else: one gzip member (RFC 1952), whole, with nothing behind it.
"""

import errno
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from vaultsigner.audit.files.file_names import GZIPPED, in_order
from vaultsigner.errors import AuditError

MOST_EXPANSION = 200
"""How many times larger than its file what is in it may be. Records have hashes in them; deflate could do 1000 on zeros."""
_ALWAYS_ALLOWED = 16 * 1024 * 1024
_BLOCK = 1 << 16
_BUFFER = 1 << 17
_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"
# Not blocking: nobody may ever write to a pipe that somebody left there.
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_REGULAR = (errno.ELOOP, errno.ENXIO)


class CompressedDamageError(AuditError):
    """A compressed file is not what compression made of records.

    Args:
        words: in what way.

    `lines`: how many whole lines could be had before it, as `read_lines` tells.
    """

    lines = 0

    def __init__(self, path: Path, words: str) -> None:
        super().__init__(f"{path}: {words}")
        self.path = path
        self.words = words


@dataclass(frozen=True, slots=True)
class OpenLines:
    """An open file of records.

    Args:
        lines: read by `readline`, which raises CompressedDamageError or OSError.
        most: how many bytes of lines may be taken: what was added since the file was found is not read.
        consumed: how many bytes of the file itself are behind, where so many bytes of lines have been taken.
    """

    lines: BinaryIO
    most: int
    consumed: Callable[[int], int]


def find_files(directory: Path) -> tuple[dict[Path, os.stat_result], set[str]]:
    """The files of records in a directory, in the order in which they were written, each with what the system says of it (of a
    link: of the link itself); and the names of all that is there.

    Raises:
        OSError: it cannot be read.
    """
    # Twice: one look may miss the plain file, just removed, and the compressed one, just put in its place.
    names = {path.name for _ in range(2) for path in directory.iterdir()}
    found = {}
    for name in in_order(names):
        path = directory / name
        try:
            found[path] = path.lstat()
        except FileNotFoundError:
            compressed = directory / f"{name}{GZIPPED}"
            if not compressed.exists():
                raise
            found[compressed] = compressed.lstat()
    return found, names


def open_regular(path: Path, buffering: int = -1) -> BinaryIO:
    """A file of a chain, to be read. Never waits for one who writes, and is never led elsewhere.

    Raises:
        AuditError: what lies there is no regular file.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        if error.errno in _NOT_REGULAR:
            raise _not_regular(path) from error
        raise
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return os.fdopen(descriptor, "rb", buffering)


def _not_regular(path: Path) -> AuditError:
    return AuditError(f"{path} is no regular file: a link, a pipe or a directory; move it away")


@contextmanager
def open_lines(path: Path, size: int) -> Iterator[OpenLines]:
    """For `with`.

    Args:
        size: of the file when it was found. A plain one that was compressed since is read all the same.

    Raises:
        AuditError: it is no regular file.
        OSError: it cannot be opened.
    """
    compressed = path.name.endswith(GZIPPED)
    with ExitStack() as stack:
        try:
            file: BinaryIO = stack.enter_context(open_regular(path, _BUFFER))
            packed = compressed
        except FileNotFoundError:
            if compressed:
                raise
            path = path.with_name(f"{path.name}{GZIPPED}")
            file, packed = stack.enter_context(open_regular(path, _BUFFER)), True
        lines = stack.enter_context(inflated(path, file)) if packed else file
        if compressed:
            yield OpenLines(lines, sys.maxsize, lambda _: file.tell())
        else:
            yield OpenLines(lines, size, lambda position: position)


def inflated(path: Path, file: BinaryIO) -> BinaryIO:
    """What is in a compressed file, which stays open when this is closed.

    Reading raises CompressedDamageError, as soon as it shows.
    """
    return io.BufferedReader(_Inflating(path, file), _BUFFER)


class _Inflating(io.RawIOBase):
    """What is in a compressed file, never more of it than is asked for."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        super().__init__()
        self._path = path
        self._file = file
        self._member = zlib.decompressobj(_GZIP)
        self._given = 0
        self._damage = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # What BufferedReader gives.
        data = b""
        while not data:
            if self._member.eof:
                self._require_end()
                return 0
            data = self._more(len(buffer))
        self._given += len(data)
        if self._given > _ALWAYS_ALLOWED + MOST_EXPANSION * self._file.tell():
            raise CompressedDamageError(
                self._path, f"more than {MOST_EXPANSION} times its size is in it: these are no records"
            )
        buffer[: len(data)] = data
        return len(data)

    def _more(self, most: int) -> bytes:
        if self._damage:
            raise CompressedDamageError(self._path, self._damage)
        block, before = self._member.unconsumed_tail or self._file.read(_BLOCK), self._member.copy()
        try:
            data = self._member.decompress(block, most)
        except zlib.error as error:
            reason = str(error).rpartition(": ")[2]
            self._damage = f"it was changed, and cannot be unpacked: {reason}"
            # What comes before the damage is judged line by line: a line that was altered shows there, and not at the file's end.
            return _whole_part(before, block, most) or self._more(most)
        if not block and not data and not self._member.eof:
            raise CompressedDamageError(self._path, "its end is missing")
        return data

    def _require_end(self) -> None:
        behind = self._member.unused_data or self._file.read(_BLOCK)
        if behind.startswith(_MAGIC):
            raise CompressedDamageError(self._path, "a second compressed part was put behind its end")
        if behind:
            raise CompressedDamageError(self._path, "there are bytes behind its end")


def _whole_part(member: "zlib._Decompress", block: bytes, most: int) -> bytes:
    """All that can be unpacked before the first byte that does not fit: zlib gives nothing where that one is given as well."""
    whole, good, bad = b"", 0, len(block)
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            whole = member.copy().decompress(block[:middle], most)
        except zlib.error:
            bad = middle
        else:
            good = middle
    return whole
