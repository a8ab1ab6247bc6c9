"""Before a start: neither the record nor the state may be an older copy than what was signed of the record."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from vaultsigner.audit.anchors.anchor import Anchor
from vaultsigner.audit.anchors.rollback import Comparison, Rollback, compare_with_anchors, find_rollbacks
from vaultsigner.config.settings import AuditSettings
from vaultsigner.domain.checkpoints import Checkpoint
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import AuditError
from vaultsigner.state import NotedCheckpoint, State

AGAIN_SECONDS = 2.0
"""A replica that writes to the same directory may be between its record and what an anchor says of it; not for long."""

log = structlog.get_logger(__name__)


class RolledBackError(AuditError):
    """The record or the state is behind what was signed, and the configuration does not accept that by name."""

    code = "rolled_back"


@dataclass(frozen=True, slots=True)
class StartCheck:
    """What was found before a start that may go on.

    Args:
        closed: chains that are behind and accepted so: they must not go on.
        distrusted: what lies in anchors and counts for nothing.
    """

    closed: frozenset[str]
    distrusted: tuple[str, ...]


async def require_not_rolled_back(
    settings: AuditSettings,
    anchors: Sequence[Anchor],
    keys: Sequence[VerifierKey],
    state: State,
    *,
    alone: bool,
) -> StartCheck:
    """Compare the record with its anchors and with what the state knows of it, and the state with the anchors.

    Args:
        alone: whether all chains that the state knows must be in this directory.

    Raises:
        RolledBackError: a start is refused; what to do is in the message.
        AuditError, StateError: the record or the state cannot be read.
    """
    obstacles, comparison = await _compare(settings, anchors, keys, state, alone=alone)
    if obstacles:
        await asyncio.sleep(AGAIN_SECONDS)
        obstacles, comparison = await _compare(settings, anchors, keys, state, alone=alone)
    for each in comparison.distrusted:
        log.warning("anchor_distrusted", problem=each)
    for silent in comparison.unanswered:
        log.warning("anchor_unanswered", problem=str(silent))
    if obstacles:
        raise RolledBackError("\n".join(obstacles))
    closed = comparison.closed(settings.accepted_rollbacks)
    for chain in sorted(closed):
        log.warning("rollback_accepted", chain=chain)
    return StartCheck(closed, comparison.distrusted)


async def _compare(
    settings: AuditSettings,
    anchors: Sequence[Anchor],
    keys: Sequence[VerifierKey],
    state: State,
    *,
    alone: bool,
) -> tuple[list[str], Comparison]:
    # Whoever writes meanwhile brings the record forward, then the state, then the anchors: asked in the reverse order.
    asked = await compare_with_anchors(settings.directory, anchors, keys)
    noted = {each.chain: each for each in await state.noted_checkpoints()}
    behind = await asyncio.to_thread(_behind_state, settings, noted.values(), alone=alone)
    comparison = replace(asked, rollbacks=(*asked.rollbacks, *behind))
    accepted = settings.accepted_rollbacks
    return [*comparison.obstacles(accepted), *_state_behind(asked.sizes, noted, accepted)], comparison


def is_anothers(noted: NotedCheckpoint, replica: str | None) -> bool:
    """Whether a chain belongs into another directory than the one of this name."""
    return replica is not None and noted.replica not in ("", replica)


def _behind_state(
    settings: AuditSettings, noted: Collection[NotedCheckpoint], *, alone: bool
) -> Sequence[Rollback]:
    """Replicas on other machines may have directories of their own: only what has our directory's name must be in it."""
    directory, replica = settings.directory, settings.replica
    here = {
        each.chain: Checkpoint(each.chain, each.size, b"", each.head, 0)
        for each in noted
        if not is_anothers(each, replica)
        and (alone or each.replica == replica or (directory / each.chain).is_dir())
    }
    return find_rollbacks(directory, here, "the state database")


def _state_behind(
    sizes: Mapping[str, int], noted: Mapping[str, NotedCheckpoint], accepted: Collection[str]
) -> Iterator[str]:
    for chain, size in sizes.items():
        known = noted[chain].size if chain in noted else 0
        name = f"state:{chain}:{size}"
        if known < size and name not in accepted:
            yield (
                f"ROLLBACK of the state database: it knows {known} records of chain {chain}, and an anchor has a checkpoint of "
                f"{size}: it is another database, or an older copy was put back, which has forgotten signatures that were used, "
                "limits, and sequences. Put the right one back; or, once you know what happened and have waited until no signed "
                f'request of that time is good any more, write "{name}" into audit.accepted_rollbacks'
            )
