"""What an order is worth at its price, in the quote asset; or that nobody can know it from the request."""

from collections.abc import Iterable, Mapping
from string import ascii_lowercase, ascii_uppercase

from vaultsigner.domain.names import JsonValue
from vaultsigner.formats.exchange.endpoint import Notional

UNKNOWN = "unknown"
"""No decimal: rules that allow up to some notional do not match then, and rules that deny do."""

_SPOT = frozenset({"LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
_LINEAR = frozenset({"LIMIT", "STOP", "TAKE_PROFIT"})
_LIMIT_TYPES: Mapping[Notional, frozenset[str]] = {
    "spot": _SPOT,
    "linear": _LINEAR,
    "websocket": _SPOT | _LINEAR,
    "unknown": frozenset(),
}
"""The types whose `price` is a limit: Spot REST API "New order", USD-M Futures "New Order". A type of one product that may not
have a price on the other (TAKE_PROFIT on spot) is refused there with one (-1106), so that the union misleads nobody."""
_MOVE_THE_PRICE = ("pegpricetype", "pegoffsettype", "pegoffsetvalue", "pricematch", "closeposition")
_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)


def notional_of(
    kind: Notional, item: Mapping[str, JsonValue], others: Iterable[tuple[str, JsonValue]]
) -> str | None:
    """The item's `notional`; None to leave it out: price times quantity is right, or one of the two is not there anyway.

    Args:
        kind: what the endpoint trades.
        item: the order's fields.
        others: its parameters that have no field, by the exchange's names.
    """
    price, quantity, quote = item.get("price"), item.get("quantity"), item.get("quote_quantity")
    order_type = str(item.get("type", "")).translate(_CAPITALS)
    if quote is not None:
        market = kind in ("spot", "websocket") and order_type == "MARKET"
        return str(quote) if market and price is None and quantity is None else UNKNOWN
    if price is None or quantity is None:
        return None
    moved = any(
        name.lower().endswith(_MOVE_THE_PRICE) and value not in ("NONE", "false") for name, value in others
    )
    # Contracts with a date or without an end have an underscore in their names, and COIN-M has no others.
    contract = kind == "websocket" and "_" in str(item.get("symbol", ""))
    return UNKNOWN if moved or contract or order_type not in _LIMIT_TYPES[kind] else None
