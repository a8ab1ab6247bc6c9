"""The end of the record: the last lines of every chain, and what is added to them while somebody watches."""

import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vaultsigner.audit.files.chain_files import ChainFiles, DayFile, find_chains
from vaultsigner.audit.files.file_names import GZIPPED
from vaultsigner.audit.files.line_files import CompressedDamageError, open_lines, open_regular
from vaultsigner.audit.files.reading import LONGEST_LINE
from vaultsigner.errors import AuditError

_TIME = re.compile(rb'"time":"([0-9:TZ.-]{27})"')
_BLOCK = 1 << 16
MOST_AT_A_LOOK = 8 * 1024 * 1024
"""Bytes of one chain's lines; the next look goes on from there."""
# What a line counts for at least: many short ones take far more memory than they have bytes.
_LEAST_OF_A_LINE = 256
_MOST_OF_LAST_LINE = 4096


@dataclass(slots=True)
class _Position:
    """How far a file has been read. `closed`: to its end, and it was compressed: nothing more comes."""

    offset: int = 0
    inode: int = 0
    closed: bool = False


class Follower:
    """Watches the chains in a directory; chains and days that come later are found by themselves.

    A file that is compressed meanwhile is read on from where it was. Half a line is waited for. A file that became shorter, or
    another one, is read from its beginning: whoever watches sees its records once more rather than none. A compressed file that
    appears before those that were read already is passed over: nobody wrote it just now.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._positions: dict[Path, _Position] = {}

    def last(self, count: int) -> list[bytes]:
        """The last lines of all chains, in the order of their times; what comes after them is told by `new`.

        Raises:
            AuditError: a file cannot be read.
        """
        found: list[bytes] = []
        try:
            for chain in find_chains(self._directory):
                lines: deque[bytes] = deque(maxlen=count)
                for file in reversed(chain.files):
                    lines.extendleft(reversed(self._end_of(file, count - len(lines))))
                found += lines
        except OSError as error:
            raise AuditError(f"{error.filename}: {error.strerror}") from error
        return sorted(found, key=time_of)[-count:] if count else []

    def new(self) -> list[bytes]:
        """Lines that came since, in the order of their times; none where nothing did. At most so many as one look may take.

        Raises:
            AuditError: a file cannot be read.
        """
        try:
            found = [line for chain in find_chains(self._directory) for line in self._new_of(chain)]
        except OSError as error:
            raise AuditError(f"{error.filename}: {error.strerror}") from error
        return sorted(found, key=time_of)

    def _end_of(self, file: DayFile, count: int) -> list[bytes]:
        """The last lines of a file, which counts as read from here on."""
        position = self._position(file.path)
        if file.path.suffix != GZIPPED:
            with suppress(FileNotFoundError):  # compressed just now
                position.offset, position.inode = _end_of_lines(file.path, file.size), file.path.stat().st_ino
                return _last_lines(file.path, file.size, count)
            file = DayFile(file.path.with_name(f"{file.path.name}{GZIPPED}"), 0)
        position.closed = True
        return list(deque(_packed_lines(file, 0), maxlen=count)) if count > 0 else []

    def _new_of(self, chain: ChainFiles) -> Iterator[bytes]:
        known = [_plain(file.path) in self._positions for file in chain.files]
        left = MOST_AT_A_LOOK
        for index, file in enumerate(chain.files):
            if file.path.suffix == GZIPPED and not known[index] and any(known[index:]):
                self._position(file.path).closed = True
            for line in self._new_in(file):
                yield line
                left -= max(len(line), _LEAST_OF_A_LINE)
                if left <= 0:
                    return

    def _new_in(self, file: DayFile) -> Iterator[bytes]:
        path, position = file.path, self._position(file.path)
        if path.suffix == GZIPPED:
            if not position.closed:
                for line in _packed_lines(file, position.offset):
                    position.offset += len(line)
                    yield line
                position.closed = True
            return
        try:
            status = path.lstat()
        except FileNotFoundError:  # compressed just now: found as that the next time
            return
        if status.st_ino != position.inode or status.st_size < position.offset:
            position.offset, position.inode, position.closed = 0, status.st_ino, False
        if status.st_size == position.offset:
            return
        with open_regular(path) as lines:
            lines.seek(position.offset)
            while (line := lines.readline(LONGEST_LINE)) and line.endswith(b"\n"):
                position.offset += len(line)
                yield line

    def _position(self, path: Path) -> _Position:
        """The same one when the file has been compressed."""
        return self._positions.setdefault(_plain(path), _Position())


def _plain(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(GZIPPED))


def time_of(line: bytes) -> bytes:
    """A line's time, to put lines in order; nothing where it has none."""
    match = _TIME.search(line, max(line.rfind(b'"time":"'), 0))
    return match[1] if match else b""


def _packed_lines(file: DayFile, offset: int) -> Iterator[bytes]:
    """The whole lines of a compressed file behind so many bytes. Where it is damaged, those before: to tell is for `verify`."""
    with suppress(CompressedDamageError), open_lines(file.path, file.size) as opened:
        position = 0
        while (line := opened.lines.readline(LONGEST_LINE)) and line.endswith(b"\n"):
            if position >= offset:
                yield line
            position += len(line)


def _end_of_lines(path: Path, size: int) -> int:
    """Where the last whole line ends."""
    with open_regular(path) as file:
        end = size
        while end > 0:
            begin = max(0, end - _BLOCK)
            file.seek(begin)
            newline = file.read(end - begin).rfind(b"\n")
            if newline >= 0:
                return begin + newline + 1
            end = begin
    return 0


def _last_lines(path: Path, size: int, count: int) -> list[bytes]:
    """The last whole lines, read from the end; fewer where they are far longer than records."""
    end = _end_of_lines(path, size)
    if count <= 0 or end == 0:
        return []
    with open_regular(path) as file:
        begin, newlines, most = end, 0, LONGEST_LINE + count * _MOST_OF_LAST_LINE
        while begin > 0 and newlines <= count and end - begin < most:
            block = max(0, begin - _BLOCK)
            file.seek(block)
            newlines += file.read(begin - block).count(b"\n")
            begin = block
        file.seek(begin)
        lines = file.read(end - begin).splitlines(keepends=True)
        return lines[1 if begin else 0 :][-count:]
