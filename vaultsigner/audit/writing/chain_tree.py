"""The Merkle tree over a chain that is being written, and what it takes to prove that it grew from the last checkpoint.

A restart does not read the whole chain: each checkpoint's record has the complete subtrees of its tree, and the tree goes on from
those of the last one.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from vaultsigner.audit.chain import Head
from vaultsigner.audit.files.chain_files import ChainFiles, find_chains, read_lines
from vaultsigner.domain.merkle import Growth, ProofError, Tree, leaf_hash
from vaultsigner.errors import AuditError

_CHECKPOINT = b'"kind":"checkpoint"'
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class ChainState:
    """A chain at one moment: all that a checkpoint says of it.

    Args:
        head: the hash of record `size`.
        subtrees: the complete subtrees of the tree, largest first.
        time_us: of record `size`, in microseconds since 1970.
        old_size, path: the tree grew from that of the last checkpoint (RFC 6962, section 2.1.2); 0 and nothing where there is
            none.
    """

    chain: str
    size: int
    root: bytes
    head: str
    subtrees: tuple[bytes, ...]
    old_size: int
    path: tuple[bytes, ...]
    time_us: int = 0


class ChainTree:
    """Grows with the chain, on the writer's thread; is asked for from any.

    Args:
        directory: the chain's.
        head: the chain's, of which `growth` has the tree.
    """

    def __init__(self, directory: Path, head: Head, growth: Growth) -> None:
        self.directory = directory
        self._head = head
        self._growth = growth
        self._next: Growth | None = None  # grows from the state that was told last, for when that is signed
        self._guard = Lock()
        self._every = _NEVER
        self._told = False
        self._due: Callable[[], None] = lambda: None

    def call_when_due(self, every: int, due: Callable[[], None]) -> None:
        """Have `due` called, once until the next `signed`, when so many records have come since the last checkpoint's tree."""
        with self._guard:
            self._every, self._due = every, due
        self._tell()

    def add(self, lines: Iterable[bytes], head: Head) -> None:
        """Lines that are on disk, each with its newline, and the head after them."""
        with self._guard:
            for line in lines:
                leaf = leaf_hash(line[:-1])
                self._growth.add(leaf)
                if self._next is not None:
                    self._next.add(leaf)
            self._head = head
        self._tell()

    def state(self) -> ChainState | None:
        """The chain now; None while it has no record."""
        with self._guard:
            tree = self._growth.tree
            if not tree.size:
                return None
            self._next = Growth(tree)
            return ChainState(
                chain=self._head.chain,
                size=tree.size,
                root=tree.root(),
                head=self._head.hash,
                subtrees=tree.subtrees,
                old_size=self._growth.base_size,
                path=tuple(self._growth.path()),
                time_us=self._head.time_us,
            )

    def signed(self, state: ChainState) -> None:
        """The state that was told last has its checkpoint on record: from now on growth is proved from there."""
        with self._guard:
            if self._next is not None and self._next.base_size == state.size:
                self._growth, self._next = self._next, None
            self._told = False
        self._tell()

    def path_from(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """The proof that the tree of `size` records grew from that of `old_size`, made from the files.

        Raises:
            AuditError: the files cannot be read, or have not as many records.
            ProofError: there is no such proof.
        """
        growth = _grown(_files(self.directory), old_size, size)
        return tuple(growth.path())

    def _tell(self) -> None:
        """Outside the guard: whoever is called may want to know more."""
        with self._guard:
            due = not self._told and self._growth.tree.size - self._growth.base_size >= self._every
            self._told = self._told or due
        if due:
            self._due()


def read_tree(directory: Path, head: Head) -> ChainTree:
    """The tree of a chain that is being opened.

    Args:
        directory: the chain's.
        head: its end, as it was found.

    Raises:
        AuditError: the files cannot be read, or the last checkpoint or the number of lines is not right.
    """
    if not head.seq:
        return ChainTree(directory, head, Growth(Tree()))
    return ChainTree(directory, head, _grown(_files(directory), None, head.seq))


def _grown(files: ChainFiles, old_size: int | None, size: int) -> Growth:
    """The tree over the first `size` lines, as it grew from `old_size`; None: from the last checkpoint."""
    tree = _last_checkpoint(files, size if old_size is None else old_size)
    base, growth = tree.size if old_size is None else old_size, None
    for leaf in _leaves(files, tree.size, size):
        if growth is None and tree.size == base:
            growth = Growth(tree)
        (growth or tree).add(leaf)
    growth = growth or Growth(tree)
    if growth.tree.size != size:
        missing = growth.tree.size + 1
        raise AuditError(f"{files.directory}: record {missing} is missing: run `vaultsigner audit verify`")
    return growth


def _last_checkpoint(files: ChainFiles, at_most: int) -> Tree:
    """The tree of the last checkpoint of at most so many records; an empty one where there is none."""
    for file in reversed(files.files):
        found: Tree | None = None
        for line in read_lines(file):
            if _CHECKPOINT in line:
                found = _tree_of(file.path, line, at_most) or found
        if found is not None:
            return found
    return Tree()


def _tree_of(path: Path, line: bytes, at_most: int) -> Tree | None:
    """What a checkpoint's record says of its tree; None: it is no such record, or of a later tree."""
    try:
        record: dict[str, Any] = json.loads(line)
        if record.get("kind") != "checkpoint" or record["tree_size"] > at_most:
            return None
        tree = Tree(record["tree_size"], tuple(map(bytes.fromhex, record["subtrees"])))
        if tree.root().hex() == record["root"]:
            return tree
    except (ValueError, KeyError, TypeError, AttributeError, ProofError):
        pass
    raise AuditError(f"{path} has a checkpoint that makes no sense: run `vaultsigner audit verify`")


def _leaves(files: ChainFiles, after: int, size: int) -> Iterator[bytes]:
    """The leaves of the records behind `after`, up to record `size`."""
    begin, first = _beginning(files, after + 1)
    number = first - 1
    for file in files.files[begin:]:
        for line in read_lines(file):
            number += 1
            if number > size:
                return
            if number > after:
                yield leaf_hash(line.removesuffix(b"\n"))


def _beginning(files: ChainFiles, seq: int) -> tuple[int, int]:
    """The last file that begins with this record or one before it, and the number of its first record."""
    for index in range(len(files.files) - 1, -1, -1):
        first = _first_seq(next(read_lines(files.files[index]), b""))
        if first is not None and first <= seq:
            return index, first
    raise AuditError(f"{files.directory}: record {seq} is missing: run `vaultsigner audit verify`")


def _first_seq(line: bytes) -> int | None:
    try:
        seq = json.loads(line)["seq"]
    except (ValueError, KeyError, TypeError):
        return None
    return seq if type(seq) is int else None


def _files(directory: Path) -> ChainFiles:
    found: Sequence[ChainFiles] = find_chains(directory)
    return found[0]
