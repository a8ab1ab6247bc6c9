"""Checkpoints: what a chain was when Vault's key signed that. Pure.

A checkpoint is a signed note (see `signed_notes`) whose text is that of C2SP tlog-checkpoint: the origin, which names the chain;
the number of records; the root of the Merkle tree over them (RFC 6962) in base64; and, as extension lines, the hash of the last
of them and the time of signing.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vaultsigner.domain.merkle import HASH_BYTES, ProofError, consistency_ranges, roots_of_consistency
from vaultsigner.domain.record_time import read_record_time, record_time
from vaultsigner.domain.signed_notes import (
    NoteError,
    SignedNote,
    VerifierKey,
    read_note,
)

KEY_NAME = "vaultsigner/audit"
ORIGIN = "vaultsigner/audit/"
_BODY = re.compile(
    r"vaultsigner/audit/([0-9a-f]{16})\n"
    r"([1-9][0-9]{0,17})\n"
    r"([A-Za-z0-9+/]{43}=)\n"
    r"head ([0-9a-f]{64})\n"
    r"time (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z)\n"
)
_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})\Z")


class CheckpointError(NoteError):
    """A text that is no checkpoint of a chain of ours, or no anchor document."""

    code = "bad_checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a chain.

    Args:
        size: records 1 to `size`.
        root: of the Merkle tree over them.
        head: the hash of record `size`, 64 hexadecimal digits.
        time_us: when it was signed, in microseconds since 1970.
    """

    chain: str
    size: int
    root: bytes
    head: str
    time_us: int

    def text(self) -> str:
        """What is signed."""
        return f"{ORIGIN}{self.chain}\n{self.size}\n{_base64(self.root)}\nhead {self.head}\ntime {record_time(self.time_us)}\n"

    @property
    def time(self) -> str:
        """When it was signed, as records write times."""
        return record_time(self.time_us)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint and the note that holds it. Whether it is signed by whom is told by `note.verified_by`."""

    checkpoint: Checkpoint
    note: SignedNote

    def verified_by(self, keys: Iterable[VerifierKey]) -> VerifierKey | None:
        """The first of the keys that signed it, if one did."""
        return self.note.verified_by(keys)

    def __str__(self) -> str:
        """The whole note."""
        return str(self.note)


@dataclass(frozen=True, slots=True)
class AnchorDocument:
    """A checkpoint, and the proof that the chain only grew since the one before it.

    As text it is what C2SP tlog-witness takes at `add-checkpoint`: `old <size>`, the path's hashes in base64, a line for each,
    an empty line, the signed note.

    Args:
        old_size: of the checkpoint before; 0: there was none.
        path: RFC 6962, section 2.1.2, from `old_size` to the checkpoint's size; empty when `old_size` is 0.
    """

    old_size: int
    path: tuple[bytes, ...]
    signed: SignedCheckpoint

    def text(self) -> str:
        """The document."""
        return "".join(
            (f"old {self.old_size}\n", *(f"{_base64(step)}\n" for step in self.path), f"\n{self.signed}")
        )

    def grew_from(self, old_root: bytes) -> bool:
        """Whether the path shows that the tree of `old_size` records with that root is the beginning of the checkpoint's."""
        return consistent(self.old_size, old_root, self.signed.checkpoint, self.path)


def consistent(old_size: int, old_root: bytes, checkpoint: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether the path shows that a tree of `old_size` records with that root is the beginning of the checkpoint's."""
    try:
        return roots_of_consistency(old_size, checkpoint.size, old_root, path) == (old_root, checkpoint.root)
    except ProofError:
        return False


def read_checkpoint(document: str) -> SignedCheckpoint:
    """Read a signed checkpoint; its signatures are not checked.

    Raises:
        CheckpointError: it is none.
    """
    try:
        note = read_note(document)
    except NoteError as error:
        raise CheckpointError(str(error)) from None
    return SignedCheckpoint(read_text(note.text), note)


def read_text(text: str) -> Checkpoint:
    """Read what a checkpoint's note signs, in its one spelling.

    Raises:
        CheckpointError: it is no checkpoint of a chain of ours.
    """
    match = _BODY.fullmatch(text)
    if match is None:
        raise CheckpointError("the note is no checkpoint of a chain: origin, size, root, head and time")
    time_us = read_record_time(match[5])
    if time_us is None:
        raise CheckpointError("the checkpoint's time is none")
    checkpoint = Checkpoint(match[1], int(match[2]), b64decode(match[3]), match[4], time_us)
    if checkpoint.text() != text:
        raise CheckpointError("the checkpoint is spelled in another way than its own")
    return checkpoint


def read_anchor_document(text: str) -> AnchorDocument:
    """Read what an anchor keeps; the path and the signatures are not checked.

    Raises:
        CheckpointError: it is none.
    """
    head, _, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    match = _OLD.match(first)
    if match is None:
        raise CheckpointError("an anchor document begins with `old` and a size")
    document = AnchorDocument(int(match[1]), tuple(map(_read_hash, lines)), read_checkpoint(note))
    size, old_size = document.signed.checkpoint.size, document.old_size
    expected = consistency_ranges(old_size, size) if 0 < old_size <= size else []
    if old_size > size or len(document.path) != len(expected):
        raise CheckpointError(f"the path from {old_size} to {size} records has {len(expected)} hashes")
    return document


def _read_hash(line: str) -> bytes:
    try:
        data = b64decode(line, validate=True)
    except (Base64Error, ValueError):
        data = b""
    if len(data) != HASH_BYTES or _base64(data) != line:
        raise CheckpointError("a line of the path is no hash in base64")
    return data


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
