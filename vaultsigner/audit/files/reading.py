"""Reads records back: every chain, day by day, in bounded memory.

Nothing is proved here. Whoever must know that no record was changed or left out verifies the chains.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO

from vaultsigner.audit.files.file_names import is_chain, parse
from vaultsigner.audit.files.line_files import CompressedDamageError, OpenLines, find_files, open_lines
from vaultsigner.errors import AuditError

LONGEST_LINE = 16 * 1024 * 1024
"""Far more than a request may have. A longer line is no record, and is not held in memory."""
PLACES_KEPT = 20
_LINES_BETWEEN_SIGNS = 2000
_decode = json.JSONDecoder().raw_decode

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file of one chain, plain or compressed. `size` is that of the moment when it was found: more may be added since."""

    path: Path
    day: date
    size: int


@dataclass(slots=True)
class Unreadable:
    """Lines that are no records: how many, and where the first of them stand."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, path: Path, line: int) -> None:
        """Note one."""
        self.count += 1
        if len(self.places) < PLACES_KEPT:
            self.places.append(f"{path}:{line}")


def record_files(directory: Path, *, since: date | None = None) -> tuple[RecordFile, ...]:
    """The files of every chain, each chain's days in order.

    Args:
        directory: of all chains, or of one.
        since: days before it are left out; a record is always in the file of its own day (UTC).

    Raises:
        AuditError: the directory cannot be read, or has no records at all.
    """
    try:
        chains = [path for path in directory.iterdir() if is_chain(path.name) and path.is_dir()]
        if not chains and is_chain(directory.resolve().name):
            chains = [directory]
        files = [file for chain in sorted(chains) for file in _days(chain)]
    except OSError as error:
        raise AuditError(f"{error.filename or directory}: {error.strerror}") from error
    if not files:
        raise AuditError(f"there are no records in {directory}: name the directory that holds the chains")
    return tuple(file for file in files if since is None or file.day >= since)


def read_intents(
    file: RecordFile, unreadable: Unreadable, progress: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[int, Record]]:
    """Every record of kind `intent`, with the number of its line.

    Half a line at the end is left out unsaid: a write that never finished, or that goes on at this moment.

    Args:
        file: where from; what was added since it was found is not read.
        unreadable: takes lines that are no records.
        progress: is told how many bytes more have been read, now and then.

    Raises:
        AuditError: the file cannot be read.
    """
    try:
        with open_lines(file.path, file.size) as opened:
            yield from _intents(opened, file, unreadable, progress)
    except OSError as error:
        raise AuditError(f"{file.path}: {error.strerror}") from error


def _intents(
    opened: OpenLines, file: RecordFile, unreadable: Unreadable, progress: Callable[[int], None]
) -> Iterator[tuple[int, Record]]:
    lines, number, position, told = opened.lines, 0, 0, 0
    while position < opened.most and (line := _next_line(lines, file, unreadable, number + 1)):
        number += 1
        position += len(line)
        if number % _LINES_BETWEEN_SIGNS == 0:
            now = opened.consumed(position)
            progress(now - told)
            told = now
        if line[-1] != 0x0A:
            if len(line) < LONGEST_LINE:
                break
            position += _skip_line(lines)
            unreadable.add(file.path, number)
        elif line[0] != 0x7B:
            unreadable.add(file.path, number)
        elif b'"intent"' in line:
            # Other kinds of record are not worth parsing; where a text says so, its quotation marks are escaped.
            record = _record(line)
            if record is None:
                unreadable.add(file.path, number)
            elif record.get("kind") == "intent":
                yield number, record
    progress(max(file.size, opened.consumed(position)) - told)


def _next_line(lines: BinaryIO, file: RecordFile, unreadable: Unreadable, number: int) -> bytes:
    """Nothing also where a compressed file is damaged, which is told."""
    try:
        return lines.readline(LONGEST_LINE)
    except CompressedDamageError:
        unreadable.add(file.path, number)
        return b""


def _skip_line(lines: BinaryIO) -> int:
    """To the next line's beginning; answers how many bytes that was."""
    skipped = 0
    with suppress(CompressedDamageError):  # The next line is where it is told.
        while part := lines.readline(LONGEST_LINE):
            skipped += len(part)
            if part[-1] == 0x0A:
                break
    return skipped


def _record(line: bytes) -> Record | None:
    try:
        # A record has no blanks around it, and looking for them would cost a tenth of the reading.
        record, end = _decode(line.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and end == len(line) - 1 else None


def _days(chain: Path) -> Iterator[RecordFile]:
    for path, status in find_files(chain)[0].items():
        name = parse(path.name)
        # A link or a pipe that somebody put there is none of ours, and reading it might never end.
        if name is not None and S_ISREG(status.st_mode):
            yield RecordFile(path, name.day, status.st_size)
