"""A log of 10,000 records with checkpoints, as a service leaves it behind: five days, one of them in two files, some compressed.

The records of checkpoints are made by the service's own code; the key is made up for the tests.
"""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from nacl.signing import SigningKey

from tests.unit.audit.long_log import CHAIN, entry_of
from vaultsigner.audit.anchors.anchor import name_for
from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.checkpoint_entry import Checkpointed
from vaultsigner.audit.checkpoint_records import Before
from vaultsigner.audit.verifying.coverage import Position
from vaultsigner.audit.verifying.noted_heads import NotedHead
from vaultsigner.audit.writing.chain_tree import ChainState
from vaultsigner.domain.checkpoints import KEY_NAME, AnchorDocument, Checkpoint, SignedCheckpoint
from vaultsigner.domain.merkle import Growth, Tree, leaf_hash
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.record_time import read_record_time
from vaultsigner.domain.signed_notes import NoteSignature, SignedNote, VerifierKey, sign_note

RECORDS, EVERY, LAG = 10_000, 50, 3
_BEGIN_US = read_record_time("2026-11-20T08:00:00.000000Z") or 0
_DAY_US = 86_400 * 1_000_000
_STEP_US = 400_000
RECORDS_A_DAY = 2_000
FILES = (
    "2026-11-20.jsonl.gz",
    "2026-11-21.jsonl.gz",
    "2026-11-21.0002.jsonl.gz",
    "2026-11-22.jsonl.gz",
    "2026-11-23.jsonl",
    "2026-11-24.jsonl",
)
ENDS = (2_000, 3_100, 4_000, 6_000, 8_000, RECORDS)
"""The records at which the files end."""


@dataclass(frozen=True)
class Signer:
    """A key for checkpoints."""

    secret: SigningKey

    @property
    def key(self) -> VerifierKey:
        """Its public half."""
        return VerifierKey(KEY_NAME, bytes(self.secret.verify_key))

    def sign(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        """As custody does."""
        text = checkpoint.text()
        return SignedCheckpoint(
            checkpoint, sign_note(text, self.key, self.secret.sign(text.encode()).signature)
        )


OURS, THEIRS = Signer(SigningKey(b"o" * 32)), Signer(SigningKey(b"t" * 32))
"""The service's, and that of somebody who would like to be it."""


def in_the_name_of(signer: Signer, forger: Signer, checkpoint: Checkpoint) -> SignedCheckpoint:
    """Signed by the forger, with the id of the other's key."""
    signature = forger.secret.sign(checkpoint.text().encode()).signature
    named = NoteSignature(KEY_NAME, signer.key.id, signature)
    return SignedCheckpoint(checkpoint, SignedNote(checkpoint.text(), (named,)))


@dataclass(frozen=True)
class SignedLog:
    """A chain's lines, the head after each, and what anchors were given."""

    lines: tuple[bytes, ...]
    heads: tuple[Head, ...]
    anchored: tuple[AnchorDocument, ...]
    places: tuple[int, ...]
    """The indexes of the checkpoints' lines."""

    @cached_property
    def positions(self) -> list[Position]:
        """Where a verification with the key stands before each line."""
        tree, position = Tree(), Position(Head(self.heads[0].chain))
        positions = [position]
        documents = dict(zip(self.places, self.anchored, strict=True))
        for index, (line, head) in enumerate(zip(self.lines, self.heads, strict=True)):
            tree.add(leaf_hash(line[:-1]))
            before, signed, waiting = position.before, position.signed, position.waiting_since_us
            waiting = head.time_us if waiting is None else waiting
            if index in documents:
                checkpoint = documents[index].signed.checkpoint
                before, signed, waiting = Before(checkpoint.size, checkpoint.root), checkpoint.size, None
            position = Position(head, tree.subtrees, before, signed, waiting)
            positions.append(position)
        return positions

    @cached_property
    def safe(self) -> list[int]:
        """For each line one, at or before it, from which a verification can begin: no checkpoint behind it is for less."""
        safe = list(range(len(self.lines) + 1))
        for index, document in zip(self.places, self.anchored, strict=True):
            size = document.signed.checkpoint.size
            safe[size + 1 : index + 1] = [size] * (index - size)
        return safe

    @property
    def noted(self) -> list[NotedHead]:
        """What the anchors say, without files."""
        found = [document.signed.checkpoint for document in self.anchored]
        return [NotedHead(each.size, each.head, each.chain, each.root, Path("anchor")) for each in found]


class Scribe:
    """Writes records and checkpoints one after another, from a place in a log on."""

    def __init__(self, chain: str = CHAIN, *, after: Position | None = None, signer: Signer = OURS) -> None:
        self.lines: list[bytes] = []
        self.heads: list[Head] = []
        self.documents: list[AnchorDocument] = []
        self.places: list[int] = []
        self._signer = signer
        position = after or Position(Head(chain))
        self._head = position.head
        self._growth = Growth(Tree(position.head.seq, position.subtrees))

    @property
    def seq(self) -> int:
        """The last record's number."""
        return self._head.seq

    def state(self) -> ChainState:
        """What a checkpoint would be for."""
        tree, path = self._growth.tree, tuple(self._growth.path())
        return ChainState(
            self._head.chain,
            tree.size,
            tree.root(),
            self._head.hash,
            tree.subtrees,
            self._growth.base_size,
            path,
        )

    def record(self, note: str = "") -> None:
        """The next record, of some kind; `note` makes it another."""
        self._seal(entry_of(self._head.seq, note).members())

    def checkpoint(self, state: ChainState, signed: SignedCheckpoint | None = None) -> None:
        """For a state of some records ago; signed by the signer unless it is given."""
        if signed is None:
            signed = self._signer.sign(
                Checkpoint(state.chain, state.size, state.root, state.head, time_of(self._head.seq))
            )
        base = Growth(Tree(state.size, state.subtrees))
        for line in self.lines[len(self.lines) - (self._head.seq - state.size) :]:
            base.add(leaf_hash(line[:-1]))
        self.places.append(len(self.lines))
        self.documents.append(AnchorDocument(state.old_size, state.path, signed))
        self._growth = base
        self._seal(Checkpointed(state, signed, None).members())

    def checkpoint_line(self, state: ChainState, signed: SignedCheckpoint) -> bytes:
        """What a checkpoint would be as the next record."""
        return seal(Checkpointed(state, signed, None).members(), self._head, time_of(self._head.seq))[0]

    def copy(self, lines: Sequence[bytes], heads: Sequence[Head]) -> None:
        """Records as they stand elsewhere."""
        for line, self._head in zip(lines, heads, strict=True):
            self._add(line)

    def log(self) -> SignedLog:
        """What was written."""
        return SignedLog(tuple(self.lines), tuple(self.heads), tuple(self.documents), tuple(self.places))

    def _seal(self, members: dict[str, JsonValue]) -> None:
        line, self._head = seal(members, self._head, time_of(self._head.seq))
        self._add(line)

    def _add(self, line: bytes) -> None:
        self._growth.add(leaf_hash(line[:-1]))
        self.lines.append(line)
        self.heads.append(self._head)


def time_of(index: int) -> int:
    """When a record is written."""
    day, at = divmod(index, RECORDS_A_DAY)
    return _BEGIN_US + day * _DAY_US + at * _STEP_US


@cache
def signed_log(chain: str = CHAIN, note: str = "", records: int = RECORDS) -> SignedLog:
    """The log; the same each time. Every other checkpoint comes some records late, as under load; each day ends with one."""
    scribe = Scribe(chain)
    while len(scribe.lines) < records:
        left = RECORDS_A_DAY - len(scribe.lines) % RECORDS_A_DAY
        last = left <= EVERY + LAG + 1
        for _ in range(left - 1 if last else EVERY - 1):
            scribe.record(note)
        state = scribe.state()
        for _ in range(LAG if len(scribe.places) % 2 and not last else 0):
            scribe.record(note)
        scribe.checkpoint(state)
    return scribe.log()


def write_files(directory: Path, lines: Sequence[bytes], chain: str = CHAIN) -> Path:
    """A chain's directory with these lines in the log's files, each of which ends at the same line as ever."""
    path = directory / chain
    path.mkdir(parents=True, exist_ok=True)
    begin = 0
    for name, end in zip(FILES, (*ENDS[:-1], len(lines)), strict=True):
        write_file(path / name, lines[begin:end])
        begin = end
    return path


def write_file(path: Path, lines: Iterable[bytes]) -> None:
    """A file of records, compressed if its name says so; none, if there are no lines."""
    data = b"".join(lines)
    if data:
        path.write_bytes(gzip.compress(data, 1, mtime=0) if path.suffix == ".gz" else data)


def write_anchor(directory: Path, documents: Iterable[AnchorDocument]) -> Path:
    """What an anchor keeps."""
    for document in documents:
        checkpoint = document.signed.checkpoint
        path = directory / checkpoint.chain / name_for(checkpoint.size)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document.text(), encoding="utf-8")
    return directory
