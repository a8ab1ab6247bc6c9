"""Heads that somebody noted earlier and kept where the chain's keeper could not change them.

A chain proves that nothing in it was changed since its last record was written, and nothing about that last record: its end can
be cut off, and all of it can be written anew. Neither fits a head that was noted before.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from vaultsigner.audit.chain import GENESIS
from vaultsigner.errors import AuditError

_NOTED = re.compile(r"(?:([0-9a-f]{16}):)?([1-9][0-9]{0,17}):([0-9a-f]{64})\Z")


class NotedHeadError(AuditError):
    """A noted head that cannot be read, or that could be of several chains."""


@dataclass(frozen=True, slots=True, order=True)
class NotedHead:
    """Record `seq` of a chain has this hash. `chain` is None where there is only one chain.

    Args:
        root: of the Merkle tree over records 1 to `seq`, where that was noted too.
        source: the anchor's file that says so; None: a person does.
    """

    seq: int
    hash: str
    chain: str | None = None
    root: bytes | None = field(default=None, compare=False)
    source: Path | None = field(default=None, compare=False)

    @property
    def how(self) -> str:
        """`noted`, or where it is anchored."""
        return "noted" if self.source is None else f"anchored in {self.source}"

    def __str__(self) -> str:
        """As it is read."""
        return f"{self.chain}:{self.seq}:{self.hash}" if self.chain else f"{self.seq}:{self.hash}"


def read_noted_head(text: str) -> NotedHead:
    """`1042:9f2c…` or `00000000000000aa:1042:9f2c…`.

    Raises:
        NotedHeadError: it is neither.
    """
    match = _NOTED.match(text.strip().lower())
    if match is None or match[3] == GENESIS:
        raise NotedHeadError(
            "a noted head is SEQ:HASH or CHAIN:SEQ:HASH, as `audit verify` prints it: "
            "a record's number and the 64 hexadecimal digits of its hash"
        )
    return NotedHead(int(match[2]), match[3], match[1])
