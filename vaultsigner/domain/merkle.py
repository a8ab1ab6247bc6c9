"""The Merkle tree over a chain's lines, pure: RFC 6962, section 2.1. Leaf `i` is the line of record `i + 1`, without its newline.

Everything reads the leaves once, in order, and keeps O(log n) hashes.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from vaultsigner.errors import AuditError

HASH_BYTES = 32
Range = tuple[int, int]
"""Leaves from the first number up to, and without, the second."""


class ProofError(AuditError):
    """A proof that proves nothing: of the wrong length, or for a leaf that the tree has not."""


def leaf_hash(leaf: bytes) -> bytes:
    """A leaf's hash: the zero byte keeps a leaf from being taken for a node."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows by leaves and knows its root.

    Args:
        size: that of a tree to go on with.
        subtrees: the hashes of its complete subtrees, see `Tree.subtrees`.

    Raises:
        ProofError: a tree of that size has another number of them.
    """

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        if size < 0 or len(subtrees) != size.bit_count() or any(len(each) != HASH_BYTES for each in subtrees):
            raise ProofError(
                f"a tree of {size} records does not consist of {len(subtrees)} complete subtrees"
            )
        self.size = size
        self._subtrees = list(subtrees)

    @property
    def subtrees(self) -> tuple[bytes, ...]:
        """The complete subtrees that it consists of, largest first: the one bits of its size. All that is needed to go on."""
        return tuple(self._subtrees)

    def add(self, leaf: bytes) -> None:
        """Append a leaf, given by its hash."""
        self.size += 1
        size = self.size
        while size % 2 == 0:
            leaf = node_hash(self._subtrees.pop(), leaf)
            size //= 2
        self._subtrees.append(leaf)

    def root(self) -> bytes:
        """MTH of the leaves so far; of none: the hash of nothing."""
        if not self._subtrees:
            return sha256(b"").digest()
        root = self._subtrees[-1]
        for subtree in reversed(self._subtrees[:-1]):
            root = node_hash(subtree, root)
        return root


class Growth:
    """A tree and what was added to it since, in O(log n) hashes: proves that it only grew.

    Args:
        base: the tree to begin with.
    """

    def __init__(self, base: Tree) -> None:
        self.base_size = base.size
        self.tree = Tree(base.size, base.subtrees)
        self._base_subtrees = base.subtrees
        self._added: list[
            tuple[Range, bytes]
        ] = []  # complete subtrees, as large as they can be, from `base_size` to the end

    def add(self, leaf: bytes) -> None:
        """Append a leaf, given by its hash."""
        begin, end = self.tree.size, self.tree.size + 1
        self.tree.add(leaf)
        while self._added:
            (before, middle), left = self._added[-1]
            # A subtree of the whole tree begins at a multiple of its size.
            if middle - before != end - begin or before % (2 * (end - begin)):
                break
            self._added.pop()
            begin, leaf = before, node_hash(left, leaf)
        self._added.append(((begin, end), leaf))

    def path(self) -> list[bytes]:
        """PROOF(base_size, D[size]) (section 2.1.2); nothing where the base was empty."""
        if not self.base_size:
            return []
        before = dict(zip(_complete_ranges(self.base_size), self._base_subtrees, strict=True))
        ranges = consistency_ranges(self.base_size, self.tree.size)
        return [before[each] if each[1] <= self.base_size else self._root_over(each) for each in ranges]

    def _root_over(self, wanted: Range) -> bytes:
        hashes = [found for (begin, end), found in self._added if wanted[0] <= begin and end <= wanted[1]]
        root = hashes.pop()
        while hashes:
            root = node_hash(hashes.pop(), root)
        return root


class SubtreeHashes:
    """The roots over given ranges of leaves, from one pass over all leaves.

    Args:
        ranges: none of them empty, no two with a leaf in common.
    """

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._waiting = sorted(ranges, reverse=True)
        self._tree = Tree()
        self._number = 0
        self.found: dict[Range, bytes] = {}

    def add(self, leaf: bytes) -> None:
        """The next leaf, given by its hash."""
        number = self._number
        self._number += 1
        if self._waiting and self._waiting[-1][0] <= number:
            self._tree.add(leaf)
            if self._waiting[-1][1] == self._number:
                self.found[self._waiting.pop()] = self._tree.root()
                self._tree = Tree()


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees that PATH(index, D[size]) consists of, in its order: from the leaf to the root (section 2.1.1).

    Raises:
        ProofError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} records has no leaf {index}")
    path: list[Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin = middle
    return path[::-1]


def consistency_ranges(first: int, second: int) -> list[Range]:
    """The subtrees that PROOF(first, D[second]) consists of, in its order (section 2.1.2).

    Raises:
        ProofError: there is no such proof.
    """
    if not 0 < first <= second:
        raise ProofError(f"a tree of {second} records is no later state of one of {first}")
    path: list[Range] = []
    begin, end, known = 0, second, True
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin, known = middle, False
    if not known:
        path.append((begin, end))
    return path[::-1]


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` leaves whose leaf `index` is `leaf` (its hash), if `path` is that leaf's path.

    Raises:
        ProofError: no tree of that size has such a path.
    """
    ranges = inclusion_ranges(index, size)
    _require(ranges, path)
    root = leaf
    for (begin, _), sibling in zip(ranges, path, strict=True):
        root = node_hash(sibling, root) if begin < index else node_hash(root, sibling)
    return root


def roots_of_consistency(
    first: int, second: int, first_root: bytes, path: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """The roots of both trees as `path` gives them; the proof is good when they are the roots that are known.

    Args:
        first, second: the sizes.
        first_root: the path begins with it where the smaller tree is one whole subtree of the larger; then it is left out.

    Raises:
        ProofError: there is no such path.
    """
    ranges = consistency_ranges(first, second)
    _require(ranges, path)
    hashes = list(path)
    if not ranges or ranges[0][0] == first:
        older = newer = first_root
    else:
        older = newer = hashes[0]
        ranges, hashes = ranges[1:], hashes[1:]
    for (begin, _), sibling in zip(ranges, hashes, strict=True):
        if begin < first:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
        else:
            newer = node_hash(newer, sibling)
    return older, newer


def _complete_ranges(size: int) -> list[Range]:
    """What the complete subtrees of a tree cover, largest first."""
    ranges: list[Range] = []
    begin = 0
    for bit in range(size.bit_length() - 1, -1, -1):
        if size >> bit & 1:
            ranges.append((begin, begin + (1 << bit)))
            begin += 1 << bit
    return ranges


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _require(ranges: Sequence[Range], path: Sequence[bytes]) -> None:
    if len(path) != len(ranges) or any(len(step) != HASH_BYTES for step in path):
        raise ProofError(f"the path must be {len(ranges)} hashes of {HASH_BYTES} bytes")
