"""How the files of a chain are called, and in which order they stand. Pure.

A day begins in `2026-11-21.jsonl`; when that file has grown to its limit, it goes on in `2026-11-21.0002.jsonl`. A closed file
may be compressed, and then has `.gz` behind its name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from vaultsigner.errors import AuditError

LOCK_NAME = "lock"
GZIPPED = ".gz"
LARGEST_NUMBER = 999_999
_CHAIN = re.compile(r"[0-9a-f]{16}\Z")
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.(\d{4,6}))?\.jsonl(\.gz)?\Z", re.ASCII)
_BEING_MADE = ".new"


@dataclass(frozen=True, slots=True, order=True)
class FileName:
    """A file of a chain: its day (UTC), its number within that day, from 1, and whether it is compressed.

    Sorted, they stand in the order in which they were written.
    """

    day: date
    number: int = 1
    compressed: bool = False

    def __str__(self) -> str:
        """As it is in the directory."""
        number = "" if self.number == 1 else f".{self.number:04}"
        return f"{self.day}{number}.jsonl{GZIPPED if self.compressed else ''}"

    @property
    def plain(self) -> "FileName":
        """As it was written."""
        return replace(self, compressed=False)

    @property
    def gzipped(self) -> "FileName":
        """As it is called once it is compressed."""
        return replace(self, compressed=True)

    @property
    def being_made(self) -> str:
        """What the compressed one is called for as long as it is not known to be whole."""
        return f"{self.gzipped}{_BEING_MADE}"


def name_of(day: date, number: int) -> str:
    """The name of a day's first, second … file.

    Raises:
        AuditError: there is no such number.
    """
    if not 0 < number <= LARGEST_NUMBER:
        raise AuditError(f"a day has no file number {number}")
    return str(FileName(day, number))


def parse(name: str) -> FileName | None:
    """What a name says; None: it is not that of a file of records. Each file has one name only."""
    match = _NAME.match(name)
    if match is None:
        return None
    try:
        found = FileName(date.fromisoformat(match[1]), int(match[2] or 1), match[3] is not None)
    except ValueError:
        return None
    return found if found.number and str(found) == name else None


def in_order(names: Iterable[str]) -> list[str]:
    """Those that are of files of records, as they were written. A compressed one whose plain one is there too is left out.

    Both are there for the moment between the end of a compression and the removal of what was compressed.
    """
    found = sorted(name for name in map(parse, names) if name is not None)
    plain = {name for name in found if not name.compressed}
    return [str(name) for name in found if not name.compressed or name.plain not in plain]


def is_chain(name: str) -> bool:
    """Whether a directory of this name is one of a chain."""
    return _CHAIN.match(name) is not None


def is_passing(name: str) -> bool:
    """Whether a file is one that a chain's keeper has there for itself: its lock, or a compressed file that is being made."""
    if name.endswith(_BEING_MADE):
        made = parse(name.removesuffix(_BEING_MADE))
        return made is not None and made.compressed
    return name == LOCK_NAME
