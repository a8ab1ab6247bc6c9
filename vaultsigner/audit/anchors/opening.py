"""Makes the anchors of a configuration."""

from collections.abc import Iterable

from vaultsigner.audit.anchors.anchor import Anchor
from vaultsigner.audit.anchors.bucket import CheckpointBucket
from vaultsigner.audit.anchors.directory import CheckpointDirectory
from vaultsigner.audit.anchors.witness import Witness
from vaultsigner.config.anchor_settings import AnchorSettings, DirectoryAnchor, WitnessAnchor


def open_anchors(settings: Iterable[AnchorSettings]) -> tuple[Anchor, ...]:
    """The anchors of a configuration, in its order. Nothing is asked yet; whoever opens them closes them."""
    return tuple(map(_anchor, settings))


def _anchor(settings: AnchorSettings) -> Anchor:
    if isinstance(settings, DirectoryAnchor):
        return CheckpointDirectory(settings)
    return Witness(settings) if isinstance(settings, WitnessAnchor) else CheckpointBucket(settings)
