"""Wallet, /sapi. Source: Binance's documentation, "Wallet"."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries

_RULE = "Wallet, Travel Rule: "

WITHDRAW = "coin! address! amount! withdrawOrderId:client_order_id network addressTag transactionFeeFlag name walletType"

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/sapi/v1/",
        "account/apiTradingStatus account/info account/status account/apiRestrictions accountSnapshot",
        "Wallet, Account",
    ),
    *queries(
        "/sapi/v1/",
        "asset/assetDetail asset/assetDividend asset/dribblet asset/ledger-transfer/cloud-mining/queryByPage "
        "asset/custody/transfer-history asset/transfer asset/wallet/balance asset/tradeFee "
        "asset/convert-transfer/queryByPage bnbBurn",
        "Wallet, Asset",
    ),
    *queries(
        "/sapi/v1/spot/",
        "open-symbol-list asset/tags delist-schedule",
        "Wallet, Asset",
        security="market_data",
    ),
    *queries(
        "/sapi/v1/capital/",
        "config/getall deposit/address deposit/hisrec deposit/address/list withdraw/address/list withdraw/quota "
        "withdraw/history contract/convertible-coins",
        "Wallet, Capital",
    ),
    *queries("/sapi/v1/", "system/status", "Wallet, Others: System Status", security="public"),
    *queries(
        "/sapi/v1/",
        "localentity/questionnaire-requirements localentity/deposit/history addressVerify/list localentity/country/list "
        "localentity/region/list localentity/vasp localentity/withdraw/history",
        "Wallet, Travel Rule",
    ),
    *queries("/sapi/v2/localentity/", "deposit/history withdraw/history", "Wallet, Travel Rule"),
    *(
        endpoint(place, "query", words, f"Wallet, Asset: {title}")
        for place, words, title in (
            ("POST /sapi/v1/asset/get-funding-asset", "asset needBtcValuation", "Funding Wallet"),
            ("POST /sapi/v3/asset/getUserAsset", "asset needBtcValuation", "User Asset"),
            (
                "POST /sapi/v1/asset/dust-btc",
                "accountType",
                "Get Assets That Can Be Converted Into BNB",
            ),
            (
                "POST /sapi/v1/asset/dust-convert/query-convertible-assets",
                "targetAsset! accountType dustQuotaAssetToTargetAssetPrice",
                "Dust Convertible Assets",
            ),
        )
    ),
    endpoint("POST /sapi/v1/capital/withdraw/apply", "withdraw", WITHDRAW, "Wallet, Capital: Withdraw"),
    endpoint(
        "POST /sapi/v1/localentity/withdraw/apply",
        "withdraw",
        f"{WITHDRAW} questionnaire!",
        f"{_RULE}Withdraw Travel Rule",
    ),
    endpoint(
        "POST /sapi/v1/localentity/broker/withdraw/apply",
        "withdraw",
        "coin! address! amount! withdrawOrderId!:client_order_id questionnaire! originatorPii! addressTag network addressName "
        "transactionFeeFlag walletType",
        f"{_RULE}Broker Withdraw",
    ),
    endpoint(
        "POST /sapi/v1/asset/transfer",
        "transfer",
        "type! asset! amount! fromSymbol toSymbol",
        "Wallet, Asset: User Universal Transfer",
        says_both_accounts="type",
    ),
    endpoint(
        "POST /sapi/v1/futures/transfer",
        "transfer",
        "type! asset! amount!",
        "Futures, New Future Account Transfer (retired)",
    ),
    *(
        endpoint(
            f"POST /sapi/v1/account/{word}FastWithdrawSwitch", "settings", "", f"Wallet, Account: {title}"
        )
        for word, title in (
            ("enable", "Enable Fast Withdraw Switch"),
            ("disable", "Disable Fast Withdraw Switch"),
        )
    ),
    endpoint(
        "POST /sapi/v1/bnbBurn",
        "settings",
        "spotBNBBurn spotBnbBurn interestBNBBurn interestBnbBurn",
        "Wallet, Asset: Toggle BNB Burn On Spot Trade And Margin Interest",
    ),
    endpoint("POST /sapi/v1/asset/dust", "other", "asset!: accountType", "Wallet, Asset: Dust Transfer"),
    endpoint(
        "POST /sapi/v1/asset/dust-convert/convert",
        "other",
        "asset!: accountType clientId targetAsset thirdPartyClientId dustQuotaAssetToTargetAssetPrice",
        "Wallet, Asset: Dust Convert",
    ),
    endpoint(
        "POST /sapi/v1/capital/deposit/credit-apply",
        "other",
        "depositId txId subAccountId subUserId",
        "Wallet, Capital: One click arrival deposit apply",
    ),
    endpoint(
        "PUT /sapi/v1/localentity/deposit/provide-info",
        "other",
        "tranId! questionnaire!",
        f"{_RULE}Submit Deposit Questionnaire",
    ),
    endpoint(
        "PUT /sapi/v2/localentity/deposit/provide-info",
        "other",
        "depositId! questionnaire!",
        f"{_RULE}Submit Deposit Questionnaire V2",
    ),
    endpoint(
        "PUT /sapi/v1/localentity/broker/deposit/provide-info",
        "other",
        "subAccountId! depositId! questionnaire! beneficiaryPii! network coin amount address addressTag",
        f"{_RULE}Submit Deposit Questionnaire Broker",
    ),
)
