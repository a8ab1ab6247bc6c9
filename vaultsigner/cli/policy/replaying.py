"""Decides what is on the record once more, under other rules, and gathers what would have been different."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from vaultsigner.cli.policy.recorded import RecordedDecision, RecordReader
from vaultsigner.domain.decisions import Approvals
from vaultsigner.policy import PolicySet, Rule
from vaultsigner.policy.facts import Question, Unmet
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


class _Found(NamedTuple):
    """How a request was decided, and how it would be."""

    question: Question
    rule: Rule | None
    was: str
    was_by: str | None
    now: Verdict


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
        question = Question(request.principal, request.intent, request.circumstances)
        rule = self.policies.deciding_rule(question)
        now = verdict(rule, question)
        if rule is not None and (rule.limits or rule.approvals) and rule.effect == "allow":
            self._condition(rule)
        was = self._then(request.decision, rule)
        if was != now:
            self._change(record, _Found(question, rule, was, request.decision.rule, now))
        elif request.decision.rule != (None if rule is None else rule.id):
            self.other_rule += 1
        return True

    def _then(self, then: RecordedDecision, rule: Rule | None) -> str:
        """What came of it. The very rules that are asked now decided alike then, be the record silent about approvals or not."""
        if then.effect != "allow":
            return then.effect
        same = rule is not None and rule.approvals is not None and then.policy == self.policies.digest
        return "allow after approvals" if then.approvals or same else "allow"

    def _condition(self, rule: Rule) -> None:
        condition = self.conditions.get(rule.id)
        if condition is None:
            condition = self.conditions[rule.id] = Condition(rule.limits, rule.approvals)
        condition.count += 1

    def _change(self, record: Mapping[str, Any], found: _Found) -> None:
        self.changed += 1
        question, rule = found.question, found.rule
        now_by = None if rule is None else rule.id
        key = ChangeKey(
            question.operation, question.who, question.target, found.was, found.was_by, found.now, now_by
        )
        time = str(record["time"])
        change = self.changes.get(key)
        if change is None:
            if len(self.changes) >= MOST_CHANGES:
                self.left_out += 1
                return
            change = self.changes[key] = Change(self._why(found), time, time)
        change.count += 1
        if time < change.first:
            change.first = time
        elif time > change.last:
            change.last = time
        if len(change.examples) < EXAMPLES:
            change.examples.append(Place(str(record.get("chain")), _number(record.get("seq")), time))

    def _why(self, found: _Found) -> str:
        """Where no rule matches: why not the one that decided then, or else the first that speaks of such requests at all."""
        question, rule = found.question, found.rule
        if rule is not None:
            reason = f"rule {rule.id} {'denies' if rule.effect == 'deny' else 'allows'}"
            over = _over_alone(rule, question) if rule.effect == "allow" else None
            return reason if over is None else f"{reason}, but alone it is over limit {over + 1} of that rule"
        asked = self._rules.get(found.was_by or "") or self._meant_for(question)
        return "no rule matches" if asked is None else f"rule {asked.id}: {asked.match(question).why}"

    def _meant_for(self, question: Question) -> Rule | None:
        meant = (rule for rule in self.policies.rules if rule.effect == "allow")
        return next((rule for rule in meant if rule.is_meant_for(question)), None)


def verdict(rule: Rule | None, question: Question) -> Verdict:
    """What would come of a request that a rule decides, or none, as far as the request alone can tell."""
    if rule is None or rule.effect == "deny":
        return "deny"
    if _over_alone(rule, question) is not None:
        return "over a limit"
    return "allow" if rule.approvals is None else "allow after approvals"


def _over_alone(rule: Rule, question: Question) -> int | None:
    """Which of an allowing rule's limits the request by itself is over; the first of them."""
    for number, limit in enumerate(rule.limits):
        if limit.field is not None:  # one request is never more than a count
            use = limit.use(question.items)
            # What cannot be summed keeps a rule from matching, and would be over whatever there is.
            if isinstance(use, Unmet) or use > limit.max:
                return number
    return None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
