"""What an anchor can do, whatever it is, and how what it keeps is called."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from vaultsigner.domain.checkpoints import (
    AnchorDocument,
    Checkpoint,
    CheckpointError,
    SignedCheckpoint,
    read_anchor_document,
)
from vaultsigner.errors import AuditError

Kind = Literal["directory", "witness", "bucket"]
Trusts = Callable[[SignedCheckpoint], bool]
"""Whether a key that counts signed a checkpoint."""

LARGEST_DOCUMENT = 128 * 1024
"""In bytes: a note has at most 64 KiB, and a path 63 lines."""
MOST_DISTRUSTED = 100
"""So many untrustworthy documents are looked at before the search for the newest good one of a chain is given up."""
LARGEST_SIZE = 10**15
"""No chain has more records: a thousand a second for 30 000 years. A larger name is nobody's, and hides nothing."""
_TOO_LARGE = "no chain has as many records as its name says"
_NAME = re.compile(r"([0-9]{20})\.checkpoint\Z", re.ASCII)


class AnchorError(AuditError):
    """An anchor could not do what it was asked; the text says what to do about it. Trying again may help."""


class AnchorConflictError(AnchorError):
    """The anchor has another history of the chain: the record was rewritten or put back, or somebody has the key. Lasting."""


class AnchorRefusalError(AnchorError):
    """A witness takes nothing of this chain as long as its keeper does nothing about it; of others it may.

    Args:
        unknown: it does not know the chain at all.
    """

    def __init__(self, message: str, *, unknown: bool) -> None:
        super().__init__(message)
        self.unknown = unknown


class AnchorDistrustError(AnchorError):
    """What lies in the anchor says nothing of a chain, because it cannot be trusted. The other chains do not wait for that."""


class AnchorSizeError(AnchorError):
    """A witness has seen another number of records than the document goes on from.

    Args:
        size: how many it has seen.
    """

    def __init__(self, message: str, size: int) -> None:
        super().__init__(message)
        self.size = size


@dataclass(frozen=True, slots=True)
class Held:
    """What an anchor keeps.

    Args:
        newest: the newest trustworthy checkpoint of each chain.
        distrusted: what lies there and cannot be trusted, each with its place and why.
        unanswered: why it does not say how far a chain was that it has documents of; as bad as if it could not be asked.
    """

    newest: Mapping[str, SignedCheckpoint] = field(default_factory=dict)
    distrusted: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What an anchor keeps of one chain.

    Args:
        newest: the newest trustworthy checkpoint.
        distrusted: see `Held`.
        problem: why what lies there does not say how far the chain was.
    """

    newest: SignedCheckpoint | None = None
    distrusted: tuple[str, ...] = ()
    problem: str | None = None

    def size(self) -> int:
        """How many records the anchor has seen of the chain.

        Raises:
            AnchorDistrustError: what lies there does not say.
        """
        if self.problem is not None:
            raise AnchorDistrustError(self.problem)
        return self.newest.checkpoint.size if self.newest else 0


class Anchor(Protocol):
    """Keeps checkpoints where the keeper of the record cannot change them.

    `required`: a start must not go on without asking it.
    """

    @property
    def name(self) -> str:
        """As the configuration has it."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def required(self) -> bool:
        """See the class."""

    async def held(self, trusts: Trusts) -> Held:
        """The newest checkpoint of every chain it keeps. A witness cannot be asked for that, and has none.

        Raises:
            AnchorError: it cannot be asked.
        """

    async def seen(self, own: SignedCheckpoint, trusts: Trusts) -> int:
        """How many records of a chain it has seen; 0: it knows nothing of the chain.

        Args:
            own: our newest checkpoint of that chain, for which a witness is asked.

        Raises:
            AnchorConflictError: it has seen as many as `own` says, and others.
            AnchorDistrustError: it keeps documents of the chain, and they cannot be trusted.
            AnchorError: it cannot be asked.
        """

    async def publish(self, document: AnchorDocument) -> None:
        """Have a checkpoint kept; returns once it is. What is kept there already is well, too.

        Raises:
            AnchorConflictError: another history of the chain is kept there.
            AnchorSizeError: a witness wants a proof from another size on.
            AnchorError: it is not known to be kept.
        """

    async def keeps(self, checkpoint: Checkpoint) -> bool:
        """Whether what was published is still there. Of what cannot be deleted, and of a witness, that is taken for granted.

        Raises:
            AnchorError: it cannot be asked.
        """

    async def probe(self) -> str:
        """Find out whether it would work, leaving nothing behind; in words.

        Raises:
            AnchorError: it would not.
        """

    async def close(self) -> None:
        """Let go of connections and threads."""


def name_for(size: int) -> str:
    """What the document of a checkpoint is called: in the order of names they stand in the order of sizes."""
    return f"{size:020}.checkpoint"


def size_in(name: str) -> int | None:
    """The size in a document's name; None: it is not the name of one."""
    match = _NAME.match(name)
    return int(match[1]) if match else None


def read_kept(data: bytes, chain: str, size: int) -> AnchorDocument:
    """The document that an anchor keeps for a chain under a size; its signature is not checked.

    Raises:
        CheckpointError: it is none, or of something else.
    """
    if len(data) > LARGEST_DOCUMENT:
        raise CheckpointError("it is too large for an anchor document")
    try:
        document = read_anchor_document(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise CheckpointError("it is no text in UTF-8") from None
    checkpoint = document.signed.checkpoint
    if (checkpoint.chain, checkpoint.size) != (chain, size):
        raise CheckpointError(f"it is of {checkpoint.chain}:{checkpoint.size}, and lies under another name")
    return document


def why_distrusted(data: bytes, chain: str, size: int, trusts: Trusts) -> SignedCheckpoint | str:
    """The checkpoint of a document that can be trusted, or why it cannot."""
    try:
        signed = read_kept(data, chain, size).signed
    except CheckpointError as error:
        return str(error)
    return signed if trusts(signed) else "no key that is trusted signed it"


def newest_of(
    chain: str, kept: Iterable[tuple[int, str, bytes]], too_large: Iterable[str], trusts: Trusts
) -> Found:
    """The newest trustworthy checkpoint of a chain.

    Args:
        kept: size, place and data of its documents, the largest size first; no more of them are read than it takes.
        too_large: places of those with a size larger than `LARGEST_SIZE`.
    """
    told = [f"{place}: {_TOO_LARGE}" for place in too_large]
    bad: list[str] = []
    for size, place, data in kept:
        if len(bad) == MOST_DISTRUSTED:
            return Found(None, (*told, *bad), _given_up(chain, bad))
        found = why_distrusted(data, chain, size, trusts)
        if not isinstance(found, str):
            return Found(found, (*told, *bad))
        bad.append(f"{place}: {found}")
    return Found(None, (*told, *bad), _none_trusted(chain, bad) if bad else None)


def held_of(found: Mapping[str, Found]) -> Held:
    """What an anchor keeps, of all the chains that it has."""
    return Held(
        newest={chain: each.newest for chain, each in found.items() if each.newest is not None},
        distrusted=tuple(told for each in found.values() for told in each.distrusted),
        unanswered=tuple(each.problem for each in found.values() if each.problem is not None),
    )


def _given_up(chain: str, bad: list[str]) -> str:
    return (
        f"its {len(bad)} newest documents of chain {chain} cannot be trusted, and hide what is behind them; the first is "
        f"{bad[0]}, and the last {bad[-1]}; find out who wrote them, keep a copy, and move them away (where they are locked: "
        "configure a new prefix, and keep the old one for reviewers)"
    )


def _none_trusted(chain: str, bad: list[str]) -> str:
    return (
        f"none of its {len(bad)} checkpoints of chain {chain} is signed by a key of audit.checkpoint_key; the newest is "
        f"{bad[0]}; was the key made anew? Keep the old anchor for reviewers, and configure a new directory or prefix "
        "for the new key"
    )


def require_same(kept: bytes, document: AnchorDocument, place: str) -> None:
    """What is kept under a document's name vouches for the same history; it may have been signed at another time.

    Raises:
        AnchorConflictError: it does not.
    """
    own = document.signed.checkpoint
    try:
        other = read_kept(kept, own.chain, own.size).signed.checkpoint
    except CheckpointError as error:
        raise AnchorConflictError(
            f"{place} is in the way: {error}; find out who wrote it, keep a copy, and move it away"
        ) from None
    if (other.root, other.head) != (own.root, own.head):
        raise AnchorConflictError(
            f"ROLLBACK OR FORK: {place} keeps another history of chain {own.chain}: at record {own.size} its root is "
            f"{other.root.hex()}, and ours {own.root.hex()}; stop, keep copies of both, and compare them with "
            "`vaultsigner audit verify`"
        )
