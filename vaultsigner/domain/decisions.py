"""What policy says."""

from dataclasses import dataclass
from typing import Literal

Effect = Literal["allow", "deny"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of evaluating one intent.

    Args:
        effect: allow or deny.
        rule: id of the rule that decided; None when no rule matched (which denies).
        policy: `sha256:<hex>` of the policy set that was in force.
        reason: for people, e.g. `rule desk-trades allows`, `no rule matches`.
    """

    effect: Effect
    rule: str | None
    policy: str
    reason: str

    @property
    def allowed(self) -> bool:
        """True only for an allow."""
        return self.effect == "allow"
