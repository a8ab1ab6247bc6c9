"""The files of chains, for those who must know about each of them: nothing is passed over unsaid."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from vaultsigner.audit.files.file_names import is_chain, is_passing, parse
from vaultsigner.audit.files.line_files import CompressedDamageError, find_files, open_lines
from vaultsigner.audit.files.reading import LONGEST_LINE
from vaultsigner.errors import AuditError

_LINES_BETWEEN_SIGNS = 2000
Progress = Callable[[int], None]


class UnreadableFileError(AuditError):
    """A file of a chain cannot be read.

    Args:
        words: as the system says why.
    """

    def __init__(self, path: Path, words: str) -> None:
        super().__init__(f"{path}: {words}")
        self.path = path
        self.words = words


@dataclass(frozen=True, slots=True)
class DayFile:
    """A file of a chain, plain or compressed. `size` is that of the moment when it was found: more may be added since."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class ChainFiles:
    """What is in a chain's directory.

    Args:
        name: the chain's; that of its directory, else (a copy under another name) the one that its first record has.
        files: in the order in which they were written.
        unusable: what has the name of a day's file and is none: a link, a pipe, a directory.
        others: names of what is no part of a chain.
    """

    name: str
    directory: Path
    files: tuple[DayFile, ...]
    unusable: tuple[Path, ...]
    others: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes in all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: its number from 1, its bytes with the newline."""

    path: Path
    number: int
    data: bytes


def find_chains(directory: Path) -> tuple[ChainFiles, ...]:
    """The chains in a directory, or the one that it is itself.

    Raises:
        AuditError: it cannot be read, or there is no chain.
    """
    try:
        chains = [path for path in sorted(directory.iterdir()) if is_chain(path.name) and path.is_dir()]
        if not chains and any(parse(path.name) for path in directory.iterdir()):
            chains = [directory]
        found = tuple(_chain(path) for path in chains)
    except OSError as error:
        raise AuditError(f"{error.filename or directory}: {error.strerror}") from error
    if not found:
        raise AuditError(f"there are no records in {directory}: name the directory that holds the chains")
    return found


def read_lines(file: DayFile, progress: Progress = lambda _: None) -> Iterator[bytes]:
    """The lines that the file had when it was found, each with its newline; only the last may lack one.

    A line that no record could be comes in parts of `LONGEST_LINE` bytes.

    Raises:
        CompressedDamageError: a compressed file is damaged behind the last line that came.
        UnreadableFileError: the file cannot be read.
        AuditError: it is no regular file any more.
    """
    position = told = count = 0
    try:
        with open_lines(file.path, file.size) as opened:
            readline, most, consumed = opened.lines.readline, opened.most, opened.consumed
            while position < most and (line := readline(LONGEST_LINE)):
                position += len(line)
                count += 1
                if count % _LINES_BETWEEN_SIGNS == 0:
                    now = consumed(position)
                    progress(now - told)
                    told = now
                yield line
            end = max(file.size, consumed(position))
    except CompressedDamageError as error:
        error.lines = count
        raise
    except OSError as error:
        raise UnreadableFileError(file.path, error.strerror or str(error)) from error
    progress(end - told)


def lines_after(files: tuple[DayFile, ...], path: Path, number: int) -> Iterator[Line]:
    """Every line of the chain behind a line.

    Raises:
        AuditError: a file cannot be read.
    """
    for line in all_lines(files[[file.path for file in files].index(path) :]):
        if line.path != path or line.number > number:
            yield line


def all_lines(files: tuple[DayFile, ...]) -> Iterator[Line]:
    """Every line of the chain that can be had: what is behind damage in a compressed file cannot, nor what may not be read.

    Raises:
        AuditError: a file is no regular file any more.
    """
    for file in files:
        with suppress(CompressedDamageError, UnreadableFileError):
            for number, data in enumerate(read_lines(file), start=1):
                yield Line(file.path, number, data)


def _chain(directory: Path) -> ChainFiles:
    found, names = find_files(directory)
    files = [DayFile(path, status.st_size) for path, status in found.items() if S_ISREG(status.st_mode)]
    unusable = [path for path, status in found.items() if not S_ISREG(status.st_mode)]
    read = {path.name for path in found}
    others = [each for each in sorted(names) if each not in read and not is_passing(each)]
    name = directory.resolve().name
    if not is_chain(name):
        name = _named_by_records(files) or name
    return ChainFiles(name, directory, tuple(files), tuple(unusable), tuple(others))


def _named_by_records(files: list[DayFile]) -> str | None:
    for line in all_lines(tuple(files)):
        match = re.search(rb'"chain":"([0-9a-f]{16})"', line.data)
        return match[1].decode() if match else None
    return None
