"""Limits that no one can reach, and limits that no request fits under. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from vaultsigner.policy.conditions import Bound, DecimalIn
from vaultsigner.policy.decimals import product, shown_decimal
from vaultsigner.policy.limits import LimitRule
from vaultsigner.policy.odd import Odd
from vaultsigner.policy.rules import Rule

_SINGLE_ITEM = ("order.", "cancel_order.", "freeze.", "unfreeze.", "vote.")
"""Messages that do one thing each. A transfer or an exchange's batch does many in one request."""


def unreachable_limits(rule: Rule) -> Iterator[Odd]:
    """What is odd about a rule's limits, each told once."""
    for index, limit in enumerate(rule.limits):
        reached_first = _reached_first(index, rule)
        if reached_first is not None:
            text = f"nobody can reach limits[{index}], because {reached_first} holds first; remove one of the two, or change it"
            yield Odd(text, ("limits", index))
        least = _least(limit.field, rule)
        if least is not None and least > limit.max:
            text = (
                f"no request fits under limits[{index}]: `when` asks for {limit.field} from "
                f"{shown_decimal(least)} up, and the limit is {shown_decimal(limit.max)}"
            )
            yield Odd(text, ("limits", index))


def _reached_first(index: int, rule: Rule) -> str | None:
    limit = rule.limits[index]
    for number, other in enumerate(rule.limits):
        most = _most(other, limit, rule)
        if number == index or most is None or most > limit.max:
            continue
        # Of two that hold each other, the first is kept.
        back = _most(limit, other, rule)
        if number > index and back is not None and back <= other.max:
            continue
        return f"limits[{number}]"
    return None


def _most(other: LimitRule, limit: LimitRule, rule: Rule) -> Decimal | None:
    """The most that can come together in the window of `limit` while `other` holds; None where that is not known."""
    if other.per not in ("rule", limit.per):
        return None
    windows = Decimal(-(-limit.every_seconds // other.every_seconds))
    if other.field == limit.field:
        return product(other.max, windows)
    largest = _largest(limit.field, rule)
    if other.kind != "count" or largest is None:
        return None
    return product(product(other.max, windows), largest)


def _largest(field: str | None, rule: Rule) -> Decimal | None:
    """The most that one request can have of a field."""
    if field is None or not all(operation.startswith(_SINGLE_ITEM) for operation in rule.operations):
        return None
    found = [
        each.bound for each in rule.conditions if isinstance(each, Bound) and _is(each, field, "max", "below")
    ]
    found += [max(values) for values in _named(rule, field)]
    return min(found, default=None)


def _least(field: str | None, rule: Rule) -> Decimal | None:
    found = [
        each.bound for each in rule.conditions if isinstance(each, Bound) and _is(each, field, "min", "above")
    ]
    found += [min(values) for values in _named(rule, field)]
    return max(found, default=None)


def _is(bound: Bound, field: str | None, *kinds: str) -> bool:
    return bound.field == field and bound.kind in kinds


def _named(rule: Rule, field: str | None) -> list[frozenset[Decimal]]:
    return [
        each.values
        for each in rule.conditions
        if isinstance(each, DecimalIn) and each.field == field and not each.negated
    ]
