"""Chains with checkpoints, signed by a key that the test holds, as the service writes them into a directory."""

import shutil
from pathlib import Path

from nacl.signing import SigningKey

from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.checkpoint_entry import Checkpointed
from vaultsigner.audit.entries import Control, Entry
from vaultsigner.audit.writing.chain_tree import ChainState
from vaultsigner.domain.checkpoints import (
    KEY_NAME,
    AnchorDocument,
    Checkpoint,
    SignedCheckpoint,
    read_checkpoint,
)
from vaultsigner.domain.merkle import Growth, Tree, leaf_hash
from vaultsigner.domain.signed_notes import VerifierKey, sign_note

CHAIN, OTHER_CHAIN = "00000000000000aa", "00000000000000bb"
KEY = SigningKey(b"\x07" * 32)
OTHER_KEY = SigningKey(b"\x08" * 32)
_BEGIN_US = 1_795_000_000_000_000
_STEP_US = 250_000


def verifier(key: SigningKey = KEY) -> VerifierKey:
    """The public half of a key, as reviewers have it."""
    return VerifierKey(KEY_NAME, bytes(key.verify_key))


KEYS = (verifier(),)


def trusts(signed: SignedCheckpoint) -> bool:
    """Whether KEY signed it."""
    return signed.verified_by(KEYS) is not None


def signed_by(checkpoint: Checkpoint, key: SigningKey = KEY) -> SignedCheckpoint:
    """A checkpoint with a key's signature."""
    note = sign_note(checkpoint.text(), verifier(key), key.sign(checkpoint.text().encode()).signature)
    return read_checkpoint(str(note))


def copied(directory: Path, to: Path) -> Path:
    """A copy of all chains, to put back later; what was there is replaced."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(directory, to)
    return to


class SignedChain:
    """Grows on disk; `documents` has what went to anchors.

    Args:
        directory: of all chains.
        note: makes the records of this history others than those of another one.
        first_file: where it begins; `next_file` goes on in another.
    """

    def __init__(
        self, directory: Path, chain: str = CHAIN, *, note: str = "", first_file: str = "2026-11-18.jsonl"
    ) -> None:
        self.chain = chain
        self.path = directory / chain
        self.documents: list[AnchorDocument] = []
        self._file = self.path / first_file
        self._note = note
        self._head = Head(chain)
        self._growth = Growth(Tree())
        self.path.mkdir(parents=True, exist_ok=True)

    @property
    def size(self) -> int:
        """How many records it has."""
        return self._head.seq

    def next_file(self, name: str) -> None:
        """Go on in another file."""
        self._file = self.path / name

    def grow(self, records: int) -> None:
        """Append records."""
        for _ in range(records):
            self._append(Control("note", {"text": f"{self._note}{self._head.seq + 1}"}))

    def checkpoint(self, key: SigningKey = KEY) -> AnchorDocument:
        """Sign what is there and put that on record."""
        tree = self._growth.tree
        state = ChainState(
            self.chain,
            tree.size,
            tree.root(),
            self._head.hash,
            tree.subtrees,
            self._growth.base_size,
            tuple(self._growth.path()),
        )
        now_us = _BEGIN_US + (self._head.seq + 1) * _STEP_US
        signed = signed_by(Checkpoint(self.chain, state.size, state.root, state.head, now_us), key)
        self._growth = Growth(tree)
        self._append(Checkpointed(state, signed, None))
        self.documents.append(AnchorDocument(state.old_size, state.path, signed))
        return self.documents[-1]

    def grown(self, *records: int) -> "SignedChain":
        """As many records as each number says, with a checkpoint behind each."""
        for count in records:
            self.grow(count)
            self.checkpoint()
        return self

    def _append(self, entry: Entry) -> None:
        line, self._head = seal(entry.members(), self._head, _BEGIN_US + self._head.seq * _STEP_US)
        self._growth.add(leaf_hash(line[:-1]))
        with self._file.open("ab") as file:
            file.write(line)
