"""COIN-M futures, /dapi. Source: Binance's documentation, "COIN-M Futures".

Quantities are contracts of 10 or 100 USD and prices do not say what they cost: a notional is never known.
"""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries
from vaultsigner.formats.exchange.endpoints.futures_words import (
    ALGO_ORDER,
    AMEND,
    CANCEL,
    CANCEL_LIST,
    COINM_ORDER,
    ONLY_LIMIT,
)

_TRADE = "COIN-M Futures REST API, Trade: "
_ACCOUNT = "COIN-M Futures REST API, Account"
_MARKET = "COIN-M Futures REST API, Market Data"

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/dapi/v1/",
        "ping time exchangeInfo depth trades aggTrades klines continuousKlines indexPriceKlines markPriceKlines "
        "premiumIndexKlines premiumIndex fundingRate fundingInfo ticker/24hr ticker/price ticker/bookTicker openInterest "
        "constituents",
        _MARKET,
        security="public",
    ),
    *queries("/dapi/v1/", "historicalTrades", _MARKET, security="market_data"),
    *queries(
        "/dapi/v1/",
        "account balance positionSide/dual order/asyn order/asyn/id trade/asyn trade/asyn/id income/asyn income/asyn/id income "
        "leverageBracket commissionRate pmAccountInfo pmExchangeInfo",
        _ACCOUNT,
    ),
    *queries("/dapi/v2/", "leverageBracket", _ACCOUNT),
    *queries(
        "/dapi/v1/",
        "order openOrder openOrders allOrders userTrades forceOrders orderAmendment positionRisk positionMargin/history "
        "adlQuantile algoOrder openAlgoOrders allAlgoOrders",
        f"{_TRADE}queries",
    ),
    endpoint("POST /dapi/v1/order", "order", COINM_ORDER, f"{_TRADE}New Order"),
    endpoint("POST /dapi/v1/algoOrder", "order", ALGO_ORDER, f"{_TRADE}New Algo Order"),
    endpoint(
        "POST /dapi/v1/batchOrders",
        "order",
        "batchOrders!",
        f"{_TRADE}Place Multiple Orders",
        batch="batchOrders",
        members=COINM_ORDER,
        most=5,
    ),
    endpoint("PUT /dapi/v1/order", "amend", AMEND, f"{_TRADE}Modify Order", fixed=ONLY_LIMIT),
    endpoint(
        "PUT /dapi/v1/batchOrders",
        "amend",
        "batchOrders!",
        f"{_TRADE}Modify Multiple Orders",
        fixed=ONLY_LIMIT,
        batch="batchOrders",
        members=AMEND,
        most=5,
    ),
    endpoint("DELETE /dapi/v1/order", "cancel", CANCEL, f"{_TRADE}Cancel Order"),
    endpoint("DELETE /dapi/v1/batchOrders", "cancel", CANCEL_LIST, f"{_TRADE}Cancel Multiple Orders"),
    endpoint("DELETE /dapi/v1/allOpenOrders", "cancel", "symbol!", f"{_TRADE}Cancel All Open Orders"),
    endpoint(
        "DELETE /dapi/v1/algoOrder", "cancel", "algoId clientAlgoId symbol", f"{_TRADE}Cancel Algo Order"
    ),
    endpoint("DELETE /dapi/v1/algoOpenOrders", "cancel", "symbol!", f"{_TRADE}Cancel All Algo Open Orders"),
    endpoint(
        "POST /dapi/v1/countdownCancelAll",
        "cancel",
        "symbol! countdownTime!",
        f"{_TRADE}Auto-Cancel All Open Orders",
    ),
    endpoint("POST /dapi/v1/leverage", "settings", "symbol! leverage!", f"{_TRADE}Change Initial Leverage"),
    endpoint("POST /dapi/v1/marginType", "settings", "symbol! marginType!", f"{_TRADE}Change Margin Type"),
    endpoint(
        "POST /dapi/v1/positionSide/dual", "settings", "dualSidePosition!", f"{_TRADE}Change Position Mode"
    ),
    endpoint(
        "POST /dapi/v1/positionMargin",
        "settings",
        "symbol! amount! type! positionSide",
        f"{_TRADE}Modify Isolated Position Margin",
    ),
)
