"""Portfolio margin: the account and its loans, /papi and /sapi. Source: Binance's documentation, "Portfolio Margin" (and Pro)."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries

_PM = "Portfolio Margin REST API, Account"
_PRO = "Portfolio Margin Pro REST API, Account"
_LOANS = "Portfolio Margin REST API, Trade: "

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries("/papi/v1/", "ping", "Portfolio Margin REST API, Market Data", security="public"),
    *queries(
        "/papi/v1/",
        "balance account rateLimit/order repay-futures-switch cm/leverageBracket cm/account cm/accountConfig cm/symbolConfig "
        "cm/positionSide/dual cm/income cm/commissionRate cm/positionRisk um/order/asyn um/order/asyn/id um/trade/asyn "
        "um/trade/asyn/id um/income/asyn um/income/asyn/id um/account um/accountConfig um/symbolConfig um/leverageBracket "
        "um/positionSide/dual um/income um/commissionRate um/apiTradingStatus um/positionRisk margin/marginInterestHistory "
        "margin/maxBorrowable margin/marginLoan margin/maxWithdraw margin/repayLoan portfolio/interest-history "
        "portfolio/negative-balance-exchange-record",
        _PM,
    ),
    *queries("/papi/v2/", "um/account", _PM),
    *queries(
        "/sapi/v1/portfolio/",
        "repay-futures-switch delta-mode margin-call-level balance account earn-asset-balance pmLoan pmloan-history "
        "interest-history margin-asset-leverage negative-balance-exchange-record",
        _PRO,
    ),
    *queries("/sapi/v2/portfolio/", "account collateralRate", _PRO),
    *queries(
        "/sapi/v1/portfolio/",
        "collateralRate asset-index-price",
        "Portfolio Margin Pro REST API, Market Data",
        security="market_data",
    ),
    *(
        endpoint(
            f"POST {base}/bnb-transfer", "transfer", "amount! transferSide!:type", f"{source}: BNB transfer"
        )
        for base, source in (("/papi/v1", _PM), ("/sapi/v1/portfolio", _PRO))
    ),
    *(
        endpoint(f"POST {base}/auto-collection", "transfer", "", f"{source}: Fund Auto-collection")
        for base, source in (("/papi/v1", _PM), ("/sapi/v1/portfolio", _PRO))
    ),
    *(
        endpoint(f"POST {base}/asset-collection", "transfer", "asset!", f"{source}: Fund Collection by Asset")
        for base, source in (("/papi/v1", _PM), ("/sapi/v1/portfolio", _PRO))
    ),
    *(
        endpoint(
            f"POST {base}/repay-futures-switch",
            "settings",
            "autoRepay!",
            f"{source}: Change Auto-repay-futures Status",
        )
        for base, source in (("/papi/v1", _PM), ("/sapi/v1/portfolio", _PRO))
    ),
    *(
        endpoint(
            f"POST {base}/repay-futures-negative-balance",
            "other",
            "from",
            f"{source}: Repay futures Negative Balance",
        )
        for base, source in (("/papi/v1", _PM), ("/sapi/v1/portfolio", _PRO))
    ),
    endpoint(
        "POST /sapi/v1/portfolio/earn-asset-transfer",
        "transfer",
        "asset! transferType!:type amount!",
        f"{_PRO}: Transfer LDUSDT/RWUSD for Portfolio Margin",
    ),
    endpoint(
        "POST /sapi/v1/portfolio/repay",
        "other",
        "from",
        f"{_PRO}: Portfolio Margin Pro Bankruptcy Loan Repay",
    ),
    endpoint(
        "POST /sapi/v1/portfolio/margin-call-level",
        "settings",
        "marginCallLevel!",
        f"{_PRO}: Set Margin Call Level",
    ),
    endpoint(
        "DELETE /sapi/v1/portfolio/margin-call-level", "settings", "", f"{_PRO}: Delete Margin Call Level"
    ),
    endpoint("POST /sapi/v1/portfolio/delta-mode", "settings", "deltaEnabled!", f"{_PRO}: Switch Delta Mode"),
    *(
        endpoint(
            f"POST /papi/v1/{pair}/leverage",
            "settings",
            "symbol! leverage!",
            f"{_PM}: Change Initial Leverage",
        )
        for pair in ("um", "cm")
    ),
    *(
        endpoint(
            f"POST /papi/v1/{pair}/positionSide/dual",
            "settings",
            "dualSidePosition!",
            f"{_PM}: Change Position Mode",
        )
        for pair in ("um", "cm")
    ),
    endpoint(
        "POST /papi/v1/um/feeBurn", "settings", "feeBurn!", f"{_LOANS}Toggle BNB Burn On UM Futures Trade"
    ),
    endpoint("POST /papi/v1/um/stock/contract", "settings", "", f"{_LOANS}Futures TradFi Perps Contract"),
    endpoint("POST /papi/v1/marginLoan", "other", "asset! amount!", f"{_LOANS}Margin Account Borrow"),
    endpoint("POST /papi/v1/repayLoan", "other", "asset! amount!", f"{_LOANS}Margin Account Repay"),
    endpoint(
        "POST /papi/v1/margin/repay-debt",
        "other",
        "asset! amount specifyRepayAssets",
        f"{_LOANS}Margin Account Repay Debt",
    ),
)
