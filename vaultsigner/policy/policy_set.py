"""All rules together, and the decision they come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.principals import Principal
from vaultsigner.policy.explanation import Explanation, RuleExplanation
from vaultsigner.policy.facts import Question
from vaultsigner.policy.index import RuleIndex
from vaultsigner.policy.places import Place
from vaultsigner.policy.rules import Rule

Meant = tuple[tuple[Rule, ...], tuple[Rule, ...]]
"""Rules that speak of a request: those that deny, and those that allow."""
MOST_KEPT = 4096
FEW_RULES = 64
"""Answers of the indexes that are kept, and how many rules one of them may have: a few megabytes, whatever is asked."""


@dataclass(frozen=True, slots=True)
class Group:
    """One of `groups`: its members as `user:ann`, and where it stands."""

    members: tuple[str, ...]
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The rules of every policy file, in the order of file names and lines, and the digest of those files.

    Args:
        digest: `sha256:<hex>` over names and bytes of the files.
        rules: in order. The order decides only which of several allowing (or denying) rules is named.
        groups: by name, for messages; rules have the members themselves.
    """

    digest: str
    rules: tuple[Rule, ...]
    groups: Mapping[str, Group] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    _denying: RuleIndex = field(init=False, repr=False, compare=False)
    _allowing: RuleIndex = field(init=False, repr=False, compare=False)
    _looked_up: dict[tuple[str, str, str], Meant] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """What the indexes answered: callers ask again and again."""

    def __post_init__(self) -> None:
        numbered = list(enumerate(self.rules))
        denying = RuleIndex([(number, rule) for number, rule in numbered if rule.effect == "deny"])
        allowing = RuleIndex([(number, rule) for number, rule in numbered if rule.effect == "allow"])
        object.__setattr__(self, "_denying", denying)
        object.__setattr__(self, "_allowing", allowing)

    def evaluate(
        self, principal: Principal, intent: Intent, circumstances: Circumstances | None = None
    ) -> Decision:
        """What the rules say: deny wins over allow, and where no rule matches it is deny.

        Of several rules that deny, the first is named. Of several that allow, the first that needs no approvals is named,
        else the first; its limits and approvals are those that count.

        Args:
            principal: who asks.
            intent: what for, decoded.
            circumstances: where from and when. Without them no rule that asks for these allows, and every one that denies
                counts the question as met.
        """
        question = Question(principal, intent, circumstances)
        rule = self.deciding_rule(question)
        if rule is None:
            return Decision("deny", None, self.digest, "no rule matches")
        if rule.effect == "deny":
            return Decision("deny", rule.id, self.digest, f"rule {rule.id} denies")
        limits = rule.applied_limits(question)
        return Decision("allow", rule.id, self.digest, f"rule {rule.id} allows", limits, rule.approvals)

    def deciding_rule(self, question: Question) -> Rule | None:
        """The rule that `evaluate` names; None where none matches, which denies."""
        denying, allowing = self._meant_for(question)
        for rule in denying:
            if rule.judge(question).matched:
                return rule
        after_approvals: Rule | None = None
        for rule in allowing:
            if (rule.approvals is None or after_approvals is None) and rule.judge(question).matched:
                if rule.approvals is None:
                    return rule
                after_approvals = rule
        return after_approvals

    def explain(
        self, principal: Principal, intent: Intent, circumstances: Circumstances | None = None
    ) -> Explanation:
        """The decision, and what each rule has to do with it. Slower than `evaluate`: no rule is skipped.

        Args:
            principal, intent, circumstances: as for `evaluate`.
        """
        question = Question(principal, intent, circumstances)
        told = tuple(_explained(rule, question) for rule in self.rules)
        return Explanation(told, self.evaluate(principal, intent, circumstances))

    def _meant_for(self, question: Question) -> Meant:
        """The rules that speak of such requests, in order. Nothing but operation, who asks and target counts for that."""
        key = (question.operation, question.who, question.target)
        known = self._looked_up.get(key)
        if known is None:
            known = (self._found(self._denying, question), self._found(self._allowing, question))
            if len(known[0]) + len(known[1]) <= FEW_RULES:
                if len(self._looked_up) >= MOST_KEPT:
                    self._looked_up.clear()
                self._looked_up[key] = known
        return known

    def _found(self, index: RuleIndex, question: Question) -> tuple[Rule, ...]:
        rules = (self.rules[number] for number in index.candidates(question))
        return tuple(rule for rule in rules if rule.is_meant_for(question))


def _explained(rule: Rule, question: Question) -> RuleExplanation:
    match = rule.match(question)
    place = str(rule.place or "")
    return RuleExplanation(rule.id, rule.effect, place, match.matched, match.why)
