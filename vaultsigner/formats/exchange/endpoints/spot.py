"""Spot, /api/v3. Source: Binance's documentation, "Spot REST API" (binance-spot-api-docs, rest-api.md, July 2026)."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries

_TRADE = "Spot REST API, Trading endpoints: "

ORDER = (
    "symbol! side! type! timeInForce quantity quoteOrderQty price newClientOrderId strategyId strategyType stopPrice "
    "trailingDelta icebergQty newOrderRespType selfTradePreventionMode pegPriceType pegOffsetValue pegOffsetType"
)
CANCEL = "symbol! orderId origClientOrderId newClientOrderId cancelRestrictions"
CANCEL_REPLACE = (
    f"{ORDER} cancelReplaceMode! cancelNewClientOrderId:client_order_id cancelOrigClientOrderId cancelOrderId "
    "cancelRestrictions orderRateLimitExceededMode"
)
AMEND = "symbol! newQty!:quantity orderId? origClientOrderId? newClientOrderId"
SOR = (
    "symbol! side! type! quantity! timeInForce price newClientOrderId strategyId strategyType icebergQty newOrderRespType "
    "selfTradePreventionMode"
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/api/v3/",
        "ping time exchangeInfo executionRules",
        "Spot REST API, General endpoints",
        security="public",
    ),
    *queries(
        "/api/v3/",
        "depth trades historicalTrades aggTrades klines uiKlines avgPrice referencePrice referencePrice/calculation ticker "
        "ticker/24hr ticker/tradingDay ticker/price ticker/bookTicker",
        "Spot REST API, Market Data endpoints",
        security="public",
    ),
    *queries(
        "/api/v3/",
        "historicalBlockTrades",
        "Spot REST API, Market Data endpoints: Historical Block Trades",
        security="market_data",
    ),
    *queries(
        "/api/v3/",
        "account account/commission order openOrders allOrders order/amendments orderList allOrderList openOrderList myTrades "
        "myPreventedMatches myAllocations myFilters rateLimit/order",
        "Spot REST API, Account Endpoints",
    ),
    endpoint("POST /api/v3/order", "order", ORDER, f"{_TRADE}New order", notional="spot"),
    endpoint(
        "POST /api/v3/order/test",
        "order",
        f"{ORDER} computeCommissionRates",
        f"{_TRADE}Test new order",
        notional="spot",
    ),
    endpoint("DELETE /api/v3/order", "cancel", CANCEL, f"{_TRADE}Cancel order"),
    endpoint("DELETE /api/v3/openOrders", "cancel", "symbol!", f"{_TRADE}Cancel All Open Orders on a Symbol"),
    endpoint(
        "POST /api/v3/order/cancelReplace",
        "order",
        CANCEL_REPLACE,
        f"{_TRADE}Cancel an Existing Order and Send a New Order",
        notional="spot",
    ),
    endpoint("PUT /api/v3/order/amend/keepPriority", "amend", AMEND, f"{_TRADE}Order Amend Keep Priority"),
    endpoint("POST /api/v3/sor/order", "order", SOR, f"{_TRADE}New order using SOR", notional="spot"),
    endpoint(
        "POST /api/v3/sor/order/test",
        "order",
        f"{SOR} computeCommissionRates",
        f"{_TRADE}Test new order using SOR",
        notional="spot",
    ),
)
