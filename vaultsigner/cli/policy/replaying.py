"""Decides what is on the record once more, under other rules, and gathers what would have been different."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from vaultsigner.cli.policy.recorded import RecordedRequest, RecordReader
from vaultsigner.domain.decisions import Approvals, Decision
from vaultsigner.policy import PolicySet, Rule
from vaultsigner.policy.facts import Question
from vaultsigner.policy.limits import LimitRule

Verdict = Literal["deny", "over a limit", "allow after approvals", "allow"]
MOST_CHANGES = 10_000
"""Kinds of change that are told apart. What comes later is counted alone: a record may have any number of callers."""
EXAMPLES = 3


class ChangeKey(NamedTuple):
    """What makes two changes the same one, for a person who reads about them."""

    operation: str
    principal: str
    target: str
    was: str
    was_by: str | None
    now: Verdict
    now_by: str | None


class Place(NamedTuple):
    """A record, by where to find it."""

    chain: str
    seq: int
    time: str


@dataclass(slots=True)
class Change:
    """Requests that would have been decided otherwise, all in the same way.

    Args:
        why: what the new rules say of the first of them.
        first, last: when.
        examples: the first few.
    """

    why: str
    first: str
    last: str
    count: int = 0
    examples: list[Place] = field(default_factory=list)


@dataclass(slots=True)
class Condition:
    """What a rule asks for beside its conditions, and how many of the requests it would have allowed only so."""

    limits: tuple[LimitRule, ...]
    approvals: Approvals | None
    count: int = 0


class Replay:
    """Counts what would have changed. Its size depends on the rules and on the kinds of change, not on the records.

    Limits and approvals are conditions of an answer here, and are not replayed: whether a window was full depends on what else
    would have been allowed, and nobody knows whom approvers would have trusted. Only what one request by itself puts over a limit
    is certain, and counts as refused.

    Args:
        policies: the new rules.
        since: what is older is left out; None: nothing is.
    """

    def __init__(self, policies: PolicySet, since: datetime | None = None) -> None:
        self.policies = policies
        self.since = since
        self.intents = 0
        self.changed = 0
        self.other_rule = 0
        self.unusable = 0
        self.left_out = 0
        self.changes: dict[ChangeKey, Change] = {}
        self.conditions: dict[str, Condition] = {}
        self._reader = RecordReader(policies)
        self._rules = {rule.id: rule for rule in policies.rules}

    def take(self, record: Mapping[str, Any]) -> bool:
        """Decide one record. False where it is of no use, though its kind says that it is an intent."""
        request = self._reader.request(record)
        if request is None:
            self.unusable += 1
            return False
        if self.since is not None and request.circumstances.at < self.since:
            return True
        self.intents += 1
        decision = self.policies.evaluate(request.principal, request.intent, request.circumstances)
        now = verdict(decision)
        if decision.limits or decision.approvals:
            self._condition(decision)
        was = self._then(request, decision)
        if was != now:
            self._change(record, request, was, now, decision)
        elif request.rule != decision.rule:
            self.other_rule += 1
        return True

    def _then(self, request: RecordedRequest, decision: Decision) -> str:
        """What came of it. The very rules that are asked now decided alike then, be the record silent about approvals or not."""
        same = decision.approvals is not None and request.policy == self.policies.digest
        return (
            "allow after approvals"
            if request.effect == "allow" and (request.approvals or same)
            else request.effect
        )

    def _condition(self, decision: Decision) -> None:
        rule = self._rules[decision.rule or ""]
        condition = self.conditions.get(rule.id)
        if condition is None:
            condition = self.conditions[rule.id] = Condition(rule.limits, rule.approvals)
        condition.count += 1

    def _change(
        self, record: Mapping[str, Any], request: RecordedRequest, was: str, now: Verdict, decision: Decision
    ) -> None:
        self.changed += 1
        intent, time = request.intent, str(record["time"])
        key = ChangeKey(
            intent.operation, str(request.principal), intent.target, was, request.rule, now, decision.rule
        )
        change = self.changes.get(key)
        if change is None:
            if len(self.changes) >= MOST_CHANGES:
                self.left_out += 1
                return
            change = self.changes[key] = Change(self._why(request, decision), time, time)
        change.count += 1
        change.first, change.last = min(change.first, time), max(change.last, time)
        if len(change.examples) < EXAMPLES:
            change.examples.append(Place(str(record.get("chain")), _number(record.get("seq")), time))

    def _why(self, request: RecordedRequest, decision: Decision) -> str:
        """Where no rule matches: why not the one that decided then, or else the first that speaks of such requests at all."""
        over = next((limit for limit in decision.limits if limit.use > limit.max), None)
        if over is not None:
            return f"{decision.reason}, but alone it is over limit {over.index + 1} of that rule"
        if decision.allowed or decision.rule is not None:
            return decision.reason
        question = Question(request.principal, request.intent, request.circumstances)
        rule = self._rules.get(request.rule or "") or self._meant_for(question)
        return decision.reason if rule is None else f"rule {rule.id}: {rule.match(question).why}"

    def _meant_for(self, question: Question) -> Rule | None:
        return next((rule for rule in self.policies.rules if _speaks_of(rule, question)), None)


def verdict(decision: Decision) -> Verdict:
    """What would come of it, as far as one request alone can tell."""
    if not decision.allowed:
        return "deny"
    if decision.limits and any(limit.use > limit.max for limit in decision.limits):
        return "over a limit"
    return "allow" if decision.approvals is None else "allow after approvals"


def _speaks_of(rule: Rule, question: Question) -> bool:
    return (
        rule.effect == "allow"
        and question.operation in rule.operations
        and rule.principals.match(question.who)
        and rule.targets.match(question.target)
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
