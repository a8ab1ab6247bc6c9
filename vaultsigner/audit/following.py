"""The end of the record: the last lines of every chain, and what is added to them while somebody watches."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vaultsigner.audit.chain_files import find_chains
from vaultsigner.audit.reading import LONGEST_LINE
from vaultsigner.errors import AuditError

_TIME = re.compile(rb'"time":"([0-9:TZ.-]{27})"')
_BLOCK = 1 << 16


@dataclass(slots=True)
class _Position:
    """How far a file has been read."""

    offset: int = 0
    inode: int = 0


class Follower:
    """Watches the chains in a directory; chains and days that come later are found by themselves.

    Half a line is waited for. A file that became shorter, or another one, is read from its beginning: whoever watches sees its
    records once more rather than none.
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
        for chain in find_chains(self._directory):
            lines: deque[bytes] = deque(maxlen=count)
            for file in reversed(chain.files):
                mine = _last_lines(file.path, file.size, count - len(lines))
                self._positions[file.path] = _Position(
                    _end_of_lines(file.path, file.size), file.path.stat().st_ino
                )
                lines.extendleft(reversed(mine))
            found += lines
        return sorted(found, key=time_of)[-count:] if count else []

    def new(self) -> list[bytes]:
        """Lines that came since, in the order of their times; none where nothing did.

        Raises:
            AuditError: a file cannot be read.
        """
        try:
            found = [
                line
                for chain in find_chains(self._directory)
                for file in chain.files
                for line in self._new_in(file.path)
            ]
        except OSError as error:
            raise AuditError(f"{error.filename}: {error.strerror}") from error
        return sorted(found, key=time_of)

    def _new_in(self, path: Path) -> Iterator[bytes]:
        position = self._positions.setdefault(path, _Position())
        status = path.stat()
        if status.st_ino != position.inode or status.st_size < position.offset:
            position.offset, position.inode = 0, status.st_ino
        if status.st_size == position.offset:
            return
        with path.open("rb") as lines:
            lines.seek(position.offset)
            while (line := lines.readline(LONGEST_LINE)) and line.endswith(b"\n"):
                position.offset += len(line)
                yield line


def time_of(line: bytes) -> bytes:
    """A line's time, to put lines in order; nothing where it has none."""
    match = _TIME.search(line, max(line.rfind(b'"time":"'), 0))
    return match[1] if match else b""


def _end_of_lines(path: Path, size: int) -> int:
    """Where the last whole line ends."""
    with path.open("rb") as file:
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
    """The last whole lines, read from the end."""
    end = _end_of_lines(path, size)
    if count <= 0 or end == 0:
        return []
    with path.open("rb") as file:
        begin, newlines = end, 0
        while begin > 0 and newlines <= count:
            block = max(0, begin - _BLOCK)
            file.seek(block)
            newlines += file.read(begin - block).count(b"\n")
            begin = block
        file.seek(begin)
        return file.read(end - begin).splitlines(keepends=True)[-count:]
