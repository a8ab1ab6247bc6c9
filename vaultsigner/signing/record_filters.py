"""Reading the query of those who look at the record. What is not known there is refused: a misspelt filter must not count as one
that was left out.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl

from vaultsigner.audit.searching.filters import KINDS, Filters, why_no_operation
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.json_bodies import LONGEST_TEXT, UnusableBodyError

MOMENTS = ("since", "until")
AMOUNTS = ("amount_above", "amount_below")
TEXTS = ("kind", "request_id", "principal", "target", "operation", "effect", "rule", "code")
FILTERS = (*MOMENTS, *TEXTS, *AMOUNTS)
MOST_DIGITS = 20
MOST_PLACES = 18
"""Of an amount, before the point and behind it: as the engine compares them."""

Parameters = Mapping[str, str]


def read_parameters(query: bytes, known: Collection[str]) -> Parameters:
    """The parameters of a query, each once. A form leaves empty what nobody filled in: that counts as left out.

    Raises:
        UnusableBodyError: it cannot be read, or has others.
    """
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=2 * len(FILTERS)
        )
    except ValueError:
        raise unusable("(query)", "the query is no list of parameters") from None
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise unusable("(unknown)", f"a parameter is not known here; there are {', '.join(known)}")
        if name in parameters:
            raise unusable(name, "this is there more than once")
        if len(value) > LONGEST_TEXT or not value.isprintable():
            raise unusable(name, f"this must be one line of text of at most {LONGEST_TEXT} characters")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value}


def read_filters(parameters: Parameters) -> Filters:
    """The filters among them.

    Raises:
        UnusableBodyError: a value means nothing, or no record at all can fit.
    """
    filters = Filters(
        since=read_moment(parameters, "since"),
        until=read_moment(parameters, "until"),
        amount_above=_amount(parameters, "amount_above"),
        amount_below=_amount(parameters, "amount_below"),
        **{name: parameters[name] for name in TEXTS if name in parameters},
    )
    if filters.kind is not None and filters.kind not in KINDS:
        raise unusable("kind", f"there is no such kind; there are {', '.join(KINDS)}")
    if filters.operation is not None and (why := why_no_operation(filters.operation)):
        raise unusable("operation", why)
    if filters.is_no_time:
        raise unusable("since", "this is not before until")
    return filters


def read_moment(parameters: Parameters, name: str) -> datetime | None:
    """A moment with its zone.

    Raises:
        UnusableBodyError: it is none.
    """
    text = parameters.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.utcoffset() is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise unusable(name, "this is no moment with its zone: write it like 2026-11-20T10:00:00Z")


def read_count(parameters: Parameters, name: str, usual: int, most: int) -> int:
    """A whole number from 1 on.

    Raises:
        UnusableBodyError: it is none, or too large.
    """
    text = parameters.get(name, str(usual))
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most:
        return int(text)
    raise unusable(name, f"this is a number from 1 to {most}")


def _amount(parameters: Parameters, name: str) -> Decimal | None:
    text = parameters.get(name)
    if text is None:
        return None
    try:
        amount = Decimal(text)
        exponent = amount.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -MOST_PLACES and abs(amount) < 10**MOST_DIGITS:
            return amount
    except ArithmeticError:
        pass
    raise unusable(name, "this is no amount; write it like 1.5")


def unusable(name: str, message: str) -> UnusableBodyError:
    """What is wrong with a parameter, in the shape that every 422 has."""
    detail: list[JsonValue] = [{"loc": ["query", name], "msg": message, "type": "value_error"}]
    return UnusableBodyError(Refusal("invalid_fields", f"{name}: {message}", detail=detail))
