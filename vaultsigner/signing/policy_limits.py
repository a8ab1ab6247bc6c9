"""The limits of policy rules, in the words that state counts in, and what those are told who are over one."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from vaultsigner.domain.decisions import Decision, Limit
from vaultsigner.domain.refusals import Refusal
from vaultsigner.policy.decimals import shown_decimal
from vaultsigner.state import MOST_UNITS, LimitUse, NotCounted

UNITS_PER_ONE = 10**8
"""State counts whole units: amounts have eight decimal places, and what is finer is rounded to the strict side."""
_MOST_DIGITS = 1000


def uses_of(decision: Decision) -> tuple[LimitUse, ...] | Refusal:
    """What an allowed request uses of its rule's limits; a refusal where it can never fit into one of them."""
    uses = []
    for limit in decision.limits:
        units = _units(limit.use, ROUND_CEILING)
        most = min(_units(limit.max, ROUND_FLOOR), MOST_UNITS)
        if units > most:
            return _never(limit)
        uses.append(LimitUse(limit.key, limit.every_seconds * 1000, units, most))
    return tuple(uses)


def over_limit(decision: Decision, refused: NotCounted) -> Refusal:
    """Which limit has no room, what is left of it, and when it eases."""
    limit = next(each for each in decision.limits if each.key == refused.key)
    if refused.retry_after_ms is None:
        return _never(limit)
    seconds = max(-(-refused.retry_after_ms // 1000), 1)
    left = shown_decimal(Decimal(refused.left_units or 0) / UNITS_PER_ONE)
    return Refusal(
        "limit_exceeded",
        f"Over a limit of policy: {_described(limit)}. {left} is left, and this would use {shown_decimal(limit.use)}; "
        f"try again in {seconds} s",
        reason=f"over limit {limit.key}: {left} left, {shown_decimal(limit.use)} wanted",
        retry_after_seconds=seconds,
    )


def _never(limit: Limit) -> Refusal:
    return Refusal(
        "policy_denied",
        f"Policy does not allow so much at once: {_described(limit)}, and this would use {shown_decimal(limit.use)}",
        reason=f"more than limit {limit.key} ever allows",
    )


def _described(limit: Limit) -> str:
    what = "requests" if limit.field is None else f"of {limit.field}"
    per = "" if limit.per == "rule" else f" per {limit.per}"
    return f"rule {limit.rule} allows {shown_decimal(limit.max)} {what} every {limit.every_seconds} s{per}"


def _units(value: Decimal, rounding: str) -> int:
    with localcontext() as context:
        context.prec = _MOST_DIGITS
        return int((value * UNITS_PER_ONE).to_integral_value(rounding=rounding))
