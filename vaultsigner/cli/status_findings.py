"""What `vaultsigner status` finds of each part. Never holds a secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vaultsigner.cli.status_figures import ServiceFigures


@dataclass(frozen=True, slots=True)
class ServiceFinding:
    """What the service says of itself on its operations port.

    Args:
        address: of that port.
        running: something answered as the service does.
        ready: it would sign now.
        problems: why not; also why nothing answered.
        warnings: what stands in no signature's way.
        unusable: wallets, exchanges and Open API apps that it says cannot be used now (`wallet hot`), and why.
        figures: None where it told none.
    """

    address: str
    running: bool
    ready: bool
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unusable: Mapping[str, str] = field(default_factory=dict)
    figures: ServiceFigures | None = None


@dataclass(frozen=True, slots=True)
class VaultGlance:
    """What Vault says of itself to anybody: active, standby, sealed, not initialised; or why it says nothing."""

    address: str
    state: str
    version: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyGlance:
    """The policies as they lie in their directory now."""

    directory: str
    digest: str | None = None
    rules: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class StateGlance:
    """What the state knows.

    Args:
        where: which database, without a password.
        chains: how many chains of the record it knows of: one for each process that ever wrote one and is not resumed.
        suspensions: with `kind`, `name`, `reason`, `by`, `since`.
        approvals: with `id`, `status`, `requested_by`, `rule`, `expires_at`.
        limits: each window of which something is used, as GET /api/limits has them.
    """

    engine: Literal["sqlite", "postgresql"]
    where: str
    problem: str | None = None
    chains: int = 0
    suspensions: tuple[Mapping[str, Any], ...] = ()
    approvals: tuple[Mapping[str, Any], ...] = ()
    limits: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class AnchorGlance:
    """One anchor: when the newest checkpoint in it was signed (as it says itself), or why that is not known."""

    name: str
    kind: str
    newest: str | None = None
    problem: str | None = None
