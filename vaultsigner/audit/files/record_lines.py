"""Finds one record of a chain by its number, without reading the files before it."""

import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice

from vaultsigner.audit.files.chain_files import ChainFiles, DayFile, read_lines
from vaultsigner.errors import AuditError


class NoSuchRecordError(AuditError):
    """The chain does not have it."""


def lines_from(chain: ChainFiles, seq: int) -> Iterator[bytes]:
    """The lines of a chain from record `seq` on, each with its newline; half a line at the end is left out.

    Raises:
        NoSuchRecordError: there is no such record, or it is not in its place.
        AuditError: a file cannot be read.
    """
    files = [file for file in chain.files if file.size]
    number = bisect_right(files, seq, key=first_seq) - 1
    if number < 0:
        raise NoSuchRecordError(f"there is no record {seq} in chain {chain.name}")
    lines = islice(_lines(files[number:]), seq - first_seq(files[number]), None)
    line = next(lines, None)
    if line is None or seq_of(line) != seq:
        raise NoSuchRecordError(f"there is no record {seq} in chain {chain.name}, or not in its place")
    return _from(line, lines)


def _from(line: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    yield line
    yield from lines


def _lines(files: list[DayFile]) -> Iterator[bytes]:
    for file in files:
        for line in read_lines(file):
            if line.endswith(b"\n"):
                yield line


def first_seq(file: DayFile) -> int:
    """The number of a file's first record; 0 where that is none."""
    line = next(read_lines(file), b"")
    return seq_of(line)


def seq_of(line: bytes) -> int:
    """A line's number; one that is no record's comes before all others."""
    try:
        seq = json.loads(line)["seq"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
    return seq if isinstance(seq, int) else 0
