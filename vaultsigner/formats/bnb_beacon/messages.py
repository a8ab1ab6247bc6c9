"""The six messages and their two other forms: the typed document that custody is asked with, and the items of an intent."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

from vaultsigner.domain.amounts import format_units
from vaultsigner.domain.names import JsonValue
from vaultsigner.formats.bnb_beacon.address import decode_address, encode_address
from vaultsigner.formats.bnb_beacon.errors import FormatError
from vaultsigner.formats.bnb_beacon.message_types import (
    ORDER_TYPES,
    SIDES,
    TIMES_IN_FORCE,
    VOTE_OPTIONS,
    CancelOrder,
    Coin,
    Freeze,
    Message,
    MessageKind,
    NewOrder,
    Output,
    Transfer,
    Unfreeze,
    Vote,
    message_kind,
)
from vaultsigner.strict_json import JsonDocument, JsonNumber

__all__ = [
    "CancelOrder",
    "Coin",
    "FormatError",
    "Freeze",
    "Message",
    "MessageKind",
    "NewOrder",
    "Output",
    "Transfer",
    "Unfreeze",
    "Vote",
    "intent_items",
    "message_from_document",
    "message_kind",
    "message_to_document",
]

_PLAIN_MEMBERS: Mapping[str, tuple[type[Message], tuple[tuple[str, type], ...]]] = MappingProxyType(
    {
        "order": (
            NewOrder,
            (
                ("symbol", str),
                ("side", int),
                ("order_type", int),
                ("time_in_force", int),
                ("price", int),
                ("quantity", int),
            ),
        ),
        "cancel_order": (CancelOrder, (("symbol", str), ("order_id", str))),
        "freeze": (Freeze, (("symbol", str), ("amount", int))),
        "unfreeze": (Unfreeze, (("symbol", str), ("amount", int))),
        "vote": (Vote, (("proposal_id", int), ("option", int))),
    }
)
"""For every kind but transfer: its class and its members, which have the same names in the document."""


def message_to_document(message: Message, prefix: str) -> dict[str, JsonValue]:
    """The typed document of a message: `kind` and exactly the message's members, numbers as integers (units of 10^-8).

    Args:
        prefix: of the addresses in it, `bnb` or `tbnb`.
    """
    kind = message_kind(message)
    if isinstance(message, Transfer):
        outputs: list[JsonValue] = [
            {
                "to_address": encode_address(output.address, prefix),
                "coins": [{"denom": coin.denom, "amount": coin.amount} for coin in output.coins],
            }
            for output in message.outputs
        ]
        return {"kind": kind, "outputs": outputs}
    return {"kind": kind, **{name: getattr(message, name) for name, _ in _PLAIN_MEMBERS[kind][1]}}


def message_from_document(document: JsonDocument | JsonValue, prefix: str) -> Message:
    """Read a typed document back, exactly as `message_to_document` writes it.

    Args:
        document: parsed JSON; its numbers may be int or `JsonNumber`.
        prefix: that its addresses must have.

    Raises:
        FormatError: a member too many, too few or of the wrong type, or a message that the chain has no form for.
    """
    kind = document.get("kind") if isinstance(document, dict) else None
    if kind == "transfer":
        members = _members(document, {"kind", "outputs"})
        return Transfer(tuple(_output(output, prefix) for output in _list(members["outputs"])))
    if not isinstance(kind, str) or kind not in _PLAIN_MEMBERS:
        raise FormatError("no message of a known kind")
    message_class, names = _PLAIN_MEMBERS[kind]
    members = _members(document, {"kind", *(name for name, _ in names)})
    make = cast(Callable[..., Message], message_class)
    read = {str: _text, int: _integer}
    return make(**{name: read[type_](members[name]) for name, type_ in names})


def intent_items(message: Message, prefix: str) -> tuple[Mapping[str, JsonValue], ...]:
    """What a message does, in the words of policies and records: one item for each payment, or exactly one item.

    Amounts, prices and quantities are decimal text with eight places; the enumerations are words: `buy`, `sell`; `LIMIT`;
    `GTE`, `IOC`; `Yes`, `Abstain`, `No`, `NoWithVeto`. A proposal id is an integer.
    """
    match message:
        case Transfer():
            return tuple(
                {
                    "to_address": encode_address(output.address, prefix),
                    "amount": format_units(coin.amount),
                    "symbol": coin.denom,
                }
                for output in message.outputs
                for coin in output.coins
            )
        case NewOrder():
            return (
                {
                    "symbol": message.symbol,
                    "side": SIDES[message.side],
                    "order_type": ORDER_TYPES[message.order_type],
                    "time_in_force": TIMES_IN_FORCE[message.time_in_force],
                    "price": format_units(message.price),
                    "quantity": format_units(message.quantity),
                },
            )
        case CancelOrder():
            return ({"symbol": message.symbol, "order_id": message.order_id},)
        case Freeze() | Unfreeze():
            return ({"symbol": message.symbol, "amount": format_units(message.amount)},)
        case Vote():
            return ({"proposal_id": message.proposal_id, "option": VOTE_OPTIONS[message.option]},)


def _output(document: object, prefix: str) -> Output:
    members = _members(document, {"to_address", "coins"})
    address = decode_address(_text(members["to_address"]), prefix)
    return Output(address, tuple(_coin(coin) for coin in _list(members["coins"])))


def _coin(document: object) -> Coin:
    members = _members(document, {"denom", "amount"})
    return Coin(_text(members["denom"]), _integer(members["amount"]))


def _members(document: object, names: set[str]) -> dict[str, object]:
    if not isinstance(document, dict) or document.keys() != names:
        raise FormatError("the document's members are not exactly those of its kind")
    return document


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise FormatError("a list is missing in the document")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or isinstance(value, JsonNumber):
        raise FormatError("a text in the document is of another type")
    return value


def _integer(value: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, JsonNumber) and value.isdecimal():
        return int(value)
    raise FormatError("a number in the document is not a plain integer")
