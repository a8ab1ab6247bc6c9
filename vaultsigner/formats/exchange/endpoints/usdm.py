"""USD-M futures, /fapi. Source: Binance's documentation, "USD-M Futures"."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries
from vaultsigner.formats.exchange.endpoints.futures_words import (
    ALGO_ORDER,
    AMEND,
    CANCEL,
    CANCEL_LIST,
    ONLY_LIMIT,
    USDM_ORDER,
)

_TRADE = "USD-M Futures REST API, Trade: "
_ACCOUNT = "USD-M Futures REST API, Account"
_MARKET = "USD-M Futures REST API, Market Data"

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/fapi/v1/",
        "ping time exchangeInfo depth rpiDepth trades aggTrades klines continuousKlines indexPriceKlines markPriceKlines "
        "premiumIndexKlines premiumIndex fundingRate fundingInfo ticker/24hr ticker/price ticker/bookTicker openInterest "
        "assetIndex indexInfo constituents insuranceBalance symbolAdlRisk tradingSchedule lvtKlines convert/exchangeInfo",
        _MARKET,
        security="public",
    ),
    *queries("/fapi/v2/", "ticker/price", _MARKET, security="public"),
    *queries("/fapi/v1/", "historicalTrades", _MARKET, security="market_data"),
    *queries(
        "/futures/data/",
        "openInterestHist topLongShortPositionRatio topLongShortAccountRatio globalLongShortAccountRatio takerlongshortRatio "
        "takerBuySellVol basis delivery-price",
        f"{_MARKET}; COIN-M Futures REST API, Market Data",
        security="public",
    ),
    *queries(
        "/fapi/v1/",
        "account balance accountConfig apiTradingStatus feeBurn multiAssetsMargin positionSide/dual order/asyn order/asyn/id "
        "trade/asyn trade/asyn/id income/asyn income/asyn/id income leverageBracket rateLimit/order symbolConfig "
        "commissionRate pmAccountInfo convert/orderStatus stock/contract",
        _ACCOUNT,
    ),
    *queries("/fapi/v2/", "account balance positionRisk", _ACCOUNT),
    *queries("/fapi/v3/", "account balance positionRisk", _ACCOUNT),
    *queries(
        "/fapi/v1/",
        "order openOrder openOrders allOrders userTrades forceOrders orderAmendment positionRisk positionMargin/history "
        "adlQuantile algoOrder openAlgoOrders allAlgoOrders",
        f"{_TRADE}queries",
    ),
    endpoint("POST /fapi/v1/order", "order", USDM_ORDER, f"{_TRADE}New Order", notional="linear"),
    endpoint("POST /fapi/v1/order/test", "order", USDM_ORDER, f"{_TRADE}Test Order", notional="linear"),
    endpoint("POST /fapi/v1/algoOrder", "order", ALGO_ORDER, f"{_TRADE}New Algo Order", notional="linear"),
    endpoint(
        "POST /fapi/v1/batchOrders",
        "order",
        "batchOrders!",
        f"{_TRADE}Place Multiple Orders",
        notional="linear",
        batch="batchOrders",
        members=USDM_ORDER,
        most=5,
    ),
    endpoint(
        "PUT /fapi/v1/order", "amend", AMEND, f"{_TRADE}Modify Order", notional="linear", fixed=ONLY_LIMIT
    ),
    endpoint(
        "PUT /fapi/v1/batchOrders",
        "amend",
        "batchOrders!",
        f"{_TRADE}Modify Multiple Orders",
        notional="linear",
        fixed=ONLY_LIMIT,
        batch="batchOrders",
        members=AMEND,
        most=5,
    ),
    endpoint("DELETE /fapi/v1/order", "cancel", CANCEL, f"{_TRADE}Cancel Order"),
    endpoint("DELETE /fapi/v1/batchOrders", "cancel", CANCEL_LIST, f"{_TRADE}Cancel Multiple Orders"),
    endpoint("DELETE /fapi/v1/allOpenOrders", "cancel", "symbol!", f"{_TRADE}Cancel All Open Orders"),
    endpoint(
        "DELETE /fapi/v1/algoOrder", "cancel", "algoId clientAlgoId symbol", f"{_TRADE}Cancel Algo Order"
    ),
    endpoint("DELETE /fapi/v1/algoOpenOrders", "cancel", "symbol!", f"{_TRADE}Cancel All Algo Open Orders"),
    endpoint(
        "POST /fapi/v1/countdownCancelAll",
        "cancel",
        "symbol! countdownTime!",
        f"{_TRADE}Auto-Cancel All Open Orders",
    ),
    endpoint("POST /fapi/v1/leverage", "settings", "symbol! leverage!", f"{_TRADE}Change Initial Leverage"),
    endpoint("POST /fapi/v1/marginType", "settings", "symbol! marginType!", f"{_TRADE}Change Margin Type"),
    endpoint(
        "POST /fapi/v1/positionSide/dual", "settings", "dualSidePosition!", f"{_TRADE}Change Position Mode"
    ),
    endpoint(
        "POST /fapi/v1/multiAssetsMargin",
        "settings",
        "multiAssetsMargin!",
        f"{_TRADE}Change Multi-Assets Mode",
    ),
    endpoint(
        "POST /fapi/v1/positionMargin",
        "settings",
        "symbol! amount! type! positionSide",
        f"{_TRADE}Modify Isolated Position Margin",
    ),
    endpoint(
        "POST /fapi/v1/feeBurn", "settings", "feeBurn!", f"{_ACCOUNT}: Toggle BNB Burn On Futures Trade"
    ),
    endpoint("POST /fapi/v1/stock/contract", "settings", "", f"{_TRADE}Futures TradFi Perps Contract"),
    endpoint(
        "POST /fapi/v1/convert/getQuote",
        "other",
        "fromAsset! toAsset! fromAmount toAmount validTime",
        "USD-M Futures REST API, Convert: Send Quote Request",
    ),
    endpoint(
        "POST /fapi/v1/convert/acceptQuote",
        "other",
        "quoteId!",
        "USD-M Futures REST API, Convert: Accept the offered quote",
    ),
)
