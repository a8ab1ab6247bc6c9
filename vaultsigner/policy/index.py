"""Finds the few rules that may match among very many, by operation, principal and target."""

from collections.abc import Iterator, Sequence
from itertools import product

from vaultsigner.policy.facts import Question
from vaultsigner.policy.rules import NamePatterns, Rule

ANY = "*"
_MANY_OPERATIONS = 8
_MOST_SLOTS = 2048
"""Of one rule. A rule with more stands where more requests look at it; it is asked itself anyway, so nothing changes but time."""

Slots = dict[str, dict[str, dict[str, list[int]]]]


class RuleIndex:
    """Rules by where they may match. The numbers are those of the rules in the order of the files.

    A rule is in at most one slot that a request looks into, so no rule is found twice.
    """

    __slots__ = ("_slots",)

    def __init__(self, rules: Sequence[tuple[int, Rule]]) -> None:
        self._slots: Slots = {}
        for number, rule in rules:
            for operation, principal, target in _slots_of(rule):
                by_principal = self._slots.setdefault(operation, {})
                by_principal.setdefault(principal, {}).setdefault(target, []).append(number)

    def candidates(self, question: Question) -> Sequence[int]:
        """The numbers of all rules that may match, in order; rules left out cannot."""
        found = list(self._found(question))
        if len(found) == 1:
            return found[0]
        return sorted(number for numbers in found for number in numbers)

    def _found(self, question: Question) -> Iterator[list[int]]:
        principals = _spellings(question.who)
        targets = _spellings(question.target)
        for operation in (question.operation, ANY):
            by_principal = self._slots.get(operation)
            if by_principal is None:
                continue
            for principal in principals:
                by_target = by_principal.get(principal)
                if by_target is None:
                    continue
                for target in targets:
                    numbers = by_target.get(target)
                    if numbers is not None:
                        yield numbers


def _spellings(name: str) -> tuple[str, str, str]:
    return name, f"{name.partition(':')[0]}:*", ANY


def _slots_of(rule: Rule) -> Iterator[tuple[str, str, str]]:
    operations = sorted(rule.operations) if len(rule.operations) <= _MANY_OPERATIONS else [ANY]
    principals, targets = _words(rule.principals), _words(rule.targets)
    if len(operations) * len(principals) * len(targets) > _MOST_SLOTS:
        if len(principals) < len(targets):
            targets = [ANY]
        else:
            principals = [ANY]
    if len(operations) * len(principals) * len(targets) > _MOST_SLOTS:
        principals = targets = [ANY]
    return product(operations, principals, targets)


def _words(patterns: NamePatterns) -> list[str]:
    """Each name once, and none whose kind is there as a whole."""
    if patterns.everything:
        return [ANY]
    names = (
        name for name in patterns.names | patterns.members if name.partition(":")[0] not in patterns.kinds
    )
    return [*(f"{kind}:*" for kind in sorted(patterns.kinds)), *sorted(names)]
