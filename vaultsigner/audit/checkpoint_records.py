"""A chain's own checkpoints: what a record of kind `checkpoint` says, and whether it is true of the records before it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vaultsigner.domain.checkpoints import (
    CheckpointError,
    SignedCheckpoint,
    consistent,
    read_checkpoint,
)
from vaultsigner.domain.merkle import Tree

MARK = b'"kind":"checkpoint"'
"""In the line of every checkpoint; a line that has it may still be another record, with such a member further inside."""


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """What the record says beside the signed note; it may be false.

    Args:
        subtrees: the complete subtrees of the tree of that size, largest first.
        previous: the size of the checkpoint before; 0: there is none.
        path: RFC 6962, section 2.1.2, from `previous` to the checkpoint's size.
    """

    signed: SignedCheckpoint
    tree_size: int
    root: str
    head: str
    subtrees: tuple[str, ...]
    previous: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """The checkpoint before, of which all was true. `size` 0: there was none."""

    size: int = 0
    root: bytes = b""


NOTHING_BEFORE = Before()


def is_checkpoint(line: bytes) -> bool:
    """Whether an intact line is a checkpoint's."""
    return MARK in line and json.loads(line).get("kind") == "checkpoint"


def read_checkpoint_record(line: bytes) -> CheckpointRecord:
    """What an intact line of kind `checkpoint` says.

    Raises:
        CheckpointError: a member is missing, or is not what it should be.
    """
    members: Mapping[str, Any] = json.loads(line)
    note = members.get("note")
    if not isinstance(note, str):
        raise CheckpointError("it has no signed note")
    signed = read_checkpoint(note)
    size, previous = members.get("tree_size"), members.get("previous")
    if type(size) is not int or type(previous) is not int:
        raise CheckpointError("its sizes are no numbers")
    try:
        path = tuple(bytes.fromhex(step) for step in _texts(members, "path"))
    except ValueError:
        raise CheckpointError("its path is no list of hashes") from None
    root, head = str(members.get("root")), str(members.get("head"))
    return CheckpointRecord(signed, size, root, head, tuple(_texts(members, "subtrees")), previous, path)


def what_is_wrong(record: CheckpointRecord, chain: str, seq: int, before: Before) -> str | None:
    """Whether the record agrees with itself and its place; None: it does.

    Args:
        seq: the record's own number.
    """
    checkpoint = record.signed.checkpoint
    if (checkpoint.chain, checkpoint.size, checkpoint.root.hex(), checkpoint.head) != (
        chain,
        record.tree_size,
        record.root,
        record.head,
    ):
        return "its signed note says another thing than the record: another chain, size, root or head"
    if not before.size < checkpoint.size < seq:
        return f"it is for records 1 to {checkpoint.size}, the one before it was for {before.size}, and it is record {seq}"
    return None


def fits(record: CheckpointRecord, tree: Tree, head: str) -> bool:
    """Whether its root and head are those of the records that stand here."""
    checkpoint = record.signed.checkpoint
    return (checkpoint.root, checkpoint.head) == (tree.root(), head)


def has_subtrees(record: CheckpointRecord, tree: Tree) -> bool:
    """Whether its subtrees are those of the tree."""
    return record.subtrees == tuple(each.hex() for each in tree.subtrees)


def continues(record: CheckpointRecord, before: Before) -> bool:
    """Whether its path leads from the checkpoint before to it."""
    if before.size == 0:
        return not record.path
    return consistent(before.size, before.root, record.signed.checkpoint, record.path)


def _texts(members: Mapping[str, Any], name: str) -> list[str]:
    texts = members.get(name)
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise CheckpointError(f"its {name} is no list of hashes")
    return texts
