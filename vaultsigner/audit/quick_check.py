"""Checks the lines of a chain as strictly as `chain.verify_lines`, which judges whatever is not plain, and several times faster.

What costs most is to see that a line is the canonical form of its record. But records look alike. A line in which a zero stands
for each text and number is its outline; where an outline is canonical, so is every line that has it, because a text
of printable ASCII and a whole number have one form only. Outlines are few, and each is looked at once.
"""

import json
import re
from hashlib import sha256

from vaultsigner.audit.chain import VERSION, Head, canonical, verify_lines
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.record_time import read_record_time

OUTLINES_KEPT = 4096
_SEAL_BYTES = len(b',"hash":""}\n') + 64
# A member's value: a text without quotation marks, backslashes and what JSON escapes, or a whole number of at most 18 digits.
_VALUE = re.compile(rb':(?:"[ !#-\[\]-~]*"|(?:0|[1-9][0-9]{0,17})(?=[,}]))')
_PLACES = ("chain", "prev", "seq", "time", "v")
# The time's value: its minute, the second, the microsecond.
_TIME = re.compile(rb'"time":"([0-9:T-]{17})([0-5][0-9])\.([0-9]{6})Z"')


class ChainFollower:
    """Stands at the end of a chain and goes on by one line at a time.

    Args:
        head: where to begin: `Head(chain)` for the beginning.
    """

    def __init__(self, head: Head) -> None:
        self._outlines: dict[bytes, bool] = {}
        self._minute: tuple[bytes, int] = (b"", 0)
        self._be_at(head)

    @property
    def head(self) -> Head:
        """After the last line taken."""
        return Head(self._chain, self.seq, self._hash, self._time_us)

    def take(self, line: bytes) -> None:
        """Go on to the next line (with its newline).

        Raises:
            DamagedChainError: it does not continue the chain, see `verify_lines`; the head stays where it was.
        """
        if not self._took_plain(line):
            self._be_at(verify_lines((line,), self.head) or self.head)

    def _be_at(self, head: Head) -> None:
        self.seq = head.seq
        self._chain, self._hash, self._time_us = head.chain, head.hash, head.time_us
        self._chain_member = b'"chain":%b,' % json.dumps(head.chain).encode("ascii")

    def _took_plain(self, line: bytes) -> bool:
        """Go on where all is well beyond doubt; False: look closer."""
        body = line[:-_SEAL_BYTES] + b"}"
        digest = sha256(body).hexdigest()
        if (
            line[-_SEAL_BYTES:] != b',"hash":"%b"}\n' % digest.encode()
            # No text in a plain line has a quotation mark, and its outline has each of these names once: here they stand.
            or b'"prev":"%b",' % self._hash.encode() not in body
            or b'"seq":%d,' % (self.seq + 1) not in body
            or self._chain_member not in body
            or (b'"v":%d,' % VERSION not in body and b'"v":%d}' % VERSION not in body)
            or not self._is_plain(body)
        ):
            return False
        time_us = self._read_time(body)
        if time_us is None or time_us < self._time_us:
            return False
        self.seq += 1
        self._hash, self._time_us = digest, time_us
        return True

    def _is_plain(self, body: bytes) -> bool:
        outline = _VALUE.sub(b":0", body)
        known = self._outlines.get(outline)
        if known is None:
            if len(self._outlines) >= OUTLINES_KEPT:
                self._outlines.clear()
            known = self._outlines[outline] = is_plain_outline(outline)
        return known

    def _read_time(self, body: bytes) -> int | None:
        match = _TIME.match(body, body.rfind(b'"time":"'))
        if match is None:
            return None
        minute, begin_us = self._minute
        if match[1] != minute:
            begin = read_record_time(match[1].decode() + "00.000000Z")
            if begin is None:
                return None
            begin_us = begin
            self._minute = match[1], begin_us
        return begin_us + int(match[2]) * 1_000_000 + int(match[3])


def is_plain_outline(outline: bytes) -> bool:
    """Whether every line with this outline is canonical, with the members that place it in the chain once each.

    A colon in a name, or in a text that was left, could have been taken for the one before a value; a backslash hides where a
    text ends.
    """
    if b"\\" in outline:
        return False
    try:
        members = json.loads(outline)
        faithful = isinstance(members, dict) and canonical(members).encode("ascii") == outline
    except (ValueError, RecursionError):
        return False
    return (
        faithful
        and not _has_colon(members)
        and all(name in members and outline.count(b'"%b":' % name.encode()) == 1 for name in _PLACES)
    )


def _has_colon(value: JsonValue) -> bool:
    if isinstance(value, str):
        return ":" in value
    if isinstance(value, dict):
        return any(":" in name or _has_colon(member) for name, member in value.items())
    return isinstance(value, list) and any(_has_colon(member) for member in value)
