"""Parameters that USD-M and COIN-M futures have in common. Source: Binance's documentation of both, Trade."""

CONDITIONAL = "stopPrice closePosition activationPrice callbackRate workingType priceProtect"
"""Of conditional orders at /order: moved to algo orders in USD-M's documentation of late 2025, still documented for COIN-M."""

USDM_ORDER = (
    "symbol! side! type! positionSide timeInForce reduceOnly quantity price newClientOrderId newOrderRespType priceMatch "
    f"selfTradePreventionMode goodTillDate {CONDITIONAL}"
)
COINM_ORDER = (
    "symbol! side! type! positionSide timeInForce reduceOnly quantity price newClientOrderId newOrderRespType priceMatch "
    f"selfTradePreventionMode {CONDITIONAL}"
)
ALGO_ORDER = (
    "algoType! symbol! side! type! positionSide timeInForce quantity price triggerPrice:stop_price workingType priceMatch "
    "closePosition priceProtect reduceOnly activatePrice:activation_price callbackRate clientAlgoId:client_order_id "
    "newOrderRespType selfTradePreventionMode goodTillDate"
)
AMEND = "symbol! side! quantity price orderId? origClientOrderId? priceMatch modifyId"
CANCEL = "symbol! orderId? origClientOrderId?"
CANCEL_LIST = "symbol! orderIdList origClientOrderIdList orderidlist origclientorderidlist"
"""In small letters as well: ccxt sends them so, and the exchange takes them."""
ONLY_LIMIT = {"type": "LIMIT"}
"""Modify Order: "currently only LIMIT order modification is supported"."""
