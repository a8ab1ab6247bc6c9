"""All rules together, and the decision they come to."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy.explanation import Explanation, RuleExplanation
from vaultsigner.policy.rules import Rule


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The rules of every policy file, in the order of file names and lines, and the digest of those files.

    Args:
        digest: `sha256:<hex>` over names and bytes of the files.
        rules: in order. The order decides only which of several allowing (or denying) rules is named.
    """

    digest: str
    rules: tuple[Rule, ...]
    _denying: dict[Operation, tuple[Rule, ...]] = field(init=False, repr=False, compare=False)
    _allowing: dict[Operation, tuple[Rule, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "_denying", _by_operation(rule for rule in self.rules if rule.effect == "deny")
        )
        object.__setattr__(
            self, "_allowing", _by_operation(rule for rule in self.rules if rule.effect == "allow")
        )

    def explain(
        self, principal: Principal, intent: Intent, circumstances: Circumstances | None = None
    ) -> Explanation:
        """The decision, and what each rule has to do with it. Slower than `evaluate`: no rule is skipped."""
        told = tuple(_explained(rule, principal, intent) for rule in self.rules)
        return Explanation(told, self.evaluate(principal, intent, circumstances))

    def evaluate(
        self,
        principal: Principal,
        intent: Intent,
        circumstances: Circumstances | None = None,
    ) -> Decision:
        """What the rules say: deny wins over allow, and where no rule matches it is deny.

        Args:
            principal: who asks.
            intent: what for, decoded.
            circumstances: where from and when.
        """
        who = str(principal)
        for rule in self._denying.get(intent.operation, ()):
            if _matches(rule, who, intent.target):
                return Decision("deny", rule.id, self.digest, f"rule {rule.id} denies")
        for rule in self._allowing.get(intent.operation, ()):
            if _matches(rule, who, intent.target):
                return Decision("allow", rule.id, self.digest, f"rule {rule.id} allows")
        return Decision("deny", None, self.digest, "no rule matches")


def _matches(rule: Rule, who: str, target: str) -> bool:
    return rule.principals.match(who) and rule.targets.match(target)


def _explained(rule: Rule, principal: Principal, intent: Intent) -> RuleExplanation:
    why = "matches"
    if intent.operation not in rule.operations:
        why = f"it is not for {intent.operation}"
    elif not rule.principals.match(str(principal)):
        why = f"it is not for {principal}"
    elif not rule.targets.match(intent.target):
        why = f"it is not for {intent.target}"
    return RuleExplanation(rule.id, rule.effect, rule.place, why == "matches", why)


def _by_operation(rules: Iterable[Rule]) -> dict[Operation, tuple[Rule, ...]]:
    index: dict[Operation, list[Rule]] = {}
    for rule in rules:
        for operation in rule.operations:
            index.setdefault(operation, []).append(rule)
    return {operation: tuple(found) for operation, found in index.items()}
