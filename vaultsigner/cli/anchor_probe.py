"""Whether each anchor would take checkpoints, found out without leaving anything there."""

import asyncio
from pathlib import Path

from vaultsigner.audit.anchors.anchor import Anchor, AnchorError
from vaultsigner.audit.anchors.opening import open_anchors
from vaultsigner.cli.anchor_findings import AnchorFinding
from vaultsigner.config.settings import AnchorSettings, AuditSettings, DirectoryAnchor


async def try_anchors(audit: AuditSettings, *, offline: bool = False) -> tuple[AnchorFinding, ...]:
    """Try them, all at the same time.

    Args:
        offline: only those on this machine.
    """
    opened = open_anchors(audit.anchors)
    pairs = zip(audit.anchors, opened, strict=True)
    return tuple(await asyncio.gather(*(_try(audit, each, anchor, offline) for each, anchor in pairs)))


async def _try(
    audit: AuditSettings, settings: AnchorSettings, anchor: Anchor, offline: bool
) -> AnchorFinding:
    found, problem, caution = None, None, None
    try:
        if not (offline and anchor.kind != "directory"):
            found = await anchor.probe()
            caution = _caution(audit.directory, settings)
    except AnchorError as error:
        problem = str(error)
    finally:
        await anchor.close()
    return AnchorFinding(anchor.name, anchor.kind, anchor.required, found, problem, caution)


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
