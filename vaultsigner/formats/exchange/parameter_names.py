"""Which field of policy a parameter of Binance's API is, where its name means the same in all endpoints."""

from collections.abc import Mapping
from types import MappingProxyType

FIELD_OF: Mapping[str, str] = MappingProxyType(
    {
        "symbol": "symbol",
        "side": "side",
        "type": "type",
        "timeInForce": "time_in_force",
        "quantity": "quantity",
        "quoteOrderQty": "quote_quantity",
        "price": "price",
        "stopPrice": "stop_price",
        "icebergQty": "iceberg_quantity",
        "trailingDelta": "trailing_delta",
        "activationPrice": "activation_price",
        "callbackRate": "callback_rate",
        "leverage": "leverage",
        "marginType": "margin_type",
        "positionSide": "position_side",
        "reduceOnly": "reduce_only",
        "orderId": "order_id",
        "newClientOrderId": "client_order_id",
        "coin": "coin",
        "asset": "coin",
        "amount": "amount",
        "address": "address",
        "addressTag": "address_tag",
        "network": "network",
        "email": "sub_account",
    }
)
"""`origClientOrderId` and other references to what is there already have no field: approvals must be bound to them, and they
are not bound to `client_order_id`."""
