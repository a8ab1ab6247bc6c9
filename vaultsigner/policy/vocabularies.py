"""The words that requests can have in a field, where there are only so many. Pure.

Source: the enumerations of formats/bnb_beacon/message_types.py and formats/exchange/field_values.py; Binance Spot and USD-M
Futures API, "ENUM definitions". The `type` of an exchange's order is open: futures keep adding kinds.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from vaultsigner.domain.names import Operation
from vaultsigner.policy.fields import has_field
from vaultsigner.policy.operations import OPERATIONS

_BEACON: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "side": ("buy", "sell"),
        "order_type": ("LIMIT",),
        "time_in_force": ("GTE", "IOC"),
        "option": ("Yes", "Abstain", "No", "NoWithVeto"),
    }
)
_EXCHANGE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "side": ("BUY", "SELL"),
        "time_in_force": ("GTC", "IOC", "FOK", "GTX", "GTD", "RPI", "GTE_GTC"),
        "position_side": ("BOTH", "LONG", "SHORT"),
        "margin_type": ("ISOLATED", "CROSSED", "CROSS"),
        "reduce_only": ("true", "false"),
    }
)
"""An order's kind is called `type` there, and is open."""
_OTHER_FAMILIES = MappingProxyType({"exchange": _EXCHANGE, "open_api": MappingProxyType({})})


def words_of(operations: Collection[Operation], field: str) -> tuple[str, ...]:
    """All that requests of these operations can say in a field; nothing where that is not known, or where none of them has it."""
    words: dict[str, str] = {}
    for operation in OPERATIONS:
        if operation in operations and has_field(operation, field):
            known = _OTHER_FAMILIES.get(operation.partition(".")[0], _BEACON)
            words.update((word.upper(), words.get(word.upper(), word)) for word in known.get(field, ()))
    return tuple(words.values())
