"""Runs cases against rules, and shows where the two differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vaultsigner.cli.policy.cases import Case
from vaultsigner.domain.decisions import Decision
from vaultsigner.policy import PolicySet
from vaultsigner.policy.documents import decision_document

Mark = Literal[" ", "-", "+", "?"]
Member = str | int | None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case, decided.

    Args:
        why: what a rule that was expected says, where another decided.
    """

    case: Case
    decision: Decision
    why: str | None

    @property
    def passed(self) -> bool:
        """Whether all that the case names is as it says."""
        decided = _decided(self.decision)
        return all(decided[member] == value for member, value in self.case.expected.items())

    def difference(self) -> Iterator[tuple[Mark, str]]:
        """The case and the decision as lines of a diff: expected, and decided instead."""
        for member, value in _decided(self.decision).items():
            expected = self.case.expected.get(member, value)
            if expected == value:
                yield " ", f"{member}: {_shown(value)}"
            else:
                yield "-", f"{member}: {_shown(expected)}"
                yield "+", f"{member}: {_shown(value)}"
        yield "?", self.why or self.decision.reason

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "name": self.case.name,
            "place": self.case.place,
            "passed": self.passed,
            "expected": dict(self.case.expected),
            "decision": decision_document(self.decision),
            "why": self.why,
        }


def run_cases(policies: PolicySet, cases: Sequence[Case]) -> tuple[CaseResult, ...]:
    """Every case, in order."""
    return tuple(_run(policies, case) for case in cases)


def _run(policies: PolicySet, case: Case) -> CaseResult:
    decision = policies.evaluate(case.principal, case.intent, case.circumstances)
    rule = case.expected.get("rule")
    why = None
    if rule is not None and rule != decision.rule:
        told = policies.explain(case.principal, case.intent, case.circumstances).rules
        why = next((f"rule {each.rule}: {each.why}" for each in told if each.rule == rule), None)
    return CaseResult(case, decision, why)


def _decided(decision: Decision) -> dict[str, Member]:
    approvals = decision.approvals.count if decision.approvals is not None else 0
    return {"effect": decision.effect, "rule": decision.rule, "approvals": approvals}


def _shown(value: Member) -> str:
    return "null (no rule matches)" if value is None else str(value)
