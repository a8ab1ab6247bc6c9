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
        for number in self._denying.candidates(question):
            rule = self.rules[number]
            if rule.match(question).matched:
                return Decision("deny", rule.id, self.digest, f"rule {rule.id} denies")
        allowing = self._allowing_rule(question)
        if allowing is None:
            return Decision("deny", None, self.digest, "no rule matches")
        limits = allowing.applied_limits(question)
        reason = f"rule {allowing.id} allows"
        return Decision("allow", allowing.id, self.digest, reason, limits, allowing.approvals)

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

    def _allowing_rule(self, question: Question) -> Rule | None:
        after_approvals: Rule | None = None
        for number in self._allowing.candidates(question):
            rule = self.rules[number]
            if rule.match(question).matched:
                if rule.approvals is None:
                    return rule
                after_approvals = after_approvals or rule
        return after_approvals


def _explained(rule: Rule, question: Question) -> RuleExplanation:
    match = rule.match(question)
    place = str(rule.place or "")
    return RuleExplanation(rule.id, rule.effect, place, match.matched, match.why)
