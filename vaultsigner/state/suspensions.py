"""Who or what is stopped for the time being. Pure."""

from dataclasses import dataclass
from typing import Literal

SuspensionKind = Literal["wallet", "client", "user", "exchange", "all"]


@dataclass(frozen=True, slots=True)
class Suspension:
    """One stop.

    Args:
        name: of what is stopped; empty where `kind` is `all`.
        reason: for people.
        by: whoever stopped it.
        at_ms: when.
    """

    kind: SuspensionKind
    name: str
    reason: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Suspensions:
    """All that is stopped at one moment.

    Args:
        version: another number after each change.
    """

    version: int
    suspended: tuple[Suspension, ...] = ()
