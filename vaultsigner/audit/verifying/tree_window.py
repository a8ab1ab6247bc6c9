"""The Merkle tree over a chain as it grows, and what it was at any of its latest sizes. Pure.

A checkpoint stands some records behind the last one that it is for. So the nodes over the latest records are kept, level by
level, and with them, of each level, the last one before: all that the tree of any size since then consists of.
"""

from collections.abc import Sequence
from hashlib import sha256

from vaultsigner.domain.merkle import Tree

LATEST_SIZES = 1 << 15
"""How far back a tree can be had at least."""


class TreeWindow:
    """Grows by leaves. Leaves go straight into `leaves` (their hashes), which `settle` turns into nodes.

    Args:
        size, subtrees: of a tree to go on with, as `Tree` has them.
    """

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        complete = list(Tree(size, subtrees).subtrees)
        levels = max(size.bit_length(), 1)
        # Of each level the number of the first node kept, and the nodes from there on.
        self._first = [(size >> level) - (size >> level & 1) for level in range(levels)]
        self._nodes = [[complete.pop()] if size >> level & 1 else [] for level in range(levels)]
        self.leaves = self._nodes[0]

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._first[0] + len(self.leaves)

    def settle(self) -> None:
        """Hash what can be, and forget what is too long ago. To be called now and then."""
        level = 0
        while (above := self._first[level] + len(self._nodes[level]) >> 1) > 0:
            if level + 1 == len(self._nodes):
                self._first.append(0)
                self._nodes.append([])
            parents, begin = self._nodes[level + 1], self._first[level]
            done = self._first[level + 1] + len(parents)
            children = iter(self._nodes[level][2 * done - begin : 2 * above - begin])
            parents += [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(children, children, strict=True)
            ]
            self._forget(level)
            level += 1

    def tree(self, size: int) -> Tree | None:
        """The tree over the first `size` leaves; None: it has not so many, or that was too long ago."""
        if size > self.size:
            return None
        self.settle()
        subtrees: list[bytes] = []
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                place = (size >> level) - 1 - self._first[level]
                if place < 0:
                    return None
                subtrees.append(self._nodes[level][place])
        return Tree(size, subtrees)

    def _forget(self, level: int) -> None:
        kept = (LATEST_SIZES >> level) + 2
        surplus = len(self._nodes[level]) - kept
        if surplus > kept:
            del self._nodes[level][:surplus]
            self._first[level] += surplus
