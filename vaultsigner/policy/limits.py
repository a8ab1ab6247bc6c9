"""Limits of rules: what one request would use of which window."""

from dataclasses import dataclass
from decimal import Decimal

from vaultsigner.domain.decisions import Limit, LimitKind, LimitScope
from vaultsigner.policy.decimals import total
from vaultsigner.policy.facts import Facts, Question, Unmet

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class LimitRule:
    """One of a rule's `limits`.

    Args:
        kind: whether requests are counted or a field is summed.
        field: what is summed; None for counts.
        max: the most that the window may hold.
        every_seconds: how long a use stays in the window.
        per: who shares a window.
    """

    kind: LimitKind
    field: str | None
    max: Decimal
    every_seconds: int
    per: LimitScope

    def resembles(self, other: "LimitRule") -> bool:
        """Whether both count the same for the same; only how much, or for how long, may differ."""
        return (self.kind, self.field, self.per) == (other.kind, other.field, other.per)

    def use(self, items: tuple[Facts, ...]) -> Decimal | Unmet:
        """What a request of these items would use: 1, or the exact sum over all of them."""
        if self.field is None:
            return _ONE
        values = []
        for facts in items:
            value = facts.decimal(self.field)
            if isinstance(value, Unmet):
                return Unmet(f"{value.why}, and a limit sums it", unknown=True)
            values.append(value)
        return total(values)

    def applied(self, rule: str, index: int, question: Question) -> Limit | Unmet:
        """The limit for one request."""
        use = self.use(question.items)
        if isinstance(use, Unmet):
            return use
        key = self.key(rule, index, self._whose(question))
        return Limit(rule, index, self.kind, self.field, self.max, self.every_seconds, self.per, key, use)

    def key(self, rule: str, index: int, whose: str) -> str:
        """The window's own.

        Args:
            rule: the rule's id.
            index: see `Limit`.
            whose: of those that have a window each, `user:sam` or `wallet:hot`; `rule` where all share one.
        """
        return f"{rule}/{self._what()}/{index}/{whose}"

    def _what(self) -> str:
        # Counts and sums of one place in the file must never be added up after the file was changed.
        return "count" if self.field is None else f"sum:{self.field}"

    def _whose(self, question: Question) -> str:
        if self.per == "principal":
            return question.who
        return question.target if self.per == "target" else "rule"
