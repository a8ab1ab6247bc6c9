"""Counts requests. Every label has a bounded set of values, however many names callers think up."""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import TypeVar

from vaultsigner.telemetry.measures import Histogram
from vaultsigner.telemetry.metrics import NONE, OTHER, Metric, Sample, counter, gauge, histogram, single
from vaultsigner.telemetry.passages import Passage, StepName, Trace

Key = TypeVar("Key", tuple[str, str, str], tuple[str, str, str, str])
MOST_RULES = 1000
"""Rules that are counted by name in one process's life; policies come and go, and each name is a series for good."""
UNKNOWN_OUTCOME = "outcome_unknown"
_EFFECTS = frozenset({"allow", "deny", "approval"})


class RequestMeter:
    """Counts from the process's start.

    Args:
        operations: those that there are.
        outcomes: the words for how a request can end.
        families: of routes.
        most_rules: how many rules are counted by name.
    """

    def __init__(
        self,
        *,
        operations: Collection[str],
        outcomes: Collection[str],
        families: Collection[str],
        most_rules: int = MOST_RULES,
    ) -> None:
        self._operations = frozenset(operations)
        self._outcomes = frozenset(outcomes)
        self._families = frozenset(families)
        self._most_rules = most_rules
        self._rules: set[str] = set()
        self._in_flight = 0
        self._requests: Counter[tuple[str, str, str, str]] = Counter()
        self._durations: defaultdict[tuple[str, str], Histogram] = defaultdict(Histogram)
        self._unknown = 0
        self._decisions: Counter[tuple[str, str, str]] = Counter()
        self._steps: defaultdict[StepName, Histogram] = defaultdict(Histogram)

    def begin(self, trace: Trace | None = None) -> Passage:
        """A request has come in."""
        self._in_flight += 1
        return Passage(self, trace)

    def end(self, passage: Passage, family: str, operation: str, outcome: str, *, failed: bool) -> None:
        """It is answered, or the beginning of its answer is known. Only the first call for a request counts.

        Args:
            failed: the fault is on this side.
        """
        if passage.over:
            return
        passage.over = True
        self._in_flight -= 1
        family = _known(family, self._families)
        operation = _known(operation, self._operations)
        outcome = _known(outcome, self._outcomes)
        rule = self._rule(passage.rule)
        self._requests[family, operation, outcome, rule] += 1
        self._unknown += outcome == UNKNOWN_OUTCOME
        self._durations[family, operation].observe(time.perf_counter() - passage.began)
        if passage.trace is not None:
            facts = {"family": family, "operation": operation, "outcome": outcome, "rule": rule}
            passage.trace.end(operation, facts, failed=failed)

    def stepped(self, step: StepName, seconds: float) -> None:
        """See `Watcher`."""
        self._steps[step].observe(seconds)

    def decided(self, operation: str, effect: str, rule: str | None) -> None:
        """See `Watcher`."""
        known = _known(operation, self._operations), _known(effect, _EFFECTS), self._rule(rule)
        self._decisions[known] += 1

    def metrics(self) -> list[Metric]:
        """All that was counted."""
        return [
            counter(
                "vaultsigner_requests_total",
                "Requests answered, by family of routes, operation, outcome and the rule of policy that decided.",
                *_counted(self._requests, "family", "operation", "outcome", "rule"),
            ),
            histogram(
                "vaultsigner_request_duration_seconds",
                "From a request's head to its answer, or to the beginning of a streamed one.",
                *(
                    Sample(times.times(), {"family": family, "operation": operation})
                    for (family, operation), times in sorted(self._durations.items())
                ),
            ),
            gauge("vaultsigner_requests_in_flight", "Requests not yet answered.", single(self._in_flight)),
            counter(
                "vaultsigner_unknown_outcomes_total",
                "Requests of which nobody knows what a node or an exchange did; there from zero on, so that the first is seen.",
                single(self._unknown),
            ),
            counter(
                "vaultsigner_decisions_total",
                "What policy decided, by operation, effect and rule; the rule is none where no rule matched.",
                *_counted(self._decisions, "operation", "effect", "rule"),
            ),
            histogram(
                "vaultsigner_request_step_duration_seconds",
                "How long steps of requests took: who asks, policy, counting, state, record, custody, nodes and exchanges.",
                *(Sample(times.times(), {"step": step}) for step, times in sorted(self._steps.items())),
            ),
        ]

    def _rule(self, rule: str | None) -> str:
        if rule is None:
            return NONE
        if rule not in self._rules:
            if len(self._rules) >= self._most_rules:
                return OTHER
            self._rules.add(rule)
        return rule


def _known(value: str, values: Collection[str]) -> str:
    return value if value in values else OTHER


def _counted(counted: Mapping[Key, int], *names: str) -> list[Sample]:
    return [Sample(count, dict(zip(names, labels, strict=True))) for labels, count in sorted(counted.items())]
