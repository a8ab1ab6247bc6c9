"""What rules may ask of a request: the fields of all families' intents."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

FieldKind = Literal["text", "decimal"]

_TEXT: tuple[str, ...] = (
    *("symbol", "side", "order_type", "time_in_force", "order_id", "to_address", "option", "memo"),
    *(
        "type",
        "coin",
        "address",
        "address_tag",
        "network",
        "account",
        "from_account",
        "to_account",
        "sub_account",
    ),
    *("client_order_id", "position_side", "margin_type", "reduce_only", "method", "endpoint"),
)
_DECIMAL: tuple[str, ...] = (
    *("amount", "price", "quantity", "notional", "proposal_id"),
    *(
        "quote_quantity",
        "iceberg_quantity",
        "stop_price",
        "activation_price",
        "trailing_delta",
        "callback_rate",
        "leverage",
    ),
)

FIELDS: Mapping[str, FieldKind] = MappingProxyType(
    {**dict.fromkeys(_TEXT, "text"), **dict.fromkeys(_DECIMAL, "decimal")}
)
"""Which fields there are, and whether they compare as texts, letter by letter, or as exact decimals."""

DECIMAL_FIELDS = tuple(name for name, kind in FIELDS.items() if kind == "decimal")

ASSET_FIELDS = ("symbol", "coin")
"""What an amount is an amount of."""
DESTINATION_FIELDS = ("to_address", "address", "to_account", "sub_account")
"""Where value goes to."""
ADDRESS_FIELDS = frozenset({"to_address", "address"})
"""Of these, the ones that are addresses on a chain."""

_MESSAGE_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "order": ("symbol", "side", "order_type", "time_in_force", "price", "quantity", "notional"),
        "cancel_order": ("symbol", "order_id"),
        "transfer": ("symbol", "to_address", "amount"),
        "freeze": ("symbol", "amount"),
        "unfreeze": ("symbol", "amount"),
        "vote": ("proposal_id", "option"),
    }
)
_OF_EVERY_REQUEST = frozenset({"memo", "ip", "time"})


def has_field(operation: str, field: str) -> bool:
    """Whether requests of an operation can have a field. Of exchanges' requests, which differ widely, any may be true."""
    known = _MESSAGE_FIELDS.get(operation.partition(".")[0])
    return known is None or field in known or field in _OF_EVERY_REQUEST
