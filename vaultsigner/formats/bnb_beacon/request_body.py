"""The bodies that real clients of the old signing service send, read as messages.

Accepted is the union of its documentation, its code and its Python client: both spellings of a member, numbers and words
for enumerations, amounts as JSON numbers or text, a memo inside `msg` or beside it.
Source: wire contract of the signing service v0.0.4, sections 4, 9 and 11.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vaultsigner.formats.bnb_beacon.errors import FormatError
from vaultsigner.formats.bnb_beacon.field_errors import (
    FieldError,
    Location,
    is_null,
    missing,
    not_an_object,
    wrong_value,
)
from vaultsigner.formats.bnb_beacon.fields import Fields
from vaultsigner.formats.bnb_beacon.message_types import (
    ORDER_TYPES,
    SIDES,
    TIMES_IN_FORCE,
    VOTE_OPTIONS,
    CancelOrder,
    Freeze,
    Message,
    NewOrder,
    Unfreeze,
    Vote,
)
from vaultsigner.formats.bnb_beacon.sign_document import check_memo
from vaultsigner.formats.bnb_beacon.transfer_body import read_transfer
from vaultsigner.strict_json import JsonDocument

__all__ = ["PARAMETER_NAMES", "FieldError", "RequestBody", "read_request"]

PARAMETER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "order": "signed_order",
        "cancel_order": "cancel_order",
        "transfer": "transfer",
        "freeze": "freeze",
        "unfreeze": "unfreeze",
        "vote": "vote",
    }
)
"""What stands after `body` in the place of an error, for each kind of message: the old service's parameter names."""

MAX_UNKNOWN_NAMES = 20
MAX_UNKNOWN_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class RequestBody:
    """What a body means.

    Args:
        memo: empty where there is none; at most 128 bytes in UTF-8.
        unknown_members: names of members that were ignored, those inside `msg` as `msg.name`; at most 20, at most 64
            characters each, without control characters. For the record.
    """

    message: Message
    memo: str
    unknown_members: tuple[str, ...]


def read_request(kind: str, document: JsonDocument, prefix: str) -> RequestBody | list[FieldError]:
    """Read the body of a request to sign or broadcast.

    `wallet_name` is not read here.

    Args:
        kind: of message, from the route: order, cancel_order, transfer, freeze, unfreeze or vote.
        document: the parsed body.
        prefix: that addresses of the wallet's network have.

    Returns:
        What it means, or everything that is wrong with it.
    """
    loc: Location = ("body", PARAMETER_NAMES[kind])
    if not isinstance(document, dict):
        return [not_an_object(loc)]
    inside = document.get("msg")
    if not isinstance(inside, dict):
        return [_no_message(document, (*loc, "msg"))]
    errors: list[FieldError] = []
    outer, inner = Fields(document, loc, errors), Fields(inside, (*loc, "msg"), errors)
    message, unknown = _READERS[kind](inner, prefix)
    memo = _memo(inner, outer)
    if message is None or errors:
        return errors
    ignored = [name for name in outer.unknown() if name not in ("msg", "wallet_name")]
    names = [*ignored, *(f"msg.{name}" for name in (*inner.unknown(), *unknown))]
    return RequestBody(message, memo, tuple(_tellable(name) for name in names[:MAX_UNKNOWN_NAMES]))


def _no_message(document: Mapping[str, JsonDocument], loc: Location) -> FieldError:
    if "msg" not in document:
        return missing(loc)
    return is_null(loc) if document["msg"] is None else not_an_object(loc)


def _memo(inner: Fields, outer: Fields) -> str:
    """The memo inside or beside `msg`; the old documentation has one place, the old code the other."""
    found = (inner.optional_text("memo"), outer.optional_text("memo"))
    given = [memo for memo in found if memo is not None]
    if not given:
        return ""
    loc, memo = given[0]
    if len(given) == 2 and given[1][1] != memo:
        text = "a memo is given inside msg and another one beside it: write one of them"
        inner.note(wrong_value(given[1][0], text, "ambiguous"))
    try:
        check_memo(memo)
    except FormatError as error:
        inner.note(wrong_value(loc, str(error), "memo"))
    return memo


Read = tuple[Message | None, list[str]]
"""A message, or None after errors were noted; and the names of members that were ignored deeper inside."""


def _order(fields: Fields, prefix: str) -> Read:
    symbol = fields.pair()
    order_type = fields.choice("order_type", ORDER_TYPES)
    side = fields.choice("side", SIDES)
    price, quantity = fields.amount("price"), fields.amount("quantity")
    time_in_force = fields.choice("time_in_force", TIMES_IN_FORCE)
    if (
        symbol is None
        or order_type is None
        or side is None
        or price is None
        or quantity is None
        or time_in_force is None
    ):
        return None, []
    order = NewOrder(
        symbol=symbol,
        side=side,
        order_type=order_type,
        time_in_force=time_in_force,
        price=price,
        quantity=quantity,
    )
    return order, []


def _cancel_order(fields: Fields, prefix: str) -> Read:
    order_id, symbol = fields.order_id(), fields.pair()
    return (None if order_id is None or symbol is None else CancelOrder(symbol, order_id)), []


def _freeze(fields: Fields, prefix: str) -> Read:
    symbol, amount = fields.token(), fields.amount("amount")
    return (None if symbol is None or amount is None else Freeze(symbol, amount)), []


def _unfreeze(fields: Fields, prefix: str) -> Read:
    symbol, amount = fields.token(), fields.amount("amount")
    return (None if symbol is None or amount is None else Unfreeze(symbol, amount)), []


def _vote(fields: Fields, prefix: str) -> Read:
    proposal_id, option = fields.positive_integer("proposal_id"), fields.choice("option", VOTE_OPTIONS)
    return (None if proposal_id is None or option is None else Vote(proposal_id, option)), []


_READERS: Mapping[str, Callable[[Fields, str], Read]] = MappingProxyType(
    {
        "order": _order,
        "cancel_order": _cancel_order,
        "transfer": read_transfer,
        "freeze": _freeze,
        "unfreeze": _unfreeze,
        "vote": _vote,
    }
)


def _tellable(name: str) -> str:
    """A name that may stand in a record and on a terminal: cut, and without control or invisible characters."""
    shown = (
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in name[:MAX_UNKNOWN_NAME_CHARACTERS]
    )
    return "".join(shown)[:MAX_UNKNOWN_NAME_CHARACTERS]
