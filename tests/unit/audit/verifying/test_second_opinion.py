"""Checkpoints, anchors and proofs of a log of 10,000 records, judged by an implementation that shares nothing with ours."""

import json
from base64 import b64decode
from functools import cache
from typing import Any

import pytest

from tests.unit.audit.long_log import CHAIN
from tests.unit.audit.second_opinion import consistent, leaf, open_note, root_of_inclusion, root_over
from tests.unit.audit.signed_log import OURS, THEIRS, in_the_name_of, signed_log
from vaultsigner.audit.verifying.proofs import Root, check_proof
from vaultsigner.domain.merkle import Tree, consistency_ranges, inclusion_ranges, leaf_hash

LOG = signed_log()
LEAVES = [leaf(line.removesuffix(b"\n")) for line in LOG.lines]
VKEY = str(OURS.key)
RECORDS: list[dict[str, Any]] = [json.loads(LOG.lines[index]) for index in LOG.places]
SIZES = [record["tree_size"] for record in RECORDS]


@cache
def our_hash(begin: int, end: int) -> bytes:
    """Of some leaves, by our own tree."""
    tree = Tree()
    for line in LOG.lines[begin:end]:
        tree.add(leaf_hash(line[:-1]))
    return tree.root()


def test_every_checkpoint_in_the_chain() -> None:
    """The note is signed; it, the record, the lines before it and the checkpoint before say the same."""
    previous, previous_root = 0, b""
    for record in RECORDS:
        size, root = record["tree_size"], root_over(LEAVES[: record["tree_size"]])
        note = open_note(record["note"], VKEY)
        assert note is not None
        assert (note.origin, note.size, note.root) == (f"vaultsigner/audit/{CHAIN}", size, root)
        head = json.loads(LOG.lines[size - 1])["hash"]
        assert note.extensions[0] == f"head {head}"
        assert note.extensions[1].startswith("time 2026-11-2")
        assert (record["root"], record["head"], record["previous"]) == (root.hex(), head, previous)
        begin = 0
        for bit, subtree in zip(
            [bit for bit in reversed(range(size.bit_length())) if size >> bit & 1],
            record["subtrees"],
            strict=True,
        ):
            assert subtree == root_over(LEAVES[begin : begin + (1 << bit)]).hex()
            begin += 1 << bit
        path = [bytes.fromhex(step) for step in record["path"]]
        assert consistent(previous, previous_root, size, root, path) if previous else not path
        previous, previous_root = size, root


def test_every_document_of_an_anchor() -> None:
    """Read as C2SP tlog-witness has it."""
    roots = {0: b""}
    for document in LOG.anchored:
        head, note_text = document.text().split("\n\n", 1)
        first, *steps = head.split("\n")
        old = int(first.removeprefix("old "))
        note = open_note(note_text, VKEY)
        assert note is not None
        if old:
            assert consistent(old, roots[old], note.size, note.root, [b64decode(step) for step in steps])
            assert not consistent(old, note.root, note.size, note.root, [b64decode(step) for step in steps])
        roots[note.size] = note.root
    assert sorted(roots) == [0, *SIZES]


def test_a_note_of_another_key_is_none() -> None:
    checkpoint = LOG.anchored[0].signed.checkpoint
    assert open_note(str(OURS.sign(checkpoint)), VKEY) is not None
    assert open_note(str(THEIRS.sign(checkpoint)), VKEY) is None
    assert open_note(str(in_the_name_of(OURS, THEIRS, checkpoint)), VKEY) is None
    assert open_note(str(OURS.sign(checkpoint)).replace("\n49\n", "\n48\n"), VKEY) is None


def test_every_record_is_in_the_first_checkpoint_that_covers_it() -> None:
    """The proof is ours; the root is the signed one; the judge is another. Ours agrees with it."""
    begin = 0
    for record in RECORDS:
        note = open_note(record["note"], VKEY)
        assert note is not None
        for index in range(begin, note.size):
            path = [our_hash(*each) for each in inclusion_ranges(index, note.size)]
            line = LOG.lines[index][:-1]
            assert root_of_inclusion(leaf(line), index, note.size, path) == note.root, index
            proof = {
                "kind": "inclusion",
                "version": 1,
                "chain": CHAIN,
                "seq": index + 1,
                "tree_size": note.size,
            }
            document = {**proof, "path": [step.hex() for step in path], "record": line.decode()}
            assert (
                check_proof(json.dumps(document).encode(), Root(note.root, note.size)).record == line.decode()
            )
        begin = note.size
    assert begin == SIZES[-1] == len(LOG.lines) - 1


@pytest.mark.parametrize("last", [SIZES[-1], 8191, 8192, 8193])
def test_every_record_is_in_a_tree_over_all(last: int) -> None:
    root = root_over(LEAVES[:last])
    for index in range(last):
        path = [our_hash(*each) for each in inclusion_ranges(index, last)]
        assert root_of_inclusion(LEAVES[index], index, last, path) == root, index


def test_from_every_checkpoint_to_the_last() -> None:
    last = SIZES[-1]
    root = root_over(LEAVES[:last])
    for size in SIZES[:-1]:
        path = [our_hash(*each) for each in consistency_ranges(size, last)]
        assert consistent(size, root_over(LEAVES[:size]), last, root, path)
        wrong = [*path[:-1], bytes(32)]
        assert not consistent(size, root_over(LEAVES[:size]), last, root, wrong)


def test_a_path_that_is_cut_or_longer_leads_nowhere() -> None:
    last = SIZES[-1]
    root = root_over(LEAVES[:last])
    path = [our_hash(*each) for each in inclusion_ranges(4711, last)]
    for wrong in (path[:-1], [*path, bytes(32)], path[::-1], []):
        assert root_of_inclusion(LEAVES[4711], 4711, last, wrong) != root
