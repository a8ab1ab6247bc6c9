"""Spot, /api/v3. Source: Binance's documentation, "Spot REST API"."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries

_ORDER = (
    "symbol! side! type! timeInForce quantity quoteOrderQty price newClientOrderId strategyId strategyType stopPrice "
    "trailingDelta icebergQty newOrderRespType selfTradePreventionMode pegPriceType pegOffsetValue pegOffsetType"
)
_TRADE = "Spot REST API, Trading endpoints: "

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries("/api/v3/", "ping time exchangeInfo", "Spot REST API, General endpoints", security="public"),
    *queries(
        "/api/v3/",
        "depth trades historicalTrades aggTrades klines uiKlines avgPrice ticker/24hr ticker/tradingDay ticker/price "
        "ticker/bookTicker ticker",
        "Spot REST API, Market Data endpoints",
        security="public",
    ),
    *queries(
        "/api/v3/",
        "order openOrders allOrders orderList allOrderList openOrderList account myTrades rateLimit/order myPreventedMatches "
        "myAllocations account/commission order/amendments myFilters",
        "Spot REST API, Account endpoints",
    ),
    endpoint("POST /api/v3/order", "order", _ORDER, _TRADE + "New order", notional="spot"),
    endpoint(
        "POST /api/v3/order/test",
        "order",
        f"{_ORDER} computeCommissionRates",
        _TRADE + "Test new order",
        notional="spot",
    ),
    endpoint(
        "DELETE /api/v3/order",
        "cancel",
        "symbol! orderId origClientOrderId newClientOrderId cancelRestrictions",
        _TRADE + "Cancel order",
    ),
    endpoint("DELETE /api/v3/openOrders", "cancel", "symbol!", _TRADE + "Cancel All Open Orders on a Symbol"),
)
