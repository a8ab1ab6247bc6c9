"""The hash chain, pure: how a record becomes a line, and how lines prove that none was changed, lost or added.

A line is the canonical JSON of a record (members sorted by name, no blanks, ASCII alone) with `hash` as its last member: the
SHA-256 of that canonical JSON without `hash`. `prev` holds the hash of the record before; the first has 64 zeros.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.record_time import read_record_time, record_time
from vaultsigner.errors import AuditError

VERSION = 1
GENESIS = "0" * 64

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode
_SEAL = re.compile(rb',"hash":"([0-9a-f]{64})"\}\n\Z')
_SEAL_BYTES = len(b',"hash":""}\n') + 64


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: its last record's number, hash and time (microseconds since 1970), or the state before any."""

    chain: str
    seq: int = 0
    hash: str = GENESIS
    time_us: int = 0


class Damage(StrEnum):
    """What is wrong with a line."""

    TORN = "torn: the line has no end"
    UNREADABLE = "unreadable: not a record in canonical form"
    ALTERED = "altered: the hash does not fit the record"
    UNLINKED = "unlinked: `prev` is not the hash of the record before"
    OUT_OF_ORDER = "out of order: the number does not follow the record before"
    OTHER_CHAIN = "another chain's record"
    EARLIER = "earlier than the record before"


class DamagedChainError(AuditError):
    """A line that breaks the chain.

    Args:
        damage: what kind.
        line: its number among the lines given, from 1.
        seq: the number it has, or should have had where it cannot be read.
    """

    def __init__(self, damage: Damage, *, line: int, seq: int) -> None:
        super().__init__(f"line {line}, record {seq}: {damage}")
        self.damage = damage
        self.line = line
        self.seq = seq


def canonical(members: Mapping[str, JsonValue]) -> str:
    """The one JSON text of a record.

    Raises:
        ValueError, TypeError: for what JSON has no form for.
    """
    return _encode(members)


def seal(members: Mapping[str, JsonValue], head: Head, now_us: int) -> tuple[bytes, Head]:
    """The line that makes a record the next one after `head`, and the new head.

    The record's time never goes back: where the clock did, the time before is repeated.
    """
    seq, time_us = head.seq + 1, max(now_us, head.time_us)
    placed: dict[str, JsonValue] = {
        "v": VERSION,
        "chain": head.chain,
        "seq": seq,
        "time": record_time(time_us),
        "prev": head.hash,
    }
    body = canonical({**members, **placed})
    digest = sha256(body.encode("ascii")).hexdigest()
    line = f'{body[:-1]},"hash":"{digest}"}}\n'.encode("ascii")
    return line, Head(head.chain, seq, digest, time_us)


def verify_lines(lines: Iterable[bytes], after: Head | None = None) -> Head | None:
    """Check that lines (each with its newline) continue a chain, without a gap, from `after` or from its beginning.

    Returns:
        The head after the last line; `after` when there are no lines.

    Raises:
        DamagedChainError: at the first line that does not fit.
    """
    head = after
    for number, line in enumerate(lines, start=1):
        try:
            head, prev, before = *read_line(line), head
        except DamagedChainError as error:
            expected = head.seq + 1 if head else 1
            raise DamagedChainError(error.damage, line=number, seq=error.seq or expected) from None
        damage = _misplaced(head, prev, before or Head(head.chain))
        if damage is not None:
            raise DamagedChainError(damage, line=number, seq=head.seq)
    return head


def read_line(line: bytes) -> tuple[Head, str]:
    """The head of the chain that ends with this line, and the line's `prev`. The line is checked by itself.

    Raises:
        DamagedChainError: torn, unreadable or altered; `seq` is 0 where it cannot be read.
    """
    if not line.endswith(b"\n"):
        raise DamagedChainError(Damage.TORN, line=1, seq=0)
    sealed = _SEAL.search(line[-_SEAL_BYTES:])
    body = line[:-_SEAL_BYTES] + b"}"
    members = _members(body)
    if sealed is None or members is None:
        raise DamagedChainError(Damage.UNREADABLE, line=1, seq=0)
    head, prev = _placed(members, sealed[1].decode("ascii"))
    if sha256(body).hexdigest() != head.hash:
        raise DamagedChainError(Damage.ALTERED, line=1, seq=head.seq)
    return head, prev


def _misplaced(head: Head, prev: str, before: Head) -> Damage | None:
    if head.chain != before.chain:
        return Damage.OTHER_CHAIN
    if head.seq != before.seq + 1:
        return Damage.OUT_OF_ORDER
    if prev != before.hash:
        return Damage.UNLINKED
    return Damage.EARLIER if head.time_us < before.time_us else None


def _members(body: bytes) -> dict[str, JsonValue] | None:
    """The record, when `body` is its canonical form: a second spelling could mean another thing to another reader."""
    try:
        members = json.loads(body)
        faithful = isinstance(members, dict) and canonical(members).encode("ascii") == body
    except (ValueError, RecursionError):
        return None
    return members if faithful else None


def _placed(members: Mapping[str, JsonValue], digest: str) -> tuple[Head, str]:
    version, chain, seq, time, prev = (members.get(name) for name in ("v", "chain", "seq", "time", "prev"))
    if type(version) is int and version == VERSION and type(seq) is int and isinstance(chain, str):
        time_us = read_record_time(str(time))
        if time_us is not None and isinstance(prev, str):
            return Head(chain, seq, digest, time_us), prev
    raise DamagedChainError(Damage.UNREADABLE, line=1, seq=0)
