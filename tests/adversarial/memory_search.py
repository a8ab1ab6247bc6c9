"""Looks for secrets in the memory of other processes, in every form that a program is likely to keep them in.

Source of the forms: the measurements behind custody's design, which found a used key in each of them at one time or another.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

HALF = 16
"""Keys are looked for by their halves: whoever kept one half of a key kept most of it."""
DIGIT_BITS = 30
"""CPython keeps an integer as digits of 30 bits, four bytes each, the least significant first."""

Needles = Mapping[str, bytes]
"""What is looked for, by a name that may stand in a failure's message: the needle itself must not."""


def forms_of_key(name: str, key: bytes) -> dict[str, bytes]:
    """A binary secret of at least 16 bytes: raw, in limbs, as an integer, in hex and base64, as wide text."""
    forms = {}
    for half, part in (("begin", key[:HALF]), ("end", key[-HALF:])):
        forms[f"{name}, raw, {half}"] = part
        forms[f"{name}, reversed, {half}"] = part[::-1]
        forms[f"{name}, hex, {half}"] = part.hex().encode()
        forms[f"{name}, HEX, {half}"] = part.hex().upper().encode()
    forms[f"{name}, integer"] = _digits(key)
    return forms | _base64(name, key) | _wide(name, key.hex())


def forms_of_text(name: str, text: str) -> dict[str, bytes]:
    """A secret that is text: as it is, in hex and base64, as wide text."""
    raw = text.encode()
    forms = {name: raw, f"{name}, hex": raw.hex().encode(), f"{name}, HEX": raw.hex().upper().encode()}
    return forms | _base64(name, raw) | _wide(name, text)


def _base64(name: str, raw: bytes) -> dict[str, bytes]:
    """Where the secret stands inside something longer, its first bits share a character with what is before it."""
    return {
        f"{name}, base64 at {shift}": base64.b64encode(bytes(shift) + raw)[shift + (shift > 0) : -4]
        for shift in range(3)
    }


def _wide(name: str, text: str) -> dict[str, bytes]:
    return {f"{name}, {code}": text.encode(code) for code in ("utf-16-le", "utf-32-le")}


def _digits(key: bytes) -> bytes:
    number, mask = int.from_bytes(key), (1 << DIGIT_BITS) - 1
    digits = []
    while number:
        digits.append((number & mask).to_bytes(4, "little"))
        number >>= DIGIT_BITS
    return b"".join(digits[:-1])  # the last one is mostly zeros


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """The memory of a running process; reading that of a protected one takes root's rights."""

    pid: int

    @property
    def readable(self) -> bool:
        """Whether we may look at all."""
        try:
            with Path(f"/proc/{self.pid}/mem").open("rb"):
                return True
        except PermissionError:
            return False

    def find(self, needles: Needles) -> set[str]:
        """The names of those that are there now. The process runs on meanwhile."""
        found: set[str] = set()
        for region in self._regions():
            found |= find_in(region, {name: each for name, each in needles.items() if name not in found})
        return found

    def _regions(self) -> Iterable[bytes]:
        with Path(f"/proc/{self.pid}/mem").open("rb", buffering=0) as memory:
            for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines():
                where, rights, _, _, inode, *_ = line.split()
                from_file = inode != "0" and "w" not in rights  # holds what the file holds and nothing else
                if "r" not in rights or from_file or re.search(r"\[v(var|syscall|dso)", line):
                    continue
                start, end = (int(number, 16) for number in where.split("-"))
                try:
                    memory.seek(start)
                    yield memory.read(end - start)
                except OSError:
                    continue  # gone since the map was read


def find_in(data: bytes, needles: Needles) -> set[str]:
    """The names of the needles that are in the data."""
    return {name for name, needle in needles.items() if needle in data}
