"""Portfolio margin, /papi: orders. Source: Binance's documentation, "Portfolio Margin"."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries
from vaultsigner.formats.exchange.endpoints.futures_words import AMEND, CANCEL, ONLY_LIMIT
from vaultsigner.formats.exchange.order_lists import old_oco

_TRADE = "Portfolio Margin REST API, Trade: "
_UM_ORDER = (
    "symbol! side! type! positionSide timeInForce quantity reduceOnly price newClientOrderId newOrderRespType priceMatch "
    "selfTradePreventionMode goodTillDate"
)
_CM_ORDER = "symbol! side! type! positionSide timeInForce quantity reduceOnly price priceMatch newClientOrderId newOrderRespType"
_CM_CONDITIONAL = (
    "symbol! side! strategyType!:type positionSide timeInForce quantity reduceOnly price workingType priceProtect "
    "newClientStrategyId:client_order_id stopPrice activationPrice callbackRate newOrderRespType"
)
_UM_ALGO = (
    "algoType! symbol! side! type! quantity! positionSide timeInForce price triggerPrice:stop_price workingType priceMatch "
    "priceProtect reduceOnly activatePrice:activation_price callbackRate clientAlgoId:client_order_id newOrderRespType "
    "selfTradePreventionMode goodTillDate"
)
_MARGIN_ORDER = (
    "symbol! side! type! quantity quoteOrderQty price stopPrice newClientOrderId newOrderRespType icebergQty sideEffectType "
    "timeInForce selfTradePreventionMode autoRepayAtCancel"
)
_CANCEL_CONDITIONAL = "symbol! strategyId newClientStrategyId"

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/papi/v1/",
        "cm/userTrades cm/adlQuantile um/feeBurn margin/myTrades cm/conditional/allOrders cm/allOrders "
        "cm/conditional/openOrders cm/openOrders um/algo/openAlgoOrders um/conditional/openOrders um/openOrders "
        "margin/allOrders um/conditional/allOrders um/allOrders cm/conditional/orderHistory cm/orderAmendment cm/order "
        "cm/conditional/openOrder cm/openOrder margin/openOrders um/algo/algoOrder um/conditional/openOrder um/openOrder "
        "margin/order margin/allOrderList margin/orderList margin/openOrderList um/algo/allAlgoOrders "
        "um/conditional/orderHistory um/orderAmendment um/order cm/forceOrders margin/forceOrders um/forceOrders "
        "um/userTrades um/adlQuantile",
        f"{_TRADE}queries",
    ),
    endpoint("POST /papi/v1/um/order", "order", _UM_ORDER, f"{_TRADE}New UM Order", notional="linear"),
    endpoint(
        "POST /papi/v1/um/conditional/order",
        "order",
        f"{_CM_CONDITIONAL} priceMatch selfTradePreventionMode goodTillDate",
        f"{_TRADE}New UM Conditional Order",
        notional="linear",
    ),
    endpoint(
        "POST /papi/v1/um/algo/order", "order", _UM_ALGO, f"{_TRADE}New UM Algo Order", notional="linear"
    ),
    endpoint("POST /papi/v1/cm/order", "order", _CM_ORDER, f"{_TRADE}New CM Order"),
    endpoint(
        "POST /papi/v1/cm/conditional/order", "order", _CM_CONDITIONAL, f"{_TRADE}New CM Conditional Order"
    ),
    endpoint(
        "POST /papi/v1/margin/order", "order", _MARGIN_ORDER, f"{_TRADE}New Margin Order", notional="spot"
    ),
    endpoint(
        "POST /papi/v1/margin/order/oco",
        "order",
        "symbol! side! quantity! listClientOrderId:client_order_id newOrderRespType sideEffectType",
        f"{_TRADE}Margin Account New OCO",
        notional="spot",
        legs=old_oco(),
    ),
    endpoint(
        "PUT /papi/v1/um/order",
        "amend",
        AMEND,
        f"{_TRADE}Modify UM Order",
        notional="linear",
        fixed=ONLY_LIMIT,
    ),
    endpoint("PUT /papi/v1/cm/order", "amend", AMEND, f"{_TRADE}Modify CM Order", fixed=ONLY_LIMIT),
    endpoint("DELETE /papi/v1/um/order", "cancel", CANCEL, f"{_TRADE}Cancel UM Order"),
    endpoint("DELETE /papi/v1/cm/order", "cancel", CANCEL, f"{_TRADE}Cancel CM Order"),
    endpoint(
        "DELETE /papi/v1/margin/order",
        "cancel",
        f"{CANCEL} newClientOrderId",
        f"{_TRADE}Cancel Margin Account Order",
    ),
    endpoint(
        "DELETE /papi/v1/margin/orderList",
        "cancel",
        "symbol! orderListId listClientOrderId newClientOrderId",
        f"{_TRADE}Cancel Margin Account OCO Orders",
    ),
    endpoint(
        "DELETE /papi/v1/um/algo/order",
        "cancel",
        "algoId clientAlgoId symbol",
        f"{_TRADE}Cancel UM Algo Order",
    ),
    endpoint(
        "DELETE /papi/v1/um/conditional/order",
        "cancel",
        _CANCEL_CONDITIONAL,
        f"{_TRADE}Cancel UM Conditional Order",
    ),
    endpoint(
        "DELETE /papi/v1/cm/conditional/order",
        "cancel",
        _CANCEL_CONDITIONAL,
        f"{_TRADE}Cancel CM Conditional Order",
    ),
    *(
        endpoint(f"DELETE /papi/v1/{path}", "cancel", "symbol!", f"{_TRADE}{title}")
        for path, title in (
            ("um/allOpenOrders", "Cancel All UM Open Orders"),
            ("um/algo/allOpenOrders", "Cancel All UM Algo Open Orders"),
            ("um/conditional/allOpenOrders", "Cancel All UM Open Conditional Orders"),
            ("cm/allOpenOrders", "Cancel All CM Open Orders"),
            ("cm/conditional/allOpenOrders", "Cancel All CM Open Conditional Orders"),
            ("margin/allOpenOrders", "Cancel Margin Account All Open Orders on a Symbol"),
        )
    ),
)
