"""Margin, /sapi. Source: Binance's documentation, "Margin Trading"."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries
from vaultsigner.formats.exchange.order_lists import CORE, leg, old_oco

_TRADE = "Margin Trading, Trade: "
_LOAN = "Margin Trading, Borrow and Repay"
_LIST = (
    "symbol! isIsolated listClientOrderId:client_order_id newOrderRespType sideEffectType selfTradePreventionMode "
    "autoRepayAtCancel"
)
_WORKING = leg("working", f"side quantity {CORE}")
_PENDING = "pendingSide:side pendingQuantity:quantity"

ORDER = (
    "symbol! side! type! isIsolated quantity quoteOrderQty price stopPrice newClientOrderId icebergQty newOrderRespType "
    "sideEffectType timeInForce selfTradePreventionMode trailingDelta autoRepayAtCancel"
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/sapi/v1/margin/",
        "tradeCoeff capital-flow account crossMarginData isolated/accountLimit isolated/account isolatedMarginData",
        "Margin Trading, Account",
    ),
    *queries(
        "/sapi/v1/margin/",
        "next-hourly-interest-rate interestHistory borrow-repay interestRateHistory maxBorrowable loan repay",
        _LOAN,
    ),
    *queries(
        "/sapi/v1/margin/",
        "crossMarginCollateralRatio allPairs isolated/allPairs pair isolated/pair allAssets asset delist-schedule "
        "limit-price-pairs list-schedule risk-based-liquidation-ratio restricted-asset leverageBracket priceIndex",
        "Margin Trading, Market Data",
        security="market_data",
    ),
    *queries("/sapi/v1/margin/", "isolatedMarginTier available-inventory", "Margin Trading, Market Data"),
    *queries(
        "/sapi/v1/margin/",
        "forceLiquidationRec exchange-small-liability exchange-small-liability-history rateLimit/order liquidation-loan "
        "liquidation-loan/repay-history allOrderList allOrders orderList openOrderList openOrders order myTrades "
        "myPreventedMatches apiKey api-key-list dribblet dust",
        "Margin Trading, Trade",
    ),
    *queries("/sapi/v1/margin/", "transfer maxTransferable isolated/transfer", "Margin Trading, Transfer"),
    endpoint(
        "POST /sapi/v1/margin/order", "order", ORDER, f"{_TRADE}Margin Account New Order", notional="spot"
    ),
    endpoint(
        "POST /sapi/v1/margin/order/oco",
        "order",
        f"{_LIST} side! quantity!",
        f"{_TRADE}Margin Account New OCO",
        notional="spot",
        legs=old_oco(),
    ),
    endpoint(
        "POST /sapi/v1/margin/order/oto",
        "order",
        _LIST,
        f"{_TRADE}Margin Account New OTO",
        notional="spot",
        legs=(_WORKING, leg("pending", f"side quantity {CORE}")),
    ),
    endpoint(
        "POST /sapi/v1/margin/order/otoco",
        "order",
        _LIST,
        f"{_TRADE}Margin Account New OTOCO",
        notional="spot",
        legs=(
            _WORKING,
            leg("pendingAbove", CORE, shared=_PENDING),
            leg("pendingBelow", CORE, shared=_PENDING, optional=True),
        ),
    ),
    endpoint(
        "DELETE /sapi/v1/margin/order",
        "cancel",
        "symbol! isIsolated orderId origClientOrderId newClientOrderId",
        f"{_TRADE}Margin Account Cancel Order",
    ),
    endpoint(
        "DELETE /sapi/v1/margin/openOrders",
        "cancel",
        "symbol! isIsolated",
        f"{_TRADE}Margin Account Cancel all Open Orders on a Symbol",
    ),
    endpoint(
        "DELETE /sapi/v1/margin/orderList",
        "cancel",
        "symbol! isIsolated orderListId listClientOrderId newClientOrderId",
        f"{_TRADE}Margin Account Cancel OCO",
    ),
    endpoint(
        "POST /sapi/v1/margin/borrow-repay",
        "other",
        "asset! isIsolated! amount! type! symbol",
        f"{_LOAN}: Margin account borrow/repay",
    ),
    endpoint(
        "POST /sapi/v1/margin/liquidation-loan/repay",
        "other",
        "asset! amount!",
        f"{_TRADE}Liquidation Loan Repay",
    ),
    endpoint(
        "POST /sapi/v1/margin/manual-liquidation",
        "other",
        "type! symbol",
        f"{_TRADE}Margin Manual Liquidation",
    ),
    endpoint(
        "POST /sapi/v1/margin/exchange-small-liability",
        "other",
        "assetNames!",
        f"{_TRADE}Small Liability Exchange",
    ),
    endpoint(
        "POST /sapi/v1/margin/transfer",
        "transfer",
        "asset! amount! type!",
        "Margin Trading, Transfer: Cross Margin Account Transfer (retired)",
    ),
    endpoint(
        "POST /sapi/v1/margin/isolated/transfer",
        "transfer",
        "asset! symbol! transFrom!:from_account transTo!:to_account amount!",
        "Margin Trading, Transfer: Isolated Margin Account Transfer (retired)",
    ),
    endpoint(
        "POST /sapi/v1/margin/max-leverage",
        "settings",
        "maxLeverage!:leverage",
        "Margin Trading, Account: Adjust cross margin max leverage",
    ),
    *(
        endpoint(
            f"{method} /sapi/v1/margin/isolated/account",
            "settings",
            "symbol!",
            f"Margin Trading, Account: {word} Isolated Margin Account",
        )
        for method, word in (("POST", "Enable"), ("DELETE", "Disable"))
    ),
    endpoint(
        "POST /sapi/v1/margin/apiKey",
        "settings",
        "apiName! symbol ip publicKey permissionMode",
        f"{_TRADE}Create Special Key",
    ),
    endpoint("DELETE /sapi/v1/margin/apiKey", "settings", "apiName symbol", f"{_TRADE}Delete Special Key"),
    endpoint("PUT /sapi/v1/margin/apiKey/ip", "settings", "ip! symbol", f"{_TRADE}Edit ip for Special Key"),
    endpoint("POST /sapi/v1/margin/exit-special-key-mode", "settings", "", f"{_TRADE}Exit Special Key Mode"),
)
