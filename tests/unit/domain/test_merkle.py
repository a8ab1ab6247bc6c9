"""RFC 6962, section 2.1, against its recursive definitions written down once more, and against published vectors."""

from hashlib import sha256
from random import Random

import pytest

from vaultsigner.domain.merkle import (
    ProofError,
    SubtreeHashes,
    Tree,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    root_of_inclusion,
    roots_of_consistency,
)

# Leaves and roots of the reference implementation: google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def mth(leaves: list[bytes]) -> bytes:
    """Section 2.1."""
    if len(leaves) < 2:
        return sha256(b"\x00" + leaves[0]).digest() if leaves else sha256().digest()
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path_of(m: int, leaves: list[bytes]) -> list[bytes]:
    """Section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path_of(m, leaves[:k]), mth(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """Section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def split(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def some_leaves(count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(count)]


def streamed(ranges: list[tuple[int, int]], leaves: list[bytes]) -> list[bytes]:
    subtrees = SubtreeHashes(ranges)
    for leaf in leaves:
        subtrees.add(leaf_hash(leaf))
    return [subtrees.found[each] for each in ranges]


def test_roots_are_those_that_are_published() -> None:
    tree = Tree()
    roots = [tree.root().hex()]
    for leaf in LEAVES:
        tree.add(leaf_hash(leaf))
        roots.append(tree.root().hex())
    assert tuple(roots) == ROOTS


@pytest.mark.parametrize("size", [*range(1, 70), 127, 128, 129, 1000])
def test_roots_are_those_of_the_definition(size: int) -> None:
    tree = Tree()
    for leaf in some_leaves(size):
        tree.add(leaf_hash(leaf))
    assert (tree.root(), tree.size) == (mth(some_leaves(size)), size)


def test_a_tree_keeps_few_hashes() -> None:
    tree = Tree()
    for _ in range(10_000):
        tree.add(bytes(32))
        assert len(tree._subtrees) <= 14


@pytest.mark.parametrize("size", [*range(1, 34), 100])
def test_paths_are_those_of_the_definition_and_lead_to_the_root(size: int) -> None:
    leaves = some_leaves(size)
    for index in range(size):
        path = streamed(inclusion_ranges(index, size), leaves)
        assert path == path_of(index, leaves)
        assert root_of_inclusion(leaf_hash(leaves[index]), index, size, path) == mth(leaves)


def test_a_path_leads_nowhere_else() -> None:
    """Another leaf, another place, another size or a changed path: another root, or none."""
    chance = Random(1)  # noqa: S311 - the same each time
    for _ in range(300):
        size = chance.randrange(2, 60)
        index, other = chance.sample(range(size), 2)
        leaves = some_leaves(size)
        path, root = path_of(index, leaves), mth(leaves)
        assert root_of_inclusion(leaf_hash(leaves[other]), index, size, path) != root
        changed = list(path)
        changed[chance.randrange(len(path))] = chance.randbytes(32)
        assert root_of_inclusion(leaf_hash(leaves[index]), index, size, changed) != root
        if len(inclusion_ranges(other, size)) == len(path):
            assert root_of_inclusion(leaf_hash(leaves[index]), other, size, path) != root


def test_a_node_is_no_leaf() -> None:
    """RFC 6962: without the first byte of what is hashed, two leaves could be taken for their parent."""
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    tree = Tree()
    tree.add(left)
    tree.add(right)
    assert leaf_hash(left + right) != tree.root()


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (7, 7)])
def test_a_leaf_that_is_not_there_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        inclusion_ranges(index, size)


@pytest.mark.parametrize("path", [[], [bytes(32)] * 4, [bytes(32), bytes(32), bytes(31)]])
def test_a_path_of_the_wrong_length_leads_nowhere(path: list[bytes]) -> None:
    with pytest.raises(ProofError):
        root_of_inclusion(bytes(32), 2, 8, path)


@pytest.mark.parametrize("second", [*range(1, 34), 100])
def test_consistency_is_that_of_the_definition_and_gives_both_roots(second: int) -> None:
    leaves = some_leaves(second)
    for first in range(1, second + 1):
        path = streamed(consistency_ranges(first, second), leaves)
        assert path == subproof(first, leaves, True)
        roots = mth(leaves[:first]), mth(leaves)
        assert roots_of_consistency(first, second, roots[0], path) == roots


def test_a_tree_that_is_no_continuation_has_no_consistency() -> None:
    leaves = some_leaves(21)
    for first in range(1, 21):
        other = [b"other", *leaves[1:first]]
        path = subproof(first, leaves, True)
        assert roots_of_consistency(first, 21, mth(other), path) != (mth(other), mth(leaves))


@pytest.mark.parametrize(("first", "second"), [(0, 4), (5, 4), (-1, 4)])
def test_a_larger_tree_is_no_earlier_state(first: int, second: int) -> None:
    with pytest.raises(ProofError):
        consistency_ranges(first, second)
