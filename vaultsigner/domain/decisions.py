"""What policy says."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Effect = Literal["allow", "deny"]
LimitKind = Literal["count", "sum"]
LimitScope = Literal["principal", "target", "rule"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What one request would use of one rolling window, to be reserved before a key is used.

    Args:
        rule: id of the rule that has the limit.
        index: which of those limits of the rule that count the same for the same, from 0.
        kind: whether requests are counted or a field is summed.
        field: what is summed; None for counts.
        max: the most that the window may hold.
        every_seconds: how long a use stays in the window.
        per: whether each principal, each target, or the rule as a whole has a window of its own.
        key: the window's own; equal for two requests exactly when they share it. It does not depend on `max` or
            `every_seconds`: a changed limit goes on from what was used.
        use: 1, or the exact sum over all items; never negative.
    """

    rule: str
    index: int
    kind: LimitKind
    field: str | None
    max: Decimal
    every_seconds: int
    per: LimitScope
    key: str
    use: Decimal


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who must say yes before the request is carried out.

    Args:
        count: how many of them.
        of: the users who may, as policies name them (`user:ann`), groups written out, sorted. Who asks is not left out here.
        within_seconds: how long they have, and how long their yes is good.
    """

    count: int
    of: tuple[str, ...]
    within_seconds: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of evaluating one intent.

    Args:
        effect: allow or deny.
        rule: id of the rule that decided; None when no rule matched (which denies).
        policy: `sha256:<hex>` of the policy set that was in force.
        reason: for people, e.g. `rule desk-trades allows`, `no rule matches`.
        limits: of the rule that allows; all of them must hold.
        approvals: that the rule asks for. The effect is allow then, too: whoever acts on it must see to the approvals first.
    """

    effect: Effect
    rule: str | None
    policy: str
    reason: str
    limits: tuple[Limit, ...] = ()
    approvals: Approvals | None = None

    @property
    def allowed(self) -> bool:
        """True only for an allow, be it under limits or after approvals."""
        return self.effect == "allow"
