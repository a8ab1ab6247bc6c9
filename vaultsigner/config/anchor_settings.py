"""Where else than in the record its checkpoints are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

RetentionMode = Literal["compliance", "governance"]


@dataclass(frozen=True, slots=True)
class DirectoryAnchor:
    """Checkpoints are kept in a second directory, best on a disk or a machine with another keeper.

    Args:
        required: of every kind of anchor: a start fails where it cannot be asked how far the record has been.
    """

    name: str
    directory: Path
    required: bool = True


@dataclass(frozen=True, slots=True)
class WitnessAnchor:
    """Checkpoints go to an HTTPS endpoint that remembers the newest (C2SP tlog-witness).

    Args:
        url: `/add-checkpoint` is put behind it; no trailing slash; https, but for this machine's own.
        ca_cert: PEM file of a private authority; None: those of the system.
    """

    name: str
    url: str
    ca_cert: Path | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class BucketAnchor:
    """Checkpoints are kept in an S3 bucket with object lock.

    Args:
        prefix: of every object's key; empty, or ends with a slash.
        retain_days: how long nobody can delete an object.
        mode: `compliance`: nobody at all, not even the account's owner; `governance`: but for those with a right of their own.
        region, endpoint_url: None: as AWS's own tools find them.
    """

    name: str
    bucket: str
    retain_days: int
    prefix: str = "vaultsigner/"
    mode: RetentionMode = "compliance"
    region: str | None = None
    endpoint_url: str | None = None
    required: bool = True


AnchorSettings = DirectoryAnchor | WitnessAnchor | BucketAnchor
