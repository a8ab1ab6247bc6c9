"""What a verification finds: the first thing that is wrong with a chain or an anchor, its place and its kind."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What somebody did to a chain, its checkpoints or its anchors, as far as it shows."""

    ALTERED = "altered"
    DELETED = "deleted"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    DUPLICATED = "duplicated"
    TORN = "torn"
    SPLICED = "spliced from another chain"
    REPLACED = "replaced"
    EARLIER = "earlier than the record before"
    FILE_MISSING = "file missing"
    FILE_OF_ANOTHER_CHAIN = "file of another chain"
    FILE_UNUSABLE = "file unusable"
    COMPRESSION = "compressed file damaged"
    NO_RECORDS = "no records"
    CHAIN_MISSING = "chain missing"
    CUT_OFF = "cut off or rolled back"
    REWRITTEN = "rewritten"
    CHECKPOINT_WRONG = "checkpoint does not fit"
    CHECKPOINTS_MISSING = "checkpoints missing"
    SIGNATURE_BAD = "bad signature"
    KEY_UNKNOWN = "unknown key"
    ANCHOR_DAMAGED = "anchor damaged"
    FORKED = "forked"


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong with a chain; what comes after it was not judged.

    Args:
        path, line: the line at which it shows, from 1; None and 0: in no line. Of an anchor: its file, and 0.
        seq: the number of the record that is concerned.
        words: for the person who looks into it.
    """

    kind: Kind
    chain: str
    path: Path | None
    line: int
    seq: int
    words: str

    def __str__(self) -> str:
        """`FILE, line 3, record 7: deleted: …`."""
        place = (
            f"{self.path}, line {self.line}"
            if self.path is not None and self.line
            else self.path or self.chain
        )
        return f"{place}, record {self.seq:,}: {self.kind}: {self.words}"
