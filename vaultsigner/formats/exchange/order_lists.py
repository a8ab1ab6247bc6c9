"""The orders of an order list, whose parameters bear the leg's name in front: `workingPrice`, `pendingAboveType`."""

from types import MappingProxyType

from vaultsigner.formats.exchange.endpoint import Leg, fields_of
from vaultsigner.formats.exchange.parameter_names import FIELD_OF

_OWN_NAMES = {**FIELD_OF, "clientOrderId": "client_order_id"}

CORE = "type price stopPrice trailingDelta icebergQty timeInForce clientOrderId"
STRATEGY = "strategyId strategyType"
PEGGED = "pegPriceType pegOffsetType pegOffsetValue"


def leg(prefix: str, parts: str, *, shared: str = "", optional: bool = False) -> Leg:
    """A leg: `parts` are its parameters without the prefix, `shared` whole names that it has in common with another leg."""
    own = {f"{prefix}{part[0].upper()}{part[1:]}": _OWN_NAMES.get(part) for part in parts.split()}
    return Leg(MappingProxyType(own), key=f"{prefix}Type", shared=fields_of(shared), optional=optional)


def old_oco(extra_limit: str = "", extra_stop: str = "") -> tuple[Leg, Leg]:
    """The legs of the older OCO: a limit order that makes a market, and a stop-loss that has a limit if it has a price."""
    limit = f"price limitClientOrderId:client_order_id limitIcebergQty:iceberg_quantity {extra_limit}"
    stop = (
        "stopPrice stopLimitPrice:price stopLimitTimeInForce:time_in_force stopClientOrderId:client_order_id "
        f"stopIcebergQty:iceberg_quantity {extra_stop}"
    )
    return (
        Leg(fields_of(limit), key="price", type="LIMIT_MAKER"),
        Leg(fields_of(stop), key="stopPrice", type="STOP_LOSS", type_with_price="STOP_LOSS_LIMIT"),
    )
