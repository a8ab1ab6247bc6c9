"""What anchors keep, read back as files: a directory anchor, or a copy of a bucket's objects. Believed as far as it is proved.

Each file by itself: it is a checkpoint of the chain and size that its name says, and, where keys are given, one of them signed
it. All of an anchor: each checkpoint leads from the one before it (RFC 6962, 2.1.2) and was signed after it, so the chain only
grew. All anchors: no two of them have different histories. What fails by itself is told, and is not held against the chain.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from stat import S_ISREG

from vaultsigner.audit.anchors.anchor import LARGEST_DOCUMENT, name_for, read_kept, size_in
from vaultsigner.audit.verifying.findings import Finding, Kind
from vaultsigner.audit.verifying.noted_heads import NotedHead
from vaultsigner.audit.verifying.trust import judge
from vaultsigner.domain.checkpoints import AnchorDocument, CheckpointError
from vaultsigner.domain.merkle import ProofError, roots_of_consistency
from vaultsigner.domain.record_time import record_time
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import AuditError

_CHAIN = re.compile(r"[0-9a-f]{16}\Z")
FINDINGS_KEPT = 100


@dataclass(frozen=True, slots=True)
class Anchored:
    """A checkpoint of a chain as an anchor keeps it."""

    size: int
    root: bytes
    head: str
    time_us: int
    directory: Path

    @property
    def path(self) -> Path:
        """Its file."""
        return self.directory / name_for(self.size)


@dataclass(frozen=True, slots=True)
class AnchoredChain:
    """What one anchor keeps of one chain.

    Args:
        checkpoints: those that are to be believed, by their sizes.
        linked: how many of them are proved to go on from the one before.
        gaps: links that cannot be checked, for the checkpoint before is not there.
        findings: the first of what is wrong.
    """

    chain: str
    anchor: Path
    checkpoints: tuple[Anchored, ...]
    linked: int
    gaps: tuple[str, ...]
    findings: tuple[Finding, ...]


def read_anchor(anchor: Path, keys: Sequence[VerifierKey]) -> tuple[AnchoredChain, ...]:
    """All chains that an anchor keeps checkpoints of, wherever below the directory they lie.

    Args:
        keys: one of them must have signed each checkpoint; none: signatures are not looked at.

    Raises:
        AuditError: the directory cannot be read, or keeps no checkpoints.
    """
    chains = tuple(_read_chain(anchor, directory, keys) for directory in _chain_directories(anchor))
    if not chains:
        raise AuditError(
            f"there are no checkpoints in {anchor}: name the directory that holds the chains' directories"
        )
    return chains


def forks(chains: Iterable[AnchoredChain]) -> Iterator[Finding]:
    """Checkpoints of several anchors that cannot be of one history, by what they say or by when they were signed."""
    chains = tuple(chains)
    yield from _other_roots(chains)
    yield from _other_order(chains)


def _other_roots(chains: Iterable[AnchoredChain]) -> Iterator[Finding]:
    known: dict[tuple[str, int], Anchored] = {}
    for each in chains:
        for checkpoint in each.checkpoints:
            other = known.setdefault((each.chain, checkpoint.size), checkpoint)
            if (other.root, other.head) != (checkpoint.root, checkpoint.head):
                words = f"{other.path} has another root for as many records: there are two histories of this chain"
                yield Finding(Kind.FORKED, each.chain, checkpoint.path, 0, checkpoint.size, words)


def _other_order(chains: Iterable[AnchoredChain]) -> Iterator[Finding]:
    """The first of each chain; what one anchor by itself contradicts is told there."""
    by_chain: dict[str, list[Anchored]] = {}
    for each in chains:
        by_chain.setdefault(each.chain, []).extend(each.checkpoints)
    for chain, checkpoints in by_chain.items():
        for smaller, larger in pairwise(sorted(checkpoints, key=lambda found: (found.size, found.time_us))):
            if (
                smaller.size < larger.size
                and smaller.time_us > larger.time_us
                and smaller.directory != larger.directory
            ):
                yield _signed_backwards(chain, larger, smaller)
                break


def anchored_heads(chains: Iterable[AnchoredChain]) -> Iterator[NotedHead]:
    """What a chain must have to be the one that was anchored."""
    for each in chains:
        for found in each.checkpoints:
            yield NotedHead(found.size, found.head, each.chain, found.root, found.path)


def _chain_directories(anchor: Path) -> list[Path]:
    if not anchor.is_dir():
        raise AuditError(f"{anchor}: there is no such directory")
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise AuditError(f"{error.filename}: {error.strerror}") from error

    for directory, _, names in os.walk(anchor, onerror=refuse):
        path = Path(directory)
        name = path.resolve().name
        if _CHAIN.match(name) and any(size_in(each) is not None for each in names):
            found.append(path)
    return sorted(found)


def _read_chain(anchor: Path, directory: Path, keys: Sequence[VerifierKey]) -> AnchoredChain:
    chain = directory.resolve().name
    checkpoints: dict[int, Anchored] = {}
    findings: list[Finding] = []
    gaps: list[str] = []
    linked = 0
    for size in sorted(_sizes(directory)):
        path = directory / name_for(size)
        try:
            document = _read(path, chain, size, keys)
            linked += _link(document, checkpoints, path, gaps)
        except _BadAnchorError as error:
            findings.append(Finding(error.kind, chain, path, 0, size, str(error)))
        else:
            found = document.signed.checkpoint
            last = next(reversed(checkpoints.values())) if checkpoints else None
            checkpoints[size] = Anchored(size, found.root, found.head, found.time_us, directory)
            if last is not None and last.time_us > found.time_us:
                findings.append(_signed_backwards(chain, checkpoints[size], last))
    kept = tuple(checkpoints.values())
    return AnchoredChain(chain, anchor, kept, linked, tuple(gaps[:FINDINGS_KEPT]), _told(findings))


def _told(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The first, and all that a stranger signed: after a change of the key those are told in one line, by their number."""
    seen: Counter[bool] = Counter()
    kept = []
    for finding in findings:
        unknown = finding.kind is Kind.KEY_UNKNOWN
        seen[unknown] += 1
        if unknown or seen[unknown] <= FINDINGS_KEPT:
            kept.append(finding)
    return tuple(kept)


def _signed_backwards(chain: str, larger: Anchored, smaller: Anchored) -> Finding:
    """Both are kept: a chain has to have what both say."""
    words = (
        f"forked or rolled back: the checkpoint of {larger.size:,} records was signed before that of {smaller.size:,} "
        f"({record_time(larger.time_us)}, {record_time(smaller.time_us)}, {smaller.path}), and a chain only grows"
    )
    return Finding(Kind.FORKED, chain, larger.path, 0, larger.size, words)


class _BadAnchorError(AuditError):
    def __init__(self, kind: Kind, words: str) -> None:
        super().__init__(words)
        self.kind = kind


def _sizes(directory: Path) -> list[int]:
    try:
        return [size for path in directory.iterdir() if (size := size_in(path.name)) is not None]
    except OSError as error:
        raise AuditError(f"{directory}: {error.strerror}") from error


def _read(path: Path, chain: str, size: int, keys: Sequence[VerifierKey]) -> AnchorDocument:
    try:
        if not S_ISREG(path.lstat().st_mode):
            raise _BadAnchorError(Kind.ANCHOR_DAMAGED, "it is a link, a pipe or a directory, and no file")
        with path.open("rb") as file:
            document = read_kept(file.read(LARGEST_DOCUMENT + 1), chain, size)
    except OSError as error:
        raise _BadAnchorError(Kind.ANCHOR_DAMAGED, f"it cannot be read: {error.strerror}") from error
    except CheckpointError as error:
        raise _BadAnchorError(Kind.ANCHOR_DAMAGED, str(error)) from None
    bad = judge(document.signed, keys) if keys else None
    if bad is not None:
        raise _BadAnchorError(bad.kind, bad.words)
    return document


def _link(document: AnchorDocument, known: dict[int, Anchored], path: Path, gaps: list[str]) -> bool:
    """Whether it is proved to go on from the checkpoint that it names, which no later one may contradict."""
    size, old = document.signed.checkpoint.size, document.old_size
    last = next(reversed(known.values())) if known else None
    if old in known:
        if not document.grew_from(known[old].root):
            words = (
                f"its path does not lead from the {old:,} records of {known[old].path.name} to its own {size:,}: "
                "the chain did not only grow, or the file was put together"
            )
            raise _BadAnchorError(Kind.FORKED, words)
        if last is not None and last.size != old:
            gaps.append(f"{path}: it goes on from {old:,} records; nothing links those for {last.size:,}")
        return True
    if old:
        if not _possible(document):
            raise _BadAnchorError(
                Kind.ANCHOR_DAMAGED, f"its path does not lead from any {old:,} records to its own {size:,}"
            )
        gaps.append(f"{path}: it goes on from {old:,} records, and the checkpoint for those is not there")
    elif last is not None:
        gaps.append(f"{path}: it goes on from nothing, and there is a checkpoint for {last.size:,} before it")
    return False


def _possible(document: AnchorDocument) -> bool:
    """Whether the path leads to the checkpoint's root from anything. Where it begins with the older root, it says so itself."""
    size, old = document.signed.checkpoint.size, document.old_size
    if old & (old - 1) == 0:
        return True
    try:
        _, newer = roots_of_consistency(old, size, b"", document.path)
    except ProofError:
        return False
    return newer == document.signed.checkpoint.root
