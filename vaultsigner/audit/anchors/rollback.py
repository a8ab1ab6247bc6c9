"""Whether the record is behind its anchors: cut off, an older copy put back, or written anew."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vaultsigner.audit.anchors.anchor import Anchor, AnchorConflictError, AnchorError, AnchorRefusalError
from vaultsigner.audit.anchors.checkpoint_documents import newest_checkpoint
from vaultsigner.audit.chain import DamagedChainError, read_line
from vaultsigner.audit.files.chain_files import ChainFiles, find_chains, read_lines
from vaultsigner.audit.files.file_names import in_order, is_chain
from vaultsigner.audit.files.record_lines import NoSuchRecordError, lines_from
from vaultsigner.domain.checkpoints import Checkpoint, SignedCheckpoint
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import AuditError


@dataclass(frozen=True, slots=True)
class Rollback:
    """A chain that is not what an anchor says it was.

    Args:
        chain: its name.
        size: how many records the anchor says it had.
        found: what is there instead, in words.
        who: says so, in words.
    """

    chain: str
    size: int
    found: str
    who: str = "an anchor"

    @property
    def name(self) -> str:
        """As `audit.accepted_rollbacks` takes it."""
        return f"{self.chain}:{self.size}"

    def __str__(self) -> str:
        """What is wrong and what to do."""
        return (
            f"ROLLBACK OR FORK of chain {self.chain}: {self.who} has a checkpoint of {self.size} records, and {self.found}. "
            "Put the whole record back from where it is kept; or, once you know what happened and can do without what is "
            f'lost, write "{self.name}" into audit.accepted_rollbacks'
        )


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An anchor that could not be asked. `required`: the start must not go on without it."""

    anchor: str
    required: bool
    problem: str

    def __str__(self) -> str:
        """What is wrong and what to do."""
        advice = (
            "; or write `required: false` for it, if the record may go on unasked" if self.required else ""
        )
        return f"the anchor {self.anchor} cannot be asked how far the record was: {self.problem}{advice}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the anchors say of the record.

    Args:
        rollbacks: chains that are behind, one entry for each checkpoint that they are behind.
        sizes: how many records of each chain the anchors have seen.
        unanswered: anchors that said nothing.
        distrusted: what lies in anchors and was signed by none of the keys, or cannot be read: it counts for nothing, and
            somebody put it there.
    """

    rollbacks: tuple[Rollback, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    unanswered: tuple[Unanswered, ...] = ()
    distrusted: tuple[str, ...] = ()

    def obstacles(self, accepted: Collection[str]) -> tuple[str, ...]:
        """Why the service must not start, each with what to do; empty: it may.

        Args:
            accepted: `audit.accepted_rollbacks`.
        """
        behind = [str(rollback) for rollback in self.rollbacks if rollback.name not in accepted]
        silent = [str(each) for each in self.unanswered if each.required]
        return (*behind, *silent)

    def closed(self, accepted: Collection[str]) -> frozenset[str]:
        """Chains whose rollback was accepted. They must not go on: their anchors have seen another end of them."""
        return frozenset(rollback.chain for rollback in self.rollbacks if rollback.name in accepted)


async def compare_with_anchors(
    directory: Path, anchors: Sequence[Anchor], keys: Sequence[VerifierKey]
) -> Comparison:
    """Ask every anchor, all at the same time, and look for what each says in the record. Changes nothing.

    Args:
        directory: of all chains; it need not be there yet.
        keys: a checkpoint counts when one of them signed it.

    Raises:
        AuditError: the record itself cannot be read.
    """
    own = await asyncio.to_thread(newest_checkpoints, directory)
    asked = await asyncio.gather(*(_ask(directory, anchor, own, keys) for anchor in anchors))
    rollbacks = {(each.name, each.found): each for answer in asked for each in answer.rollbacks}
    sizes: dict[str, int] = {}
    for answer in asked:
        sizes |= {chain: max(size, sizes.get(chain, 0)) for chain, size in answer.sizes.items()}
    return Comparison(
        rollbacks=tuple(rollbacks.values()),
        sizes=sizes,
        unanswered=tuple(each for answer in asked for each in answer.unanswered),
        distrusted=tuple(each for answer in asked for each in answer.distrusted),
    )


def find_rollbacks(
    directory: Path, anchored: Mapping[str, Checkpoint], who: str = "an anchor"
) -> tuple[Rollback, ...]:
    """The chains that are behind checkpoints, or differ from them. Reads at most two files of each chain.

    That the record with the checkpoint's number has the checkpoint's hash says that everything before it is as it was,
    provided that the chain is whole, which `audit verify` shows.

    Args:
        directory: of all chains.
        anchored: the newest checkpoint of each chain, its signature checked.
        who: has them, for the words.

    Raises:
        AuditError: a file cannot be read.
    """
    found = ((each, _difference(directory / chain, each)) for chain, each in anchored.items())
    return tuple(Rollback(each.chain, each.size, words, who) for each, words in found if words)


async def _ask(
    directory: Path, anchor: Anchor, own: Mapping[str, SignedCheckpoint], keys: Sequence[VerifierKey]
) -> Comparison:
    def trusts(signed: SignedCheckpoint) -> bool:
        return signed.verified_by(keys) is not None

    try:
        held = await anchor.held(trusts)
        ahead, sizes, unknown = await _ahead(anchor, own) if anchor.kind == "witness" else ([], {}, [])
    except AnchorError as error:
        return Comparison(unanswered=(Unanswered(anchor.name, anchor.required, str(error)),))
    newest = {chain: signed.checkpoint for chain, signed in held.newest.items()}
    who = f"the anchor {anchor.name}"
    behind = await asyncio.to_thread(find_rollbacks, directory, newest, who)
    sizes |= {chain: each.size for chain, each in newest.items()}
    return Comparison(
        rollbacks=(*behind, *ahead),
        sizes=sizes,
        unanswered=(*unknown, *(Unanswered(anchor.name, anchor.required, each) for each in held.unanswered)),
        distrusted=tuple(f"{who}: {each}" for each in held.distrusted),
    )


async def _ahead(
    witness: Anchor, own: Mapping[str, SignedCheckpoint]
) -> tuple[list[Rollback], dict[str, int], list[Unanswered]]:
    """A witness tells no checkpoints; it is offered ours, chain by chain, and tells when it has seen more or others.

    Returns:
        What it has seen otherwise, how many records of each chain it has seen, and of which chains it knows nothing: a new one
        has a name that its keeper cannot have entered yet.
    """
    found, sizes, unknown = [], {}, []
    for chain, signed in own.items():
        size = signed.checkpoint.size
        try:
            sizes[chain] = await witness.seen(signed, lambda _: True)
        except AnchorRefusalError as error:
            if not error.unknown:
                raise
            unknown.append(Unanswered(witness.name, required=False, problem=str(error)))
        except AnchorConflictError:
            words = f"the {size} records here are others"
            found.append(Rollback(chain, size, words, f"the anchor {witness.name}"))
        else:
            if sizes[chain] > size:
                words = f"the newest checkpoint here is of {size} records"
                found.append(Rollback(chain, sizes[chain], words, f"the anchor {witness.name}"))
    return found, sizes, unknown


def newest_checkpoints(directory: Path) -> dict[str, SignedCheckpoint]:
    """The newest checkpoint that each chain of a directory has on record. Signatures are not checked.

    Raises:
        AuditError: a file cannot be read.
    """
    try:
        chains = [path for path in sorted(directory.iterdir()) if is_chain(path.name) and path.is_dir()]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise AuditError(f"{directory}: {error.strerror}") from error
    found = ((path.name, newest_checkpoint(path)) for path in chains)
    return {chain: signed for chain, signed in found if signed is not None}


def _difference(directory: Path, anchored: Checkpoint) -> str | None:
    """What is in a chain's directory instead of what is anchored; None: that itself."""
    chain = _chain(directory)
    if chain is None:
        return f"there is nothing of it in {directory} (a replica with records of its own needs anchors of its own)"
    try:
        head, _ = read_line(next(lines_from(chain, anchored.size)))
    except NoSuchRecordError:
        last = _last_seq(chain)
        if last < anchored.size:
            return f"the record in {directory} ends with record {last}: its end was cut off, or an older copy was put back"
        return f"record {anchored.size} is not in its place in {directory}"
    except DamagedChainError as error:
        return f"record {anchored.size} in {directory} is damaged: {error.damage}"
    if (head.chain, head.seq, head.hash) == (anchored.chain, anchored.size, anchored.head):
        return None
    return f"record {anchored.size} in {directory} is another one: the record was written anew"


def _chain(directory: Path) -> ChainFiles | None:
    try:
        if not in_order(path.name for path in directory.iterdir()):
            return None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AuditError(f"{directory}: {error.strerror}") from error
    return find_chains(directory)[0]


def _last_seq(chain: ChainFiles) -> int:
    """The number of the last whole line that is a record; 0: there is none."""
    for file in reversed(chain.files):
        last = b""
        for line in read_lines(file):
            last = line if line.endswith(b"\n") else last
        try:
            head, _ = read_line(last)
        except DamagedChainError:
            continue
        return head.seq
    return 0
