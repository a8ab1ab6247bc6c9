"""A proof for one record in no time: from the checkpoints before and behind it, and the few records between.

`proofs` reads the whole chain and verifies it on the way. Here the first checkpoint's subtrees are taken as they stand: they have
to lead, together with the records, to the root of the second, and no others do.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from vaultsigner.audit.chain_files import ChainFiles
from vaultsigner.audit.proofs import VERSION
from vaultsigner.audit.record_lines import NoSuchRecordError, lines_from
from vaultsigner.domain.merkle import ProofError, Range, Tree, inclusion_ranges, leaf_hash, root_of_inclusion
from vaultsigner.errors import AuditError

MOST_LOOKED_THROUGH = 100_000
"""Records behind the one to prove. A checkpoint that stands further away is none of the usual."""
_MARK = b'"kind":"checkpoint"'


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
        later = _covering(line, following, seq)
        if later is None:
            return QuickProof(why="No checkpoint covers this record yet: one is made every minute")
        return _proved(chain, seq, line, later)
    except (NoSuchRecordError, ProofError, KeyError, TypeError, ValueError) as error:
        return QuickProof(
            why=f"The checkpoints do not fit the records; run vaultsigner audit verify ({error})"
        )


def _covering(line: bytes, following: Iterator[bytes], seq: int) -> dict[str, Any] | None:
    """The first checkpoint that has the record among its own."""
    for candidate in islice(following, MOST_LOOKED_THROUGH):
        if _MARK in candidate:
            record = json.loads(candidate)
            if record["kind"] == "checkpoint" and record["tree_size"] >= seq:
                return dict(record)
    return None


def _proved(chain: ChainFiles, seq: int, line: bytes, later: dict[str, Any]) -> QuickProof:
    size, known = int(later["tree_size"]), int(later["previous"])
    subtrees, leaves = _between(chain, known, size)
    ranges = inclusion_ranges(seq - 1, size)
    if known >= seq:
        raise ProofError(f"the checkpoint of {size} follows one that has the record already")
    path = [_hash(each, known, subtrees, leaves) for each in ranges]
    root = bytes.fromhex(later["root"])
    if root_of_inclusion(leaf_hash(line[:-1]), seq - 1, size, path) != root:
        raise ProofError("the record does not lead to the root that was signed")
    document = {
        "kind": "inclusion",
        "version": VERSION,
        "chain": chain.name,
        "seq": seq,
        "tree_size": size,
        "root": root.hex(),
        "path": [step.hex() for step in path],
        "record": line[:-1].decode("ascii"),
    }
    return QuickProof(document, str(later["note"]))


def _between(chain: ChainFiles, known: int, size: int) -> tuple[dict[Range, bytes], list[bytes]]:
    """The subtrees of the tree of `known` records by their ranges, and the leaves from there on, as hashes."""
    leaves: list[bytes] = []
    told: Sequence[str] | None = None if known else ()
    for line in lines_from(chain, known + 1):
        if len(leaves) < size - known:
            leaves.append(leaf_hash(line[:-1]))
        if told is None and _MARK in line:
            record = json.loads(line)
            told = record["subtrees"] if record.get("tree_size") == known else None
        if told is not None and len(leaves) == size - known:
            break
        if len(leaves) == size - known and told is None and len(leaves) > MOST_LOOKED_THROUGH:
            break
    if told is None or len(leaves) != size - known:
        raise AuditError(f"the checkpoint of {known} records is not where it should be")
    subtrees = [bytes.fromhex(each) for each in told]
    return dict(zip(_ranges_of(known), Tree(known, subtrees).subtrees, strict=True)), leaves


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
