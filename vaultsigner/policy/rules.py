"""One rule: whom and what it speaks of, and whether it matches a request."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import NamedTuple

from vaultsigner.domain.decisions import Approvals, Effect, Limit
from vaultsigner.domain.names import Operation
from vaultsigner.policy.conditions import Condition
from vaultsigner.policy.facts import Facts, Question, Unmet
from vaultsigner.policy.limits import LimitRule
from vaultsigner.policy.operations import OPERATIONS
from vaultsigner.policy.places import Place

__all__ = ["OPERATIONS", "Match", "NamePatterns", "Rule"]


@dataclass(frozen=True, slots=True)
class NamePatterns:
    """Which names a rule means: every one of a kind, or some by name.

    Args:
        everything: `*`, or nothing written at all.
        kinds: of `user:*`, the `user`.
        names: complete ones, such as `user:sam`.
        groups: names of groups, for messages.
        members: of those groups, complete names.
    """

    everything: bool = False
    kinds: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()

    def match(self, name: str) -> bool:
        """True when `kind:name` is meant."""
        return (
            self.everything
            or name in self.names
            or name in self.members
            or name.partition(":")[0] in self.kinds
        )


class Match(NamedTuple):
    """Whether a rule matches, and for people why, or the first reason why not; put together only when somebody asks."""

    matched: bool
    words: str | Callable[[], str] = "matches"

    @property
    def why(self) -> str:
        """The words."""
        return self.words if isinstance(self.words, str) else self.words()


_MATCHES = Match(True)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a policy file.

    Args:
        id: unique over all files.
        effect: what it says where it matches.
        principals, targets: for whom and on what.
        operations: written out, patterns resolved.
        place: where it stands, for messages; None where it comes from no file.
        conditions: all must hold.
        limits: of an allow rule.
        approvals: of an allow rule, groups written out.
        expires: the last day, by UTC, on which an allow rule matches.
    """

    id: str
    effect: Effect
    principals: NamePatterns
    targets: NamePatterns
    operations: frozenset[Operation]
    place: Place | None = field(default=None, compare=False)
    conditions: tuple[Condition, ...] = ()
    limits: tuple[LimitRule, ...] = ()
    approvals: Approvals | None = None
    expires: date | None = None

    def match(self, question: Question) -> Match:
        """Whether the rule matches. Names are asked first: they cost least."""
        if question.operation not in self.operations:
            return Match(False, f"it is not for {question.operation}")
        if not self.principals.match(question.who):
            return Match(False, f"it is not for {question.who}")
        if not self.targets.match(question.target):
            return Match(False, f"it is not for {question.target}")
        return self.judge(question)

    def is_meant_for(self, question: Question) -> bool:
        """Whether it speaks of such requests at all: of the operation, of who asks and of the target."""
        return (
            question.operation in self.operations
            and self.principals.match(question.who)
            and self.targets.match(question.target)
        )

    def judge(self, question: Question) -> Match:
        """Whether the rule matches a request that it is meant for."""
        return self._denies(question) if self.effect == "deny" else self._allows(question)

    def applied_limits(self, question: Question) -> tuple[Limit, ...]:
        """The limits for a request that the rule matches.

        Raises:
            ValueError: it matches no such request: a limit left out would let through what it should count.
        """
        applied = []
        for index, limit in self.numbered_limits():
            found = limit.applied(self.id, index, question)
            if isinstance(found, Unmet):
                raise ValueError(found.why)  # noqa: TRY004 - what is wrong is what the request says
            applied.append(found)
        return tuple(applied)

    def numbered_limits(self) -> Iterator[tuple[int, LimitRule]]:
        """Each limit with its number among those that count the same for the same."""
        for place, limit in enumerate(self.limits):
            # Told apart from its likes alone: another limit written before it must not begin its window anew.
            yield sum(limit.resembles(earlier) for earlier in self.limits[:place]), limit

    def _denies(self, question: Question) -> Match:
        """One item is enough, and for it every condition must hold or be a question that nobody can answer."""
        first: Unmet | None = None
        for facts in question.items:
            sure: Unmet | None = None
            unknown: Unmet | None = None
            for condition in self.conditions:
                found = condition.unmet(facts)
                if found is None:
                    continue
                if not found.unknown:
                    sure = found
                    break
                unknown = unknown or found
            if sure is None:
                return _MATCHES if unknown is None else Match(True, f"{unknown.why}: counts as met")
            first = first or sure
        return Match(False, first.words if first else "no item matches")

    def _allows(self, question: Question) -> Match:
        """Every item must meet every condition, and every limit must be countable."""
        if self.expires is not None:
            if question.circumstances is None:
                return Match(False, "it expires, and the time of the request is not known")
            if question.circumstances.at.astimezone(UTC).date() > self.expires:
                return Match(False, f"it expired with {self.expires}")
        for number, facts in enumerate(question.items):
            unmet = self._first_unmet(facts)
            if unmet is not None:
                return Match(
                    False, unmet.words if len(question.items) == 1 else _of_item(number, question, unmet)
                )
        for limit in self.limits:
            use = limit.use(question.items)
            if isinstance(use, Unmet):
                return Match(False, use.words)
        return _MATCHES

    def _first_unmet(self, facts: Facts) -> Unmet | None:
        for condition in self.conditions:
            found = condition.unmet(facts)
            if found is not None:
                return found
        return None


def _of_item(number: int, question: Question, unmet: Unmet) -> Callable[[], str]:
    return lambda: f"item {number + 1} of {len(question.items)}: {unmet.why}"
