"""Whether each anchor would take checkpoints, and let the service start, found out without leaving anything there."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from vaultsigner.audit.anchors.anchor import Anchor, AnchorError
from vaultsigner.audit.anchors.opening import open_anchors
from vaultsigner.audit.anchors.rollback import compare_with_anchors
from vaultsigner.cli.anchor_findings import AnchorFinding
from vaultsigner.config.anchor_settings import AnchorSettings, DirectoryAnchor
from vaultsigner.config.settings import AuditSettings
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import AuditError

AGAIN_SECONDS = 2.0
"""A service that runs may be between its record and what an anchor says of it; not for long."""


async def try_anchors(
    audit: AuditSettings, *, keys: Sequence[VerifierKey] = (), offline: bool = False
) -> tuple[AnchorFinding, ...]:
    """Try them, all at the same time.

    Args:
        keys: by which checkpoints are checked; none: what anchors say of the record is not asked.
        offline: only those on this machine.
    """
    opened = open_anchors(audit.anchors)
    pairs = zip(audit.anchors, opened, strict=True)
    return tuple(await asyncio.gather(*(_try(audit, each, anchor, keys, offline) for each, anchor in pairs)))


async def _try(
    audit: AuditSettings, settings: AnchorSettings, anchor: Anchor, keys: Sequence[VerifierKey], offline: bool
) -> AnchorFinding:
    found, problem, caution = None, None, None
    obstacles: tuple[str, ...] = ()
    try:
        if not (offline and anchor.kind != "directory"):
            found = await anchor.probe()
            caution = _caution(audit.directory, settings)
            obstacles = await _obstacles(audit, anchor, keys) if keys else ()
    except AnchorError as error:
        problem = str(error)
    finally:
        await anchor.close()
    return AnchorFinding(anchor.name, anchor.kind, anchor.required, found, problem, caution, obstacles)


async def _obstacles(audit: AuditSettings, anchor: Anchor, keys: Sequence[VerifierKey]) -> tuple[str, ...]:
    found = await _compared(audit, anchor, keys)
    if found:
        await asyncio.sleep(AGAIN_SECONDS)
        found = await _compared(audit, anchor, keys)
    return found


async def _compared(audit: AuditSettings, anchor: Anchor, keys: Sequence[VerifierKey]) -> tuple[str, ...]:
    try:
        comparison = await compare_with_anchors(audit.directory, (anchor,), keys)
    except AuditError as error:
        return (str(error),)
    return comparison.obstacles(audit.accepted_rollbacks)


def _caution(record: Path, settings: AnchorSettings) -> str | None:
    if isinstance(settings, DirectoryAnchor) and _device(record) == _device(settings.directory):
        return (
            "it is on the same file system as the record: whoever changes the one can change the other, and what breaks the one "
            "breaks the other"
        )
    return None


def _device(directory: Path) -> int:
    """Of the nearest directory that is there."""
    there = directory.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    return there.stat().st_dev
