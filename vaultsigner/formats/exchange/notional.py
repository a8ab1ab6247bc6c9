"""What an order is worth at most or about, in the quote asset; or that nobody can know from the request."""

from collections.abc import Mapping
from string import ascii_lowercase, ascii_uppercase

from vaultsigner.domain.names import JsonValue
from vaultsigner.formats.exchange.endpoint import Notional

UNKNOWN = "unknown"
"""No decimal: rules that allow up to some notional do not match then, and rules that deny do."""

_LIMIT_TYPES: Mapping[Notional, frozenset[str]] = {
    "spot": frozenset({"LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"}),
    "linear": frozenset({"LIMIT", "STOP", "TAKE_PROFIT"}),
    "unknown": frozenset(),
}
"""The types whose `price` is the worst price at which they trade: Spot REST API "New order"; USD-M Futures "New Order"."""
_MOVE_THE_PRICE = frozenset(
    {"pegPriceType", "pegOffsetType", "pegOffsetValue", "priceMatch", "closePosition"}
)
_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)


def notional_of(kind: Notional, item: Mapping[str, JsonValue], rest: Mapping[str, JsonValue]) -> str | None:
    """The item's `notional`; None to leave it out: price times quantity is right, or one of the two is not there anyway.

    Args:
        kind: what the endpoint's products are.
        item: the order's fields.
        rest: its parameters that have no field.
    """
    order_type = str(item.get("type", "")).translate(_CAPITALS)
    price, quantity, quote = item.get("price"), item.get("quantity"), item.get("quote_quantity")
    moved = any(rest.get(name) not in (None, "NONE", "false") for name in _MOVE_THE_PRICE)
    if quote is not None:
        market = kind == "spot" and order_type == "MARKET"
        return str(quote) if market and price is None and quantity is None else UNKNOWN
    if price is None or quantity is None:
        return None
    return None if order_type in _LIMIT_TYPES[kind] and not moved else UNKNOWN
