"""Where a record stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditPosition:
    """Where a record stands: its chain and its sequence number in it."""

    chain: str
    seq: int
