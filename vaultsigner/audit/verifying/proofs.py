"""Proofs about a chain that need nothing but themselves and a root that is known: that one record is in it, that it only grew.

A root is told as `SIZE:HASH`: the number of records and the root of the Merkle tree over their lines (see `domain.merkle`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vaultsigner.audit.chain import DamagedChainError, Head, read_line
from vaultsigner.audit.files.chain_files import ChainFiles, Progress, read_lines
from vaultsigner.audit.verifying.verification import Verdict, verify_chain
from vaultsigner.domain.merkle import (
    ProofError,
    Range,
    SubtreeHashes,
    Tree,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    root_of_inclusion,
    roots_of_consistency,
)

VERSION = 1
LARGEST_PROOF_BYTES = 64 * 1024 * 1024
_ROOT = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True)
class Root:
    """Of the tree over the first `size` records. A hash alone would not do: a path may fit it in trees of several sizes."""

    hash: bytes
    size: int

    def __str__(self) -> str:
        """As it is read."""
        return f"{self.size}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Proved:
    """What a good proof shows.

    Args:
        chain: as the record's own line names it; None: nothing in the proof shows it, and the roots' source must.
        record: the line, for a proof that it is there.
        first_size: the smaller tree's, for a proof that the chain only grew.
    """

    chain: str | None
    size: int
    record: str | None = None
    head: Head | None = None
    first_size: int | None = None


class _Leaves:
    """Takes the lines of a chain and keeps what roots and proofs are made of."""

    def __init__(self, ranges: Sequence[Range], size: int | None, index: int | None = None) -> None:
        self.subtrees = SubtreeHashes(ranges)
        self.tree = Tree()
        self.record: bytes | None = None
        self._size = size
        self._index = index

    def take(self, line: bytes, leaf: bytes) -> None:
        number = self.tree.size
        if number != self._size:
            if number == self._index:
                self.record = line[:-1]
            self.tree.add(leaf)
            self.subtrees.add(leaf)

    def path(self, ranges: Sequence[Range]) -> list[str]:
        return [self.subtrees.found[each].hex() for each in ranges]


def read_root(text: str) -> Root:
    """`1042:9f2c…`.

    Raises:
        ProofError: it is none; a hash without the number of records is not enough.
    """
    match = _ROOT.match(text.strip().lower())
    if match is None:
        raise ProofError(
            "a root is SIZE:HASH, as `audit root` prints it: the hash alone does not say of how many records"
        )
    return Root(bytes.fromhex(match[2]), int(match[1]))


def root_of(
    chain: ChainFiles, size: int | None = None, progress: Progress = lambda _: None
) -> tuple[Verdict, Root | None]:
    """The root over a chain's first `size` records, or all; None where the chain is damaged. The chain is verified on the way.

    Raises:
        ProofError: it has fewer records.
        AuditError: a file cannot be read.
    """
    leaves = _Leaves((), size)
    verdict = verify_chain(chain, progress=progress, each=leaves.take if size is not None else None)
    if not verdict.intact:
        return verdict, None
    if size is None:
        return verdict, Root(verdict.root, verdict.head.seq)
    _require_size(leaves.tree, size)
    return verdict, Root(leaves.tree.root(), leaves.tree.size)


def prove_record(
    chain: ChainFiles, seq: int, size: int | None = None, progress: Progress = lambda _: None
) -> tuple[Verdict, dict[str, Any] | None]:
    """A proof that a record is among the first `size`; None where the chain is damaged, which is verified on the way.

    Raises:
        ProofError: there is no such record.
        AuditError: a file cannot be read.
    """
    size = size if size is not None else _count_lines(chain)
    if seq > size:
        raise ProofError(f"there is no record {seq}: a tree of {size} records has no leaf {seq - 1}")
    ranges = inclusion_ranges(seq - 1, size)
    leaves = _Leaves(ranges, size, seq - 1)
    verdict = verify_chain(chain, progress=progress, each=leaves.take)
    if not verdict.intact:
        return verdict, None
    _require_size(leaves.tree, size)
    if leaves.record is None:
        raise ProofError(f"there is no record {seq}")
    return verdict, {
        "kind": "inclusion",
        "version": VERSION,
        "chain": chain.name,
        "seq": seq,
        "tree_size": size,
        "root": leaves.tree.root().hex(),
        "path": leaves.path(ranges),
        "record": leaves.record.decode("ascii"),
    }


def prove_growth(
    chain: ChainFiles, first_size: int, size: int | None = None, progress: Progress = lambda _: None
) -> tuple[Verdict, dict[str, Any] | None]:
    """A proof that the first `first_size` records are the beginning of the first `size`; None where the chain is damaged.

    Raises:
        ProofError: it has fewer records.
        AuditError: a file cannot be read.
    """
    size = size if size is not None else _count_lines(chain)
    ranges = consistency_ranges(first_size, size)
    leaves = _Leaves([*ranges], size)
    beginning = _Leaves((), first_size)

    def take(line: bytes, leaf: bytes) -> None:
        leaves.take(line, leaf)
        beginning.take(line, leaf)

    verdict = verify_chain(chain, progress=progress, each=take)
    if not verdict.intact:
        return verdict, None
    _require_size(leaves.tree, size)
    return verdict, {
        "kind": "consistency",
        "version": VERSION,
        "chain": chain.name,
        "first_size": first_size,
        "first_root": beginning.tree.root().hex(),
        "tree_size": size,
        "root": leaves.tree.root().hex(),
        "path": leaves.path(ranges),
    }


def check_proof(text: bytes, root: Root, first: Root | None = None) -> Proved:
    """What a proof shows, when it fits the root that is known; what the proof itself says of roots counts for nothing.

    Args:
        root: of the tree, known from elsewhere.
        first: of the smaller tree, for a proof that the chain only grew.

    Raises:
        ProofError: it shows nothing, and why.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ProofError("the proof is no JSON document") from None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ProofError("the document is no proof of a version that is known here")
    size = _whole(document, "tree_size")
    if root.size != size:
        raise ProofError(f"the proof is for a tree of {size} records, the root for one of {root.size}")
    match document.get("kind"):
        case "inclusion":
            return _check_record(document, size, root)
        case "consistency" if first is not None:
            return _check_growth(document, size, root, first)
        case "consistency":
            raise ProofError("the proof is about two roots: the one of the smaller tree is needed as well")
    raise ProofError("the document is neither a proof of inclusion nor one of consistency")


def _check_record(document: Mapping[str, Any], size: int, root: Root) -> Proved:
    chain, record, seq = _text(document, "chain"), _text(document, "record"), _whole(document, "seq")
    line = record.encode("utf-8", "backslashreplace")
    try:
        head, _ = read_line(line + b"\n")
    except DamagedChainError as error:
        raise ProofError(f"the record in the proof is none: {error.damage}") from None
    if (head.chain, head.seq) != (chain, seq):
        raise ProofError(f"the record is {head.chain}:{head.seq}, and not {chain[:64]}:{seq}")
    if root_of_inclusion(leaf_hash(line), seq - 1, size, _path(document)) != root.hash:
        raise ProofError("the record and its path do not lead to that root")
    return Proved(chain, size, record, head)


def _check_growth(document: Mapping[str, Any], size: int, root: Root, first: Root) -> Proved:
    first_size = _whole(document, "first_size")
    if first.size != first_size:
        raise ProofError(
            f"the proof begins with a tree of {first_size} records, the root given is for one of {first.size}"
        )
    roots = roots_of_consistency(first_size, size, first.hash, _path(document))
    if roots != (first.hash, root.hash):
        raise ProofError("the path does not lead to those roots")
    return Proved(None, size, first_size=first_size)


def _count_lines(chain: ChainFiles) -> int:
    return sum(1 for file in chain.files for _ in read_lines(file))


def _require_size(tree: Tree, size: int | None) -> None:
    if size is not None and tree.size != size:
        raise ProofError(f"the chain has {tree.size} records, and not {size}")


def _whole(document: Mapping[str, Any], name: str) -> int:
    value = document.get(name)
    if type(value) is not int or not 0 < value < 2**63:
        raise ProofError(f"{name} is no number of records")
    return value


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise ProofError(f"{name} is no text")
    return value


def _path(document: Mapping[str, Any]) -> list[bytes]:
    path = document.get("path")
    if not isinstance(path, list) or not all(isinstance(step, str) for step in path):
        raise ProofError("path is no list of hashes")
    try:
        return [bytes.fromhex(step) for step in path]
    except ValueError:
        raise ProofError("path is no list of hashes") from None
