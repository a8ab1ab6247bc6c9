"""Order lists on spot. Source: Binance's documentation, "Spot REST API", Order lists."""

from vaultsigner.formats.exchange.endpoint import Endpoint, Leg, endpoint
from vaultsigner.formats.exchange.order_lists import CORE, PEGGED, STRATEGY, leg, old_oco

_LISTS = "Spot REST API, Order lists: "
_PARTS = f"{CORE} {STRATEGY} {PEGGED}"
_WORKING = leg("working", f"side quantity {_PARTS}")
_PENDING_SIDE = "pendingSide:side"
_PENDING_SIZE = "pendingSide:side pendingQuantity:quantity"

AROUND = "symbol! listClientOrderId:client_order_id newOrderRespType selfTradePreventionMode"
OLD_OCO = old_oco("limitStrategyId limitStrategyType", "trailingDelta stopStrategyId stopStrategyType")
OCO = (leg("above", _PARTS), leg("below", _PARTS))
OTO = (_WORKING, leg("pending", f"side quantity {_PARTS}"))
OPO = (_WORKING, leg("pending", f"side {_PARTS}"))


def _with_two_pending(shared: str) -> tuple[Leg, ...]:
    return (
        _WORKING,
        leg("pendingAbove", _PARTS, shared=shared),
        leg("pendingBelow", _PARTS, shared=shared, optional=True),
    )


OTOCO = _with_two_pending(_PENDING_SIZE)
OPOCO = _with_two_pending(_PENDING_SIDE)
"""Of OPO lists the pending orders are as large as what the working order fills: the request does not say."""

CANCEL = "symbol! orderListId listClientOrderId newClientOrderId"

ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "POST /api/v3/order/oco",
        "order",
        f"{AROUND} side! quantity!",
        f"{_LISTS}New OCO - Deprecated",
        notional="spot",
        legs=OLD_OCO,
    ),
    endpoint(
        "POST /api/v3/orderList/oco",
        "order",
        f"{AROUND} side! quantity!",
        f"{_LISTS}New Order list - OCO",
        notional="spot",
        legs=OCO,
    ),
    endpoint(
        "POST /api/v3/orderList/oto",
        "order",
        AROUND,
        f"{_LISTS}New Order list - OTO",
        notional="spot",
        legs=OTO,
    ),
    endpoint(
        "POST /api/v3/orderList/otoco",
        "order",
        AROUND,
        f"{_LISTS}New Order list - OTOCO",
        notional="spot",
        legs=OTOCO,
    ),
    endpoint(
        "POST /api/v3/orderList/opo",
        "order",
        AROUND,
        f"{_LISTS}New Order List - OPO",
        notional="spot",
        legs=OPO,
    ),
    endpoint(
        "POST /api/v3/orderList/opoco",
        "order",
        AROUND,
        f"{_LISTS}New Order List - OPOCO",
        notional="spot",
        legs=OPOCO,
    ),
    endpoint("DELETE /api/v3/orderList", "cancel", CANCEL, f"{_LISTS}Cancel Order list"),
)
