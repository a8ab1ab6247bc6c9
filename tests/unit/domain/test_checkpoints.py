"""Checkpoints and anchor documents: one spelling each, and a path that proves growth."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from vaultsigner.domain.checkpoints import (
    KEY_NAME,
    AnchorDocument,
    Checkpoint,
    CheckpointError,
    SignedCheckpoint,
    read_anchor_document,
    read_checkpoint,
    read_text,
)
from vaultsigner.domain.merkle import Growth, ProofError, Tree, leaf_hash
from vaultsigner.domain.signed_notes import VerifierKey, sign_note

SEED = SigningKey(b"test key: signs checkpoints.....")
KEY = VerifierKey(KEY_NAME, bytes(SEED.verify_key))
CHAIN = "00000000000000aa"
TIME_US = 1_795_248_930_123_456


def tree_of(size: int) -> Tree:
    tree = Tree()
    for number in range(size):
        tree.add(leaf_hash(b"%d" % number))
    return tree


def signed_checkpoint(tree: Tree) -> SignedCheckpoint:
    head = sha256(b"%d" % tree.size).hexdigest()
    checkpoint = Checkpoint(CHAIN, tree.size, tree.root(), head, TIME_US)
    text = checkpoint.text()
    return SignedCheckpoint(checkpoint, sign_note(text, KEY, SEED.sign(text.encode()).signature))


def document(first: int, second: int) -> AnchorDocument:
    growth = Growth(tree_of(first))
    for number in range(first, second):
        growth.add(leaf_hash(b"%d" % number))
    return AnchorDocument(first, tuple(growth.path()), signed_checkpoint(growth.tree))


def test_checkpoint_is_text_that_people_can_read() -> None:
    signed = signed_checkpoint(tree_of(3))
    origin, size, _, head, time, blank, signature, end = str(signed).split("\n")
    assert (origin, size, blank, end) == (f"vaultsigner/audit/{CHAIN}", "3", "", "")
    assert head == f"head {signed.checkpoint.head}"
    assert time == "time 2026-11-21T08:15:30.123456Z"
    assert signature.startswith("— vaultsigner/audit ")
    assert read_checkpoint(str(signed)) == signed
    assert signed.verified_by([KEY]) == KEY


@given(st.integers(0, 70), st.integers(1, 70))
def test_path_shows_that_the_chain_only_grew(first: int, added: int) -> None:
    anchored = document(first, first + added)
    assert read_anchor_document(anchored.text()) == anchored
    if first:
        assert anchored.grew_from(tree_of(first).root())
        assert not anchored.grew_from(tree_of(first + 1).root())
        assert not anchored.grew_from(leaf_hash(b"another"))


@given(st.integers(0, 70), st.integers(0, 70))
def test_tree_goes_on_from_its_subtrees(size: int, added: int) -> None:
    whole, kept = tree_of(size + added), tree_of(size)
    again = Tree(size, kept.subtrees)
    for number in range(size, size + added):
        again.add(leaf_hash(b"%d" % number))
    assert (again.size, again.root(), again.subtrees) == (whole.size, whole.root(), whole.subtrees)


@pytest.mark.parametrize(("size", "subtrees"), [(1, []), (0, [bytes(32)]), (3, [bytes(32)]), (1, [b"short"])])
def test_subtrees_of_another_size_are_no_tree(size: int, subtrees: list[bytes]) -> None:
    with pytest.raises(ProofError):
        Tree(size, subtrees)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("vaultsigner/audit/00", "vaultsigner/audit/0"),
        ("\n3\n", "\n03\n"),
        ("\n3\n", "\n0\n"),
        ("\n3\n", "\n-3\n"),
        ("head ", "head 0"),
        ("time 2026-11-21", "time 2026-11-31"),
        ("time 2026", "time 2026-"),
        (".123456Z\n", ".123456Z\nmore\n"),
        ("head ", "Head "),
    ],
)
def test_no_checkpoint(old: str, new: str) -> None:
    text = signed_checkpoint(tree_of(3)).checkpoint.text()
    assert old in text
    with pytest.raises(CheckpointError):
        read_text(text.replace(old, new))


def test_root_has_one_spelling() -> None:
    """The last character of 32 bytes in base64 has two bits that say nothing."""
    text = signed_checkpoint(tree_of(3)).checkpoint.text()
    root = text.split("\n")[2]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = root[:42] + alphabet[alphabet.index(root[42]) ^ 1] + "="
    with pytest.raises(CheckpointError):
        read_text(text.replace(root, twin))


@pytest.mark.parametrize("change", ["old 4\n", "old 03\n", "old -3\n", "new 3\n", "old 9\n", "old 0\n"])
def test_no_anchor_document(change: str) -> None:
    with pytest.raises(CheckpointError):
        read_anchor_document(document(3, 8).text().replace("old 3\n", change))


def test_path_that_is_cut_or_longer_is_no_anchor_document() -> None:
    text = document(3, 8).text()
    lines = text.split("\n")
    for changed in (
        [lines[0], *lines[2:]],
        [lines[0], lines[1], *lines[1:]],
        [lines[0], lines[1][:-4], *lines[2:]],
    ):
        with pytest.raises(CheckpointError):
            read_anchor_document("\n".join(changed))
