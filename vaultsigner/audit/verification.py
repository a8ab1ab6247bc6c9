"""Walks a chain from its first line to its last and tells the first thing that is wrong with it. In bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaultsigner.audit.chain import DamagedChainError, Head
from vaultsigner.audit.chain_files import ChainFiles, DayFile, Line, Progress, read_lines
from vaultsigner.audit.diagnosis import Scene, diagnose
from vaultsigner.audit.findings import Finding, Kind
from vaultsigner.audit.noted_heads import NotedHead
from vaultsigner.audit.quick_check import ChainFollower


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a chain is found to be.

    Args:
        head: the last good record.
        files: how many have been read.
        confirmed: noted heads that the chain has.
        finding: None: nothing is wrong that the chain and the noted heads could tell.
    """

    chain: ChainFiles
    head: Head
    files: int
    confirmed: tuple[NotedHead, ...]
    finding: Finding | None

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return self.finding is None


def verify_chain(
    chain: ChainFiles,
    noted: Sequence[NotedHead] = (),
    *,
    after: Head | None = None,
    progress: Progress = lambda _: None,
    each: Callable[[bytes], None] | None = None,
) -> Verdict:
    """Check every line of a chain, and that it has the records that were noted.

    Args:
        noted: of this chain.
        after: the head that the files continue; None: they are there from the beginning.
        progress: is told how many bytes more have been read, now and then.
        each: is given every good line, with its newline.

    Raises:
        AuditError: a file cannot be read.
    """
    walk = _Walk(chain, sorted(noted), after or Head(chain.name))
    finding = walk.unusable() or walk.go(progress, each) or walk.cut()
    return Verdict(chain, walk.follower.head, walk.files, tuple(walk.confirmed), finding)


def missing_chain(noted: NotedHead) -> Finding:
    """A record was noted of a chain that is not there."""
    words = "the record was noted, and there is no such chain"
    return Finding(Kind.CHAIN_MISSING, noted.chain or "", None, 0, noted.seq, words)


class _Walk:
    def __init__(self, chain: ChainFiles, noted: list[NotedHead], after: Head) -> None:
        self.follower = ChainFollower(after)
        self.files = 0
        self.confirmed: list[NotedHead] = []
        self._chain = chain
        self._waiting = noted[::-1]
        self._last_path: Path | None = None

    def unusable(self) -> Finding | None:
        if not self._chain.unusable:
            return None
        words = "it has the name of a day's file, and is none: a link, a pipe or a directory"
        return Finding(Kind.FILE_UNUSABLE, self._chain.name, self._chain.unusable[0], 0, 1, words)

    def go(self, progress: Progress, each: Callable[[bytes], None] | None) -> Finding | None:
        for file in self._chain.files:
            self.files += 1
            finding = self._read(file, read_lines(file, progress), each)
            if finding is not None:
                return finding
        return None

    def cut(self) -> Finding | None:
        """A record was noted that comes after the last one."""
        if not self._waiting:
            return None
        noted, head = self._waiting[-1], self.follower.head
        words = (
            f"record {head.seq} is the last, and record {noted.seq} was noted: the end was cut off, "
            "or all of it was rolled back to an older copy"
        )
        return Finding(Kind.CUT_OFF, self._chain.name, self._last_path, 0, head.seq + 1, words)

    def _read(
        self, file: DayFile, lines: Iterator[bytes], each: Callable[[bytes], None] | None
    ) -> Finding | None:
        follower, take = self.follower, self.follower.take
        until = self._waiting[-1].seq if self._waiting else 0
        for number, line in enumerate(lines, start=1):
            try:
                take(line)
            except DamagedChainError as error:
                return self._diagnose(Line(file.path, number, line), error)
            if follower.seq == until:
                rewritten = self._compare(file.path, number)
                if rewritten is not None:
                    return rewritten
                until = self._waiting[-1].seq if self._waiting else 0
            if each is not None:
                each(line)
            self._last_path = file.path
        return None

    def _diagnose(self, line: Line, error: DamagedChainError) -> Finding:
        return diagnose(Scene(self._chain, line, self.follower.head, self._last_path, error.damage))

    def _compare(self, path: Path, line: int) -> Finding | None:
        """The record at which we are was noted, perhaps more than once."""
        head = self.follower.head
        while self._waiting and self._waiting[-1].seq == head.seq:
            noted = self._waiting.pop()
            if noted.hash != head.hash:
                return Finding(Kind.REWRITTEN, self._chain.name, path, line, head.seq, self._rewritten(noted))
            self.confirmed.append(noted)
        return None

    def _rewritten(self, noted: NotedHead) -> str:
        good = self.confirmed[-1].seq if self.confirmed else 0
        first = f"record {good + 1}" if good else "its beginning"
        return (
            f"all hashes are correct, and the record was noted with another one ({noted.hash[:16]}…): the chain was written anew "
            f"from somewhere between {first} and here on, or rolled back to an older copy and continued"
        )
