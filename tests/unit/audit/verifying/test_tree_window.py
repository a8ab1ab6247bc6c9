"""The tree of any of the latest sizes is what growing one leaf at a time makes of it."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaultsigner.audit.verifying import tree_window
from vaultsigner.audit.verifying.tree_window import TreeWindow
from vaultsigner.domain.merkle import ProofError, Tree

LEAVES = [sha256(b"%d" % number).digest() for number in range(700)]


def grown(size: int) -> Tree:
    tree = Tree()
    for leaf in LEAVES[:size]:
        tree.add(leaf)
    return tree


def same(ours: Tree | None, size: int) -> bool:
    theirs = grown(size)
    return (
        ours is not None
        and (ours.size, ours.subtrees) == (size, theirs.subtrees)
        and ours.root() == theirs.root()
    )


def test_every_size_of_a_growing_tree() -> None:
    window = TreeWindow()
    for size in range(300):
        assert same(window.tree(size), size)
        assert window.tree(size + 1) is None
        window.leaves.append(LEAVES[size])
    assert all(same(window.tree(size), size) for size in range(300))


@settings(max_examples=60)
@given(begin=st.integers(0, 300), steps=st.lists(st.integers(1, 60), max_size=6), data=st.data())
def test_it_goes_on_from_any_tree(begin: int, steps: list[int], data: st.DataObject) -> None:
    window, size = TreeWindow(begin, grown(begin).subtrees), begin
    for step in steps:
        window.leaves.extend(LEAVES[size : size + step])
        size += step
        window.settle()
        asked = data.draw(st.integers(begin, size))
        assert same(window.tree(asked), asked)


def test_what_is_long_ago_is_forgotten_and_the_latest_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_window, "LATEST_SIZES", 50)
    window = TreeWindow()
    for size, leaf in enumerate(LEAVES, start=1):
        window.leaves.append(leaf)
        window.settle()
        assert all(same(window.tree(asked), asked) for asked in (size, max(size - 1, 0), max(size - 50, 0)))
        assert sum(map(len, window._nodes)) < 300
    assert window.tree(333) is None


def test_subtrees_that_are_none_of_that_size_are_refused() -> None:
    with pytest.raises(ProofError):
        TreeWindow(3, [LEAVES[0]])
