"""A proof for one record in no time: from the checkpoints before and behind it, and the few records between.

`proofs` reads the whole chain and verifies it on the way. Here the first checkpoint's subtrees are taken as they stand: they have
to lead, together with the records, to the root of the second, and no others do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from vaultsigner.audit.checkpoint_records import CheckpointRecord, is_checkpoint, read_checkpoint_record
from vaultsigner.audit.files.chain_files import ChainFiles
from vaultsigner.audit.files.record_lines import NoSuchRecordError, lines_from
from vaultsigner.audit.verifying.proofs import VERSION
from vaultsigner.domain.checkpoints import CheckpointError
from vaultsigner.domain.merkle import ProofError, Range, Tree, inclusion_ranges, leaf_hash, root_of_inclusion

MOST_LOOKED_THROUGH = 100_000
"""Records behind the one to prove. A checkpoint that stands further away is none of the usual."""


@dataclass(frozen=True, slots=True)
class QuickProof:
    """What there is to show for a record.

    Args:
        document: the proof, as `audit prove` writes it; None where there is none.
        checkpoint: the signed note that vouches for its root.
        why: there is none, for people.
    """

    document: dict[str, Any] | None = None
    checkpoint: str | None = None
    why: str | None = None


def quick_proof(chain: ChainFiles, seq: int) -> QuickProof:
    """The proof that a record is in the tree of the first checkpoint that covers it.

    Raises:
        NoSuchRecordError: the chain does not have it.
        AuditError: a file cannot be read.
    """
    following = lines_from(chain, seq)
    line = next(following)
    try:
        later = _covering(following, seq)
        if later is None:
            return QuickProof(why="No checkpoint covers this record yet: one is made every minute")
        return _proved(chain, seq, line, later)
    except (NoSuchRecordError, ProofError, CheckpointError, KeyError) as error:
        return QuickProof(
            why=f"The checkpoints do not fit the records; run vaultsigner audit verify ({error})"
        )


def _covering(following: Iterator[bytes], seq: int) -> CheckpointRecord | None:
    """The first checkpoint that has the record among its own."""
    for candidate in islice(following, MOST_LOOKED_THROUGH):
        found = _checkpoint(candidate)
        if found is not None and found.tree_size >= seq:
            return found
    return None


def _proved(chain: ChainFiles, seq: int, line: bytes, later: CheckpointRecord) -> QuickProof:
    signed, known = later.signed.checkpoint, later.previous
    if known >= seq or (signed.chain, signed.size) != (chain.name, later.tree_size):
        raise ProofError(
            f"the checkpoint of {later.tree_size} records says one thing and is signed for another"
        )
    subtrees, leaves = _between(chain, known, signed.size)
    path = [_hash(each, known, subtrees, leaves) for each in inclusion_ranges(seq - 1, signed.size)]
    if root_of_inclusion(leaf_hash(line[:-1]), seq - 1, signed.size, path) != signed.root:
        raise ProofError("the record does not lead to the root that was signed")
    document = {
        "kind": "inclusion",
        "version": VERSION,
        "chain": chain.name,
        "seq": seq,
        "tree_size": signed.size,
        "root": signed.root.hex(),
        "path": [step.hex() for step in path],
        "record": line[:-1].decode("ascii"),
    }
    return QuickProof(document, str(later.signed))


def _between(chain: ChainFiles, known: int, size: int) -> tuple[dict[Range, bytes], list[bytes]]:
    """The subtrees of the tree of `known` records by their ranges, and the leaves from there on, as hashes.

    The checkpoint that tells them stands behind record `known`, and before the one that covers `size`.
    """
    leaves: list[bytes] = []
    told: Sequence[str] | None = None if known else ()
    for line in lines_from(chain, known + 1):
        if len(leaves) < size - known:
            leaves.append(leaf_hash(line[:-1]))
        found = _checkpoint(line) if told is None else None
        if found is not None:
            if found.tree_size != known:
                break
            told = found.subtrees
        if told is not None and len(leaves) == size - known:
            tree = Tree(known, [bytes.fromhex(each) for each in told])
            return dict(zip(_ranges_of(known), tree.subtrees, strict=True)), leaves
    raise ProofError(f"the checkpoint of {known} records is not where it should be")


def _checkpoint(line: bytes) -> CheckpointRecord | None:
    try:
        return read_checkpoint_record(line) if is_checkpoint(line) else None
    except (ValueError, RecursionError):
        return None


def _ranges_of(size: int) -> list[Range]:
    """The complete subtrees of a tree, largest first."""
    ranges: list[Range] = []
    begin = 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            ranges.append((begin, begin + (1 << bit)))
            begin += 1 << bit
    return ranges


def _hash(wanted: Range, known: int, subtrees: dict[Range, bytes], leaves: Sequence[bytes]) -> bytes:
    """The root over a range of a path. What lies before `known` is one of its subtrees, or begins with some of them."""
    begin, end = wanted
    if end <= known:
        return subtrees[wanted]
    inner = [found for (start, _), found in sorted(subtrees.items()) if start >= begin]
    tree = Tree(known - begin, inner) if begin < known else Tree()
    for leaf in leaves[max(begin - known, 0) : end - known]:
        tree.add(leaf)
    return tree.root()
