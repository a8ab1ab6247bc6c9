"""Checks the lines of a chain as strictly as `chain.verify_lines`, which judges whatever is not plain, and many times faster.

What costs most is to see that a line is the canonical form of its record. But records look alike. A line in which a zero stands
for each text and number is its outline; where an outline is canonical, so is every line that has it, because a text
of printable ASCII and a whole number have one form only. Outlines are few, and each is looked at once. The frequent ones become
patterns, which know a line with that outline, and what places it in the chain, in one go.
"""

import json
import re
from hashlib import sha256

from vaultsigner.audit.chain import VERSION, Head, canonical, verify_lines
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.record_time import read_record_time

OUTLINES_KEPT = 4096
PATTERNS_KEPT = 24
SEEN_BEFORE_A_PATTERN = 16
_SEAL_BYTES = len(b',"hash":""}\n') + 64
# A member's value: a text without quotation marks, backslashes and what JSON escapes, or a whole number of at most 18 digits.
_VALUE = re.compile(rb':(?:"[ !#-\[\]-~]*"|(?:0|[1-9][0-9]{0,17})(?=[,}]))')
_OUTLINED = re.compile(rb'("[^"]*"):0(?=[,}])')
_NAMES = ("chain", "prev", "seq", "time", "v")
# The same in a pattern. Nothing in it can be matched in two ways, and so nothing is tried twice.
_ANY_VALUE = rb'(?:"[ !#-\[\]-~]*+"|0|[1-9][0-9]{0,17}+)'
_PLACES: dict[bytes, bytes] = {
    b'"prev"': rb'"([0-9a-f]{64})"',
    b'"seq"': rb"([1-9][0-9]{0,17}+)",
    b'"time"': rb'"([0-9:T-]{17})([0-5][0-9])\.([0-9]{6})Z"',
    b'"v"': b"%d" % VERSION,
}
_SEAL = rb',"hash":"([0-9a-f]{64})"\}\n'
# Of a line whose outline is plain this asks no more than where those names stand: once each, and in no text.
_PLACED_LINE = (
    b",(?:.*,)?".join([rb'\{(?:.*,)?"chain":%b', *(b"%b:%b" % place for place in _PLACES.items())])
    + rb"(?:,.*)?"
    + _SEAL
)

Match = re.Match[bytes]


class _Pattern:
    """A frequent outline. `next` is the one that came after it the last time: records come in turns."""

    __slots__ = ("match", "next")

    def __init__(self, pattern: bytes) -> None:
        self.match = re.compile(pattern).fullmatch
        self.next = self


class ChainFollower:
    """Stands at the end of a chain and goes on by one line at a time.

    Args:
        head: where to begin: `Head(chain)` for the beginning.
    """

    def __init__(self, head: Head) -> None:
        self._outlines: dict[bytes, int] = {}
        self._patterns: list[_Pattern] = []
        self._latest: _Pattern | None = None
        self._minute: tuple[bytes, int] = (b"", 0)
        self._chain_value = json.dumps(head.chain).encode("ascii")
        self._placed_line = re.compile(_PLACED_LINE.replace(b"%b", re.escape(self._chain_value)), re.DOTALL)
        self._be_at(head)

    @property
    def head(self) -> Head:
        """After the last line taken."""
        return Head(self._chain, self.seq, self.hash.decode("ascii"), self._time_us)

    def take(self, line: bytes) -> None:
        """Go on to the next line (with its newline).

        Raises:
            DamagedChainError: it does not continue the chain, see `verify_lines`; the head stays where it was.
        """
        if not self._took_plain(line):
            self._be_at(verify_lines((line,), self.head) or self.head)

    def _be_at(self, head: Head) -> None:
        self.seq = head.seq
        self._chain, self.hash, self._time_us = head.chain, head.hash.encode("ascii"), head.time_us

    def _took_plain(self, line: bytes) -> bool:
        """Go on where all is well beyond doubt; False: look closer."""
        match = self._match(line)
        if match is None:
            return False
        prev, seq, minute, second, microsecond, digest = match.groups()
        if (
            prev != self.hash
            or int(seq) != self.seq + 1
            or sha256(line[:-_SEAL_BYTES] + b"}").hexdigest().encode() != digest
        ):
            return False
        known, begin_us = self._minute
        if minute != known:
            begin = read_record_time(f"{minute.decode()}00.000000Z")
            if begin is None:
                return False
            self._minute, begin_us = (minute, begin), begin
        time_us = begin_us + int(second) * 1_000_000 + int(microsecond)
        if time_us < self._time_us:
            return False
        self.seq += 1
        self.hash, self._time_us = digest, time_us
        return True

    def _match(self, line: bytes) -> Match | None:
        """What places the line in the chain, where its outline is a plain one; by the patterns first, the likeliest first."""
        latest = self._latest
        if latest is not None:
            match = latest.next.match(line)
            if match is not None:
                self._latest = latest.next
                return match
        for pattern in self._patterns:
            match = pattern.match(line)
            if match is not None:
                if latest is not None:
                    latest.next = pattern
                self._latest = pattern
                return match
        return self._match_by_outline(line)

    def _match_by_outline(self, line: bytes) -> Match | None:
        body = line[:-_SEAL_BYTES] + b"}"
        outline = _VALUE.sub(b":0", body)
        seen = self._outlines.get(outline)
        if seen is None:
            if len(self._outlines) >= OUTLINES_KEPT:
                self._outlines.clear()
            seen = int(is_plain_outline(outline))
        if not seen:
            self._outlines[outline] = 0
            return None
        self._outlines[outline] = seen + 1
        if seen == SEEN_BEFORE_A_PATTERN and len(self._patterns) < PATTERNS_KEPT:
            self._patterns.append(_Pattern(line_pattern(outline, self._chain_value)))
        return self._placed_line.fullmatch(line)


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
        and all(name in members and outline.count(b'"%b":' % name.encode()) == 1 for name in _NAMES)
    )


def line_pattern(outline: bytes, chain_value: bytes) -> bytes:
    """What every whole line with a plain outline is; its groups: the hash before, number, minute, second, microsecond, hash."""
    places = {**_PLACES, b'"chain"': re.escape(chain_value)}
    parts = _OUTLINED.split(outline[:-1] + b",")
    pattern = re.escape(parts[0])
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        pattern += re.escape(name) + b":" + places.get(name, _ANY_VALUE) + re.escape(rest)
    return pattern.removesuffix(b",") + _SEAL


def _has_colon(value: JsonValue) -> bool:
    if isinstance(value, str):
        return ":" in value
    if isinstance(value, dict):
        return any(":" in name or _has_colon(member) for name, member in value.items())
    return isinstance(value, list) and any(_has_colon(member) for member in value)
