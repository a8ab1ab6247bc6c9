"""What somebody looks for in the record. Needs no engine: the program that asks hands it to the one that searches."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

KINDS = ("request", "intent", "outcome", "dispatch", "control", "checkpoint")
"""Of records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a record must be, all of it at once; None: anything.

    Args:
        since, until: from, and before.
        principal: `user:sam`, or the name alone.
        target: `wallet:hot`, `exchange:main`, or the name alone.
        operation: may have `*`.
        effect, rule: of the decision (records of kind intent).
        code: `ok`, or the refusal's (outcomes and refused requests).
        amount_above, amount_below: one of the amounts of the intent is.
    """

    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    request_id: str | None = None
    principal: str | None = None
    target: str | None = None
    operation: str | None = None
    effect: str | None = None
    rule: str | None = None
    code: str | None = None
    amount_above: Decimal | None = None
    amount_below: Decimal | None = None

    @property
    def is_no_time(self) -> bool:
        """Nothing can be from `since` on and before `until`."""
        return self.since is not None and self.until is not None and self.since >= self.until

    def document(self) -> dict[str, str]:
        """As it goes to another process: texts alone, and what is not asked for is left out."""
        told: dict[str, str] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, datetime):
                told[each.name] = moment_text(value)
            elif value is not None:
                told[each.name] = f"{value:f}" if isinstance(value, Decimal) else value
        return told


def why_no_operation(operation: str) -> str | None:
    """None for what may be an operation's name, or a pattern of it: each is of two words at least, with a point between them."""
    if any(sign in operation for sign in ".*?["):
        return None
    # What was typed is not repeated: it may be anything, a secret too.
    return "no operation has this name: a name has a dot in it; for all of a kind write e.g. transfer.*"


def read_filters(document: Mapping[str, str]) -> Filters:
    """What `document` made.

    Raises:
        ValueError, TypeError: it is none of ours.
    """
    given: dict[str, Any] = dict(document)
    for name in ("since", "until"):
        if name in given:
            given[name] = datetime.fromisoformat(given[name])
    for name in ("amount_above", "amount_below"):
        if name in given:
            given[name] = Decimal(given[name])
    return Filters(**given)


def moment_text(moment: datetime) -> str:
    """As records have it, to be compared letter by letter."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
