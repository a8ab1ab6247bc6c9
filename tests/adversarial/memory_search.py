"""Looks for secrets in the memory of other processes, in every form that a program is likely to keep them in.

Source of the forms: the measurements behind custody's design, which found a used key in each of them at one time or another.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

HALF = 16
"""Keys are looked for by their halves: whoever kept one half of a key kept most of it."""
DIGIT_BITS = 30
"""CPython keeps an integer as digits of 30 bits, four bytes each, the least significant first."""

CAP_SYS_PTRACE = 19  # linux/capability.h
PAGE = 4096
LONGEST_NEEDLE = 1024

Needles = Mapping[str, bytes]
"""What is looked for, by a name that may stand in a failure's message: the needle itself must not."""


def forms_of_key(name: str, key: bytes) -> dict[str, bytes]:
    """A binary secret of at least 16 bytes: raw, in limbs, as an integer, in hex and base64."""
    forms = {}
    for half, part in {"end": key[-HALF:], "begin": key[:HALF]}.items():
        forms[f"{name}, raw, {half}"] = part
        forms[f"{name}, reversed, {half}"] = part[::-1]
        forms[f"{name}, hex, {half}"] = part.hex().encode()
        forms[f"{name}, HEX, {half}"] = part.hex().upper().encode()
    forms[f"{name}, integer"] = _digits(key)
    return forms | _base64(name, key)


def forms_of_text(name: str, text: str) -> dict[str, bytes]:
    """A secret that is text: as it is, as wide text, in hex and base64."""
    raw = text.encode()
    forms = {name: raw, f"{name}, hex": raw.hex().encode(), f"{name}, HEX": raw.hex().upper().encode()}
    forms[f"{name}, wide"] = text.encode("utf-16-le")
    return forms | _base64(name, raw)


def _base64(name: str, raw: bytes) -> dict[str, bytes]:
    """Where the secret stands inside something longer, its first bits share a character with what is before it."""
    return {
        f"{name}, base64 at {shift}": base64.b64encode(bytes(shift) + raw)[shift + (shift > 0) : -4]
        for shift in range(3)
    }


def _digits(key: bytes) -> bytes:
    number, mask = int.from_bytes(key), (1 << DIGIT_BITS) - 1
    digits = []
    while number:
        digits.append((number & mask).to_bytes(4, "little"))
        number >>= DIGIT_BITS
    return b"".join(digits[:-1])  # the last one is mostly zeros


def may_read_memory() -> bool:
    """Whether we may look into processes that protect themselves: in most containers, being root is not enough."""
    status = Path("/proc/self/status").read_text()
    effective = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return effective is not None and bool(int(effective[1], 16) >> CAP_SYS_PTRACE & 1)


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """The memory of a running process; see `may_read_memory`."""

    pid: int

    def find(self, needles: Needles) -> set[str]:
        """The names of those that are there now."""
        watch = MemoryWatch(self, needles)
        watch.look()
        return watch.found

    def regions(self) -> dict[int, bytes]:
        """A copy of everything that could hold a secret, by address. The process runs on meanwhile."""
        regions = {}
        with Path(f"/proc/{self.pid}/mem").open("rb", buffering=0) as memory:
            for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines():
                where, rights, _, _, inode, *_ = line.split()
                from_file = inode != "0" and "w" not in rights  # holds what the file holds and nothing else
                if "r" not in rights or from_file or re.search(r"\[v(var|syscall|dso)", line):
                    continue
                start, end = (int(number, 16) for number in where.split("-"))
                with suppress(OSError):  # gone since the map was read
                    memory.seek(start)
                    regions[start] = memory.read(end - start)
        return regions


class MemoryWatch:
    """Looks at a process again and again; after the first time only at what has changed since, which is quick."""

    def __init__(self, memory: ProcessMemory, needles: Needles) -> None:
        self._memory = memory
        self._needles = needles
        self._before: dict[int, bytes] = {}
        self.found: set[str] = set()
        self.looks = 0

    def look(self) -> None:
        """Add to `found` what is there now."""
        regions = self._memory.regions()
        for start, region in regions.items():
            for part in _changed(self._before.get(start, b""), region):
                self.found |= find_in(part, self._needles)
        self._before = regions
        self.looks += 1


def find_in(data: bytes, needles: Needles) -> set[str]:
    """The names of the needles that are in the data."""
    return {name for name, needle in needles.items() if needle in data}


def _changed(before: bytes, after: bytes) -> Iterator[bytes]:
    """The runs of pages that are not as they were, each with some bytes before and after it."""
    starts = range(0, len(after), PAGE)
    differ = [_holds_news(before[start : start + PAGE], after[start : start + PAGE]) for start in starts]
    for changed, run in groupby(zip(starts, differ, strict=True), key=itemgetter(1)):
        if changed:
            places = [start for start, _ in run]
            yield after[max(0, places[0] - LONGEST_NEEDLE) : places[-1] + PAGE + LONGEST_NEEDLE]


def _holds_news(before: bytes, page: bytes) -> bool:
    """Pages never used, and those that the allocator has poisoned, are one byte over and over."""
    return page not in (before, page[:1] * len(page))
