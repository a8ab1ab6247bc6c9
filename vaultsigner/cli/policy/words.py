"""Limits, approvals and requests in words for a terminal."""

from collections.abc import Mapping

from vaultsigner.domain.decisions import Approvals, Decision, Limit, LimitScope
from vaultsigner.domain.names import JsonValue
from vaultsigner.policy.decimals import shown_decimal
from vaultsigner.policy.limits import LimitRule

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_WHOSE: Mapping[LimitScope, str] = {
    "principal": "for each caller",
    "target": "for each target",
    "rule": "for all together",
}
_LONGEST_SHOWN = 96


def limit_in_words(limit: Limit | LimitRule) -> str:
    """`at most 60 requests in 1m for each caller`."""
    most = shown_decimal(limit.max)
    what = f"{most} requests" if limit.field is None else f"{most} of {limit.field}"
    return f"at most {what} in {span(limit.every_seconds)} {_WHOSE[limit.per]}"


def approvals_in_words(approvals: Approvals) -> str:
    """`2 approvals within 1h, of user:ann, user:bob`."""
    count = f"{approvals.count} approval{'' if approvals.count == 1 else 's'}"
    return f"{count} within {span(approvals.within_seconds)}, of {', '.join(approvals.of)}"


def counted(count: int, what: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def span(seconds: int) -> str:
    """Seconds in the largest unit that fits, as policies write it: `90s`, `24h` as `1d`."""
    for size, unit in _UNITS:
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    raise ValueError("no whole number of seconds")


def decision_in_words(decision: Decision) -> str:
    """`allow, by rule desk-trades`."""
    return f"{decision.effect}, {by_rule(decision.rule)}"


def by_rule(rule: str | None) -> str:
    """Who decided."""
    return "no rule matches" if rule is None else f"by rule {printable(rule)}"


def fields_in_words(item: Mapping[str, JsonValue]) -> str:
    """`amount 5, symbol BNB`."""
    return ", ".join(f"{name} {printable(str(value))}" for name, value in item.items()) or "no fields"


def printable(text: str, *, limit: int = _LONGEST_SHOWN) -> str:
    """Text that came from elsewhere, without what would move a terminal's cursor, and not without end."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
