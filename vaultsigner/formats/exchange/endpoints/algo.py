"""Algo orders and Convert, /sapi. Source: Binance's documentation, "Algo Trading" and "Convert"."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries

_ALGO = "Algo Trading, "
_CONVERT = "Convert, Trade"
_FUTURES = "symbol! side! quantity! positionSide clientAlgoId:client_order_id reduceOnly limitPrice"

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/sapi/v1/algo/",
        "futures/openOrders futures/historicalOrders futures/subOrders spot/openOrders spot/historicalOrders spot/subOrders",
        f"{_ALGO}queries",
    ),
    endpoint(
        "POST /sapi/v1/algo/spot/newOrderTwap",
        "order",
        "symbol! side! quantity! duration! clientAlgoId:client_order_id limitPrice",
        f"{_ALGO}Spot Algo: Time-Weighted Average Price (Twap) New Order",
    ),
    endpoint(
        "POST /sapi/v1/algo/futures/newOrderTwap",
        "order",
        f"{_FUTURES} duration!",
        f"{_ALGO}Future Algo: Time-Weighted Average Price (Twap) New Order",
    ),
    endpoint(
        "POST /sapi/v1/algo/futures/newOrderVp",
        "order",
        f"{_FUTURES} urgency!",
        f"{_ALGO}Future Algo: Volume Participation (VP) New Order",
    ),
    *(
        endpoint(
            f"DELETE /sapi/v1/algo/{product}/order",
            "cancel",
            "algoId!",
            f"{_ALGO}Cancel {product} Algo Order",
        )
        for product in ("spot", "futures")
    ),
    *queries("/sapi/v1/convert/", "exchangeInfo", "Convert, Market Data", security="public"),
    *queries("/sapi/v1/convert/", "assetInfo", "Convert, Market Data"),
    *queries("/sapi/v1/convert/", "tradeFlow orderStatus limit/queryOpenOrders", _CONVERT),
    endpoint(
        "POST /sapi/v1/convert/getQuote",
        "other",
        "fromAsset! toAsset! fromAmount toAmount walletType validTime",
        f"{_CONVERT}: Send Quote Request",
    ),
    endpoint("POST /sapi/v1/convert/acceptQuote", "other", "quoteId!", f"{_CONVERT}: Accept Quote"),
    endpoint(
        "POST /sapi/v1/convert/limit/placeOrder",
        "other",
        "baseAsset! quoteAsset! limitPrice! side! expiredType! baseAmount quoteAmount walletType",
        f"{_CONVERT}: Place limit order",
    ),
    endpoint(
        "POST /sapi/v1/convert/limit/cancelOrder", "cancel", "orderId!", f"{_CONVERT}: Cancel limit order"
    ),
)
