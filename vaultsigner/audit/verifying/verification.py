"""Walks a chain from its first line to its last and tells the first thing that is wrong with it. In bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from vaultsigner.audit.anchors.anchor import size_in
from vaultsigner.audit.chain import DamagedChainError, Head
from vaultsigner.audit.checkpoint_records import MARK
from vaultsigner.audit.files.chain_files import (
    ChainFiles,
    DayFile,
    Line,
    Progress,
    UnreadableFileError,
    read_lines,
)
from vaultsigner.audit.files.file_names import in_order
from vaultsigner.audit.files.line_files import CompressedDamageError
from vaultsigner.audit.verifying.coverage import NOTES_KEPT, CheckpointFollower, Coverage, Demands, Position
from vaultsigner.audit.verifying.diagnosis import Scene, diagnose
from vaultsigner.audit.verifying.findings import Finding, Kind
from vaultsigner.audit.verifying.misnamed import misnamed
from vaultsigner.audit.verifying.noted_heads import NotedHead
from vaultsigner.audit.verifying.quick_check import ChainFollower
from vaultsigner.domain.merkle import Tree

Each = Callable[[bytes, bytes], None]
"""Is given a good line, with its newline, and its leaf's hash."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a chain is found to be.

    Args:
        files: how many have been read.
        confirmed: noted heads that the chain has.
        finding: None: nothing is wrong that the chain, its checkpoints and the noted heads could tell.
        coverage: what its checkpoints are worth.
        position: behind the last good record.
        notes: of files whose names do not fit their records, which is no damage to them.
    """

    chain: ChainFiles
    files: int
    confirmed: tuple[NotedHead, ...]
    finding: Finding | None
    coverage: Coverage
    position: Position
    notes: tuple[str, ...] = ()

    @property
    def head(self) -> Head:
        """The last good record."""
        return self.position.head

    @property
    def root(self) -> bytes:
        """Of the Merkle tree over the good records."""
        return Tree(self.head.seq, self.position.subtrees).root()

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return self.finding is None


def verify_chain(
    chain: ChainFiles,
    noted: Sequence[NotedHead] = (),
    *,
    demands: Demands = Demands(),  # noqa: B008 - it is frozen
    after: Position | None = None,
    progress: Progress = lambda _: None,
    each: Each | None = None,
) -> Verdict:
    """Check every line of a chain, its checkpoints, and that it has the records that were noted.

    Args:
        noted: of this chain.
        demands: what is asked of its checkpoints.
        after: the place that the files continue; None: they are there from the beginning.
        progress: is told how many bytes more have been read, now and then.
        each: is given every good line.

    Raises:
        AuditError: a file is no regular file any more.
    """
    walk = _Walk(chain, noted, after or Position(Head(chain.name)), demands)
    finding = walk.go(progress, each) or walk.cut() or walk.empty() or walk.unsigned()
    position = walk.checkpoints.position(walk.follower.head)
    coverage, notes = walk.checkpoints.coverage, tuple(walk.notes)
    return Verdict(chain, walk.files, tuple(walk.confirmed), finding, coverage, position, notes)


def missing_chain(noted: NotedHead) -> Finding:
    """A record was noted of a chain that is not there."""
    words = f"the record was {noted.how}, and there is no such chain"
    return Finding(Kind.CHAIN_MISSING, noted.chain or "", noted.source, 0, noted.seq, words)


class _Walk:
    def __init__(
        self, chain: ChainFiles, noted: Sequence[NotedHead], begin: Position, demands: Demands
    ) -> None:
        self.follower = ChainFollower(begin.head)
        self.checkpoints = CheckpointFollower(begin, demands)
        self.files = 0
        self.confirmed: list[NotedHead] = []
        self.notes: list[str] = []
        self._chain = chain
        self._waiting = sorted(noted, reverse=True)
        self._last_path: Path | None = None

    def go(self, progress: Progress, each: Each | None) -> Finding | None:
        for file in self._chain.files:
            unusable = self._unusable(file.path)
            if unusable is not None:
                return unusable
            self.files += 1
            try:
                finding = self._read(file, read_lines(file, progress), each)
            except CompressedDamageError as error:
                return self._cannot_unpack(file, error)
            except UnreadableFileError as error:
                return self._cannot_read(file, error)
            if finding is not None:
                return finding
        return self._unusable(None)

    def _unusable(self, before: Path | None) -> Finding | None:
        """What stands where a day's file belongs; `before`: the next file, None for the end."""
        found = self._chain.unusable[0] if self._chain.unusable else None
        if found is None or (before is not None and in_order((found.name, before.name))[0] != found.name):
            return None
        words = (
            "it has the name of a day's file, and is none: a link, a pipe or a directory; put the file itself there, or move "
            "it away where none belongs"
        )
        return Finding(Kind.FILE_UNUSABLE, self._chain.name, found, 0, self.follower.head.seq + 1, words)

    def _cannot_unpack(self, file: DayFile, error: CompressedDamageError) -> Finding:
        line, seq = error.lines + 1, self.follower.head.seq + 1
        return Finding(Kind.COMPRESSION, self._chain.name, file.path, line, seq, error.words)

    def _cannot_read(self, file: DayFile, error: UnreadableFileError) -> Finding:
        """Nothing is known of what is in it; other chains and anchors are looked at all the same."""
        words = f"it cannot be read: {error.words}"
        return Finding(Kind.FILE_UNUSABLE, self._chain.name, file.path, 0, self.follower.head.seq + 1, words)

    def cut(self) -> Finding | None:
        """A record was noted that comes after the last one."""
        if not self._waiting:
            return None
        noted, head = self._waiting[0], self.follower.head
        words = (
            f"record {head.seq} is the last, and record {noted.seq} was {noted.how}: the end was cut off, "
            "or all of it was rolled back to an older copy"
        )
        return Finding(Kind.CUT_OFF, self._chain.name, self._last_path, 0, head.seq + 1, words)

    def empty(self) -> Finding | None:
        """There is a directory, and nothing in it that could be judged: whoever emptied it would like to hear `intact`."""
        if self.follower.head.seq:
            return None
        words = "the directory holds no day's file with a record"
        if any(size_in(name) is not None for name in self._chain.others):
            words = "these are an anchor's checkpoints, not records: give them with --anchors DIRECTORY"
        return Finding(Kind.NO_RECORDS, self._chain.name, self._chain.directory, 0, 1, words)

    def unsigned(self) -> Finding | None:
        """A checkpoint was signed by a stranger, or the last one is too long ago."""
        uncovered = self.checkpoints.uncovered(self.follower.head, self._last_path)
        return self.checkpoints.unknown_key or uncovered

    def _read(self, file: DayFile, lines: Iterator[bytes], each: Each | None) -> Finding | None:
        follower, take = self.follower, self.follower.take
        add_leaf, add_hash = self.checkpoints.leaves.append, self.checkpoints.hashes.append
        stop = self._next_stop()
        first = line = b""
        for number, line in enumerate(lines, start=1):
            first = first or line
            try:
                take(line)
            except DamagedChainError as error:
                return self._diagnose(Line(file.path, number, line), error)
            leaf = sha256(b"\x00" + line[:-1]).digest()
            add_leaf(leaf)
            add_hash(follower.hash)
            self._last_path = file.path
            if MARK in line or follower.seq >= stop:
                finding = self._look_closer(line, file.path, number)
                if finding is not None:
                    return finding
                stop = self._next_stop()
            if each is not None:
                each(line, leaf)
        if first and len(self.notes) < NOTES_KEPT:
            self.notes += misnamed(file.path.name, first, line)
        return None

    def _next_stop(self) -> int:
        stop = self.checkpoints.next_stop
        return min(stop, self._waiting[-1].seq) if self._waiting else stop

    def _look_closer(self, line: bytes, path: Path, number: int) -> Finding | None:
        """At a checkpoint, a record that was noted, or a stop of the follower of checkpoints."""
        head = self.follower.head
        if head.seq >= self.checkpoints.next_stop:
            self.checkpoints.stop(head)
        finding = self._compare(path, number)
        if finding is None and MARK in line:
            finding = self.checkpoints.take(line, head, path, number)
        return finding

    def _diagnose(self, line: Line, error: DamagedChainError) -> Finding:
        return diagnose(Scene(self._chain, line, self.follower.head, self._last_path, error.damage))

    def _compare(self, path: Path, line: int) -> Finding | None:
        """The record at which we are was noted, perhaps more than once."""
        head = self.follower.head
        while self._waiting and self._waiting[-1].seq == head.seq:
            noted = self._waiting.pop()
            if noted.hash != head.hash or not self._has_root(noted):
                return Finding(Kind.REWRITTEN, self._chain.name, path, line, head.seq, self._rewritten(noted))
            self.confirmed.append(noted)
        return None

    def _has_root(self, noted: NotedHead) -> bool:
        if noted.root is None:
            return True
        tree = self.checkpoints.window.tree(noted.seq)
        return tree is not None and tree.root() == noted.root

    def _rewritten(self, noted: NotedHead) -> str:
        good = max(self.confirmed[-1].seq if self.confirmed else 0, self.checkpoints.coverage.signed)
        first = f"record {good + 1}" if good else "its beginning"
        return (
            f"all hashes are correct, and the record was {noted.how} with another one ({noted.hash[:16]}…): the chain was "
            f"written anew from somewhere between {first} and here on, or rolled back to an older copy and continued"
        )
