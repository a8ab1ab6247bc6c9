"""Follows a chain's checkpoints: how far they fit the records, how far they are signed, and where they were long in coming."""

from dataclasses import dataclass, replace
from pathlib import Path

from vaultsigner.audit.chain import Head
from vaultsigner.audit.checkpoint_records import (
    NOTHING_BEFORE,
    Before,
    CheckpointRecord,
    continues,
    fits,
    has_subtrees,
    is_checkpoint,
    read_checkpoint_record,
    what_is_wrong,
)
from vaultsigner.audit.verifying.findings import Finding, Kind
from vaultsigner.audit.verifying.tree_window import LATEST_SIZES, TreeWindow
from vaultsigner.audit.verifying.trust import judge
from vaultsigner.domain.checkpoints import CheckpointError
from vaultsigner.domain.record_time import record_time
from vaultsigner.domain.signed_notes import VerifierKey

CHECKPOINT_EVERY = 1000
LONGEST_WAIT_SECONDS = 90
"""The service signs every minute; it takes its time to ask Vault, and to write what came back."""
NOTES_KEPT = 5
_RECORDS_BETWEEN_SETTLINGS = 1024


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of checkpoints.

    Args:
        keys: one of them must have signed each; none: signatures are not looked at.
        every: how many records the service lets pass between two, as its `audit.checkpoint_every` says.
    """

    keys: tuple[VerifierKey, ...] = ()
    every: int = CHECKPOINT_EVERY


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a chain's checkpoints cover it.

    Args:
        checkpoints: how many fit the records.
        size: records 1 to `size` are those of the last that fits.
        signed: records 1 to `signed` are those of the last that one of the keys given signed.
        late: how often one was long in coming.
        notes: of the first few of these, and of other things that are no damage.
    """

    checkpoints: int = 0
    size: int = 0
    signed: int = 0
    late: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a chain from which a verification can go on.

    Args:
        subtrees: of the tree over the records up to here, as `domain.merkle.Tree` has them.
        before: the last checkpoint up to here.
        signed: see `Coverage`.
        waiting_since_us: the time of the first record behind the last checkpoint's.
    """

    head: Head
    subtrees: tuple[bytes, ...] = ()
    before: Before = NOTHING_BEFORE
    signed: int = 0
    waiting_since_us: int | None = None


class CheckpointFollower:
    """Is given the leaves and hashes of good records (into `leaves` and `hashes`), and told of those that may be checkpoints.

    `next_stop` is the number of the record at which it wants `stop` to be called.
    """

    def __init__(self, begin: Position, demands: Demands) -> None:
        self.window = TreeWindow(begin.head.seq, begin.subtrees)
        self.leaves = self.window.leaves
        self.hashes = [begin.head.hash.encode("ascii")]
        self.next_stop = begin.head.seq + 1
        self._stranger: Finding | None = None
        self._strangers = self._last_stranger = 0
        self._first_hash = begin.head.seq
        self._chain = begin.head.chain
        self._demands = demands
        self._before = begin.before
        self._signed = begin.signed
        self._waiting_since_us = begin.waiting_since_us
        self._checkpoints = self._late = 0
        self._notes: list[str] = []
        self._key: VerifierKey | None = None
        self._replaced: set[VerifierKey] = set()

    @property
    def coverage(self) -> Coverage:
        """So far."""
        return Coverage(self._checkpoints, self._before.size, self._signed, self._late, tuple(self._notes))

    @property
    def unknown_key(self) -> Finding | None:
        """The first checkpoint by a key that was not given, and how many more there are."""
        if self._stranger is None or self._strangers == 1:
            return self._stranger
        words = (
            f"{self._stranger.words}; so are {self._strangers:,} checkpoints in all, up to record {self._last_stranger:,}: "
            "add the older trust file with another --trust"
        )
        return replace(self._stranger, words=words)

    def position(self, head: Head) -> Position:
        """Where we are, behind the record whose head is given."""
        tree = self.window.tree(head.seq)
        subtrees = tree.subtrees if tree is not None else ()
        return Position(head, subtrees, self._before, self._signed, self._waiting_since_us)

    def stop(self, head: Head) -> None:
        """At the record after a checkpoint, and now and then."""
        if self._waiting_since_us is None:
            self._waiting_since_us = head.time_us
        self.window.settle()
        surplus = len(self.hashes) - LATEST_SIZES
        if surplus > LATEST_SIZES:
            del self.hashes[:surplus]
            self._first_hash += surplus
        self.next_stop = head.seq + _RECORDS_BETWEEN_SETTLINGS

    def take(self, line: bytes, head: Head, path: Path, number: int) -> Finding | None:
        """A record that may be a checkpoint: the head is the one behind it."""
        if not is_checkpoint(line):
            return None

        def finding(kind: Kind, words: str) -> Finding:
            return Finding(kind, self._chain, path, number, head.seq, words)

        try:
            record = read_checkpoint_record(line)
        except CheckpointError as error:
            return finding(Kind.CHECKPOINT_WRONG, str(error))
        wrong = what_is_wrong(record, self._chain, head.seq, self._before)
        if wrong is not None:
            return finding(Kind.CHECKPOINT_WRONG, wrong)
        key = record.signed.verified_by(self._demands.keys)
        bad = judge(record.signed, self._demands.keys) if self._demands.keys and key is None else None
        signed = key is not None
        misfit = self._misfit(record, signed=signed)
        if misfit is not None:
            return finding(*misfit)
        if bad is not None and bad.kind is not Kind.KEY_UNKNOWN:
            return finding(bad.kind, bad.words)
        if bad is not None:
            self._stranger = self._stranger or finding(bad.kind, bad.words)
            self._strangers, self._last_stranger = self._strangers + 1, record.tree_size
        self._accept(record, head, signed=signed)
        if key is not None:
            self._follow_key(key, record.tree_size)
        return None

    def uncovered(self, head: Head, path: Path | None) -> Finding | None:
        """What is to be said of the records behind the last checkpoint: with keys, too many unsigned ones are damage."""
        late = self._lateness(self._signed if self._demands.keys else self._before.size, head)
        if late is None:
            return None
        after = f"after record {self._before.size}" if self._before.size else "at all"
        if not self._demands.keys:
            self._note(f"no checkpoint came {after}: {late}")
            return None
        words = (
            f"no checkpoint with a good signature came {after}, {late}: the service could not have them signed, or the end was "
            "written anew without them"
        )
        return Finding(Kind.CHECKPOINTS_MISSING, self._chain, path, 0, min(self._signed + 1, head.seq), words)

    def _misfit(self, record: CheckpointRecord, *, signed: bool) -> tuple[Kind, str] | None:
        size = record.tree_size
        tree, place = self.window.tree(size), size - self._first_hash
        if tree is None or not 0 <= place < len(self.hashes):
            words = f"it stands too far behind record {size} to be checked: more than {LATEST_SIZES} records"
            return Kind.CHECKPOINT_WRONG, words
        if not fits(record, tree, self.hashes[place].decode("ascii")):
            where = f"between record {self._before.size + 1} and record {size}"
            words = f"it is for other records 1 to {size} than stand here: what differs is {where}"
            if signed:
                return (
                    Kind.REWRITTEN,
                    f"the checkpoint has a good signature, and {words}; all hashes are correct: written anew",
                )
            return Kind.CHECKPOINT_WRONG, words
        if not has_subtrees(record, tree):
            return Kind.CHECKPOINT_WRONG, f"its subtrees are not those of the records 1 to {size}"
        return self._break(record)

    def _break(self, record: CheckpointRecord) -> tuple[Kind, str] | None:
        """Between it and the checkpoint before."""
        if record.previous > self._before.size:
            words = f"it continues the one for {record.previous} records, which is not in the chain any more"
            return Kind.CHECKPOINTS_MISSING, words
        if record.previous < self._before.size or not continues(record, self._before):
            return Kind.CHECKPOINT_WRONG, f"it does not continue the one for {self._before.size} records"
        return None

    def _accept(self, record: CheckpointRecord, head: Head, *, signed: bool) -> None:
        late = self._lateness(self._before.size, Head(head.chain, record.tree_size, "", head.time_us))
        if late is not None:
            last = f"after that for {self._before.size:,} records" if self._before.size else "at first"
            self._late += 1
            self._note(f"a checkpoint was long in coming {last}: {late}")
        self._checkpoints += 1
        self._before = Before(record.tree_size, record.signed.checkpoint.root)
        self._signed = record.tree_size if signed else self._signed
        self._waiting_since_us = None
        self.next_stop = head.seq + 1

    def _follow_key(self, key: VerifierKey, size: int) -> None:
        """A key that another one has replaced signs no more: somebody kept an older version, or put an older Vault back."""
        if key in self._replaced and key != self._key:
            words = (
                f"the checkpoint for {size:,} records is signed by key {key.id.hex()} again, which another key had replaced "
                "before: ask who can still sign with it"
            )
            # Before those of checkpoints that were long in coming, which may be many.
            self._notes[:] = [words, *self._notes][:NOTES_KEPT]
        if self._key is not None and key != self._key:
            self._replaced.add(self._key)
        self._key = key

    def _lateness(self, covered: int, head: Head) -> str | None:
        """Where the records after `covered`, up to a head, were too many, or waited for too long."""
        records = head.seq - covered
        since = self._waiting_since_us
        seconds = 0 if since is None else (head.time_us - since) // 1_000_000
        if records <= 2 * self._demands.every and seconds <= LONGEST_WAIT_SECONDS:
            return None
        began = f", from {record_time(since)} on" if since is not None else ""
        return f"{records:,} records in {seconds:,} seconds{began}"

    def _note(self, words: str) -> None:
        if len(self._notes) < NOTES_KEPT:
            self._notes.append(words)
