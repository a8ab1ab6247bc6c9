"""European options, /eapi. Source: Binance's documentation, "Options Trading". A price is a premium, a quantity contracts."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries

_TRADE = "Options REST API, Trade: "
_MAKER = "Options REST API, Market Maker Endpoints: "
_BLOCK = "Options REST API, Market Maker Block Trade: "

ORDER = (
    "symbol! side! type! quantity! price timeInForce reduceOnly postOnly newOrderRespType clientOrderId:client_order_id isMmp "
    "selfTradePreventionMode"
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/eapi/v1/",
        "ping time exchangeInfo depth trades historicalTrades klines mark index ticker openInterest exerciseHistory blockTrades",
        "Options REST API, Market Data",
        security="public",
    ),
    *queries(
        "/eapi/v1/", "account marginAccount bill income/asyn income/asyn/id", "Options REST API, Account"
    ),
    *queries(
        "/eapi/v1/",
        "order openOrders historyOrders userTrades position exerciseRecord commission comission",
        f"{_TRADE}queries",
    ),
    *queries("/eapi/v1/", "countdownCancelAll mmp", f"{_MAKER}queries"),
    *queries("/eapi/v1/block/", "user-trades order/execute order/orders", f"{_BLOCK}queries"),
    endpoint("POST /eapi/v1/order", "order", ORDER, f"{_TRADE}New Order"),
    endpoint(
        "POST /eapi/v1/batchOrders",
        "order",
        "orders!",
        f"{_TRADE}Place Multiple Orders",
        batch="orders",
        members=ORDER,
        most=10,
    ),
    endpoint(
        "DELETE /eapi/v1/order", "cancel", "symbol! orderId clientOrderId", f"{_TRADE}Cancel Option Order"
    ),
    endpoint(
        "DELETE /eapi/v1/batchOrders",
        "cancel",
        "symbol! orderIds clientOrderIds",
        f"{_TRADE}Cancel Multiple Option Orders",
    ),
    endpoint(
        "DELETE /eapi/v1/allOpenOrders",
        "cancel",
        "symbol!",
        f"{_TRADE}Cancel all Option orders on specific symbol",
    ),
    endpoint(
        "DELETE /eapi/v1/allOpenOrdersByUnderlying",
        "cancel",
        "underlying!",
        f"{_TRADE}Cancel All Option Orders By Underlying",
    ),
    endpoint(
        "POST /eapi/v1/countdownCancelAll",
        "cancel",
        "underlying! countdownTime!",
        f"{_MAKER}Set Auto-Cancel All Open Orders (Kill-Switch) Config",
    ),
    endpoint(
        "POST /eapi/v1/countdownCancelAllHeartBeat",
        "cancel",
        "underlyings!",
        f"{_MAKER}Auto-Cancel All Open Orders (Kill-Switch) Heartbeat",
    ),
    endpoint(
        "POST /eapi/v1/mmpSet",
        "settings",
        "underlying! windowTimeInMilliseconds! frozenTimeInMilliseconds! qtyLimit! deltaLimit!",
        f"{_MAKER}Set Market Maker Protection Config",
    ),
    endpoint(
        "POST /eapi/v1/mmpReset",
        "settings",
        "underlying!",
        f"{_MAKER}Reset Market Maker Protection Config",
    ),
    endpoint("POST /eapi/v1/stock/contract", "settings", "", f"{_TRADE}TradFi Options Contract"),
    endpoint(
        "POST /eapi/v1/block/order/create", "other", "liquidity! legs!", f"{_BLOCK}New Block Trade Order"
    ),
    *(
        endpoint(place, "other", "blockOrderMatchingKey!", f"{_BLOCK}{title}")
        for place, title in (
            ("PUT /eapi/v1/block/order/create", "Extend Block Trade Order"),
            ("DELETE /eapi/v1/block/order/create", "Cancel Block Trade Order"),
            ("POST /eapi/v1/block/order/execute", "Accept Block Trade Order"),
        )
    ),
)
