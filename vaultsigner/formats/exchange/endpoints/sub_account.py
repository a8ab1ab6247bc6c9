"""Sub-accounts, /sapi. Source: Binance's documentation, "Sub Account"."""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries

_KEYS = "Sub Account, API Management: "
_ASSETS = "Sub Account, Asset Management: "
_KEY = "email! subAccountApiKey!"
_MAY = "canTrade canMarginLoanRepay canFuturesTrade canUniversalTransfer canVanillaOptions"

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/sapi/v1/sub-account/",
        "futures/positionRisk status list transaction-statistics",
        "Sub Account, Account Management",
    ),
    *queries("/sapi/v2/sub-account/", "futures/positionRisk", "Sub Account, Account Management"),
    *queries(
        "/sapi/v1/",
        "sub-account/subAccountApi sub-account/subAccountApi/ipRestriction account/apiRestrictions/ipRestriction",
        "Sub Account, API Management",
    ),
    *queries(
        "/sapi/v1/",
        "sub-account/futures/account sub-account/margin/account sub-account/futures/move-position capital/deposit/subAddress "
        "capital/deposit/subHisrec sub-account/futures/accountSummary sub-account/margin/accountSummary "
        "sub-account/futures/internalTransfer sub-account/sub/transfer/history sub-account/spotSummary "
        "sub-account/universalTransfer sub-account/transfer/subUserHistory",
        "Sub Account, Asset Management",
    ),
    *queries(
        "/sapi/v2/sub-account/", "futures/account futures/accountSummary", "Sub Account, Asset Management"
    ),
    *queries("/sapi/v3/sub-account/", "assets", "Sub Account, Asset Management"),
    *queries("/sapi/v4/sub-account/", "assets", "Sub Account, Asset Management"),
    *queries(
        "/sapi/v1/managed-subaccount/",
        "deposit/address asset fetch-future-asset info marginAsset accountSnapshot queryTransLogForInvestor "
        "queryTransLogForTradeParent query-trans-log",
        "Sub Account, Managed Sub Account",
    ),
    endpoint(
        "POST /sapi/v1/sub-account/virtualSubAccount",
        "sub_account",
        "subAccountString!:sub_account",
        "Sub Account, Account Management: Create a Virtual Sub-account",
    ),
    *(
        endpoint(
            f"POST /sapi/v1/sub-account/{what}/enable",
            "sub_account",
            "email!",
            f"Sub Account, Account Management: Enable {what} for Sub-account",
        )
        for what in ("futures", "margin", "eoptions", "blvt")
    ),
    endpoint(
        "POST /sapi/v1/sub-account/subAccountApi",
        "sub_account",
        f"email! apiName! status! {_MAY} ipAddress thirdPartyName publicKey",
        f"{_KEYS}Create Sub-account API Key",
    ),
    endpoint(
        "DELETE /sapi/v1/sub-account/subAccountApi",
        "sub_account",
        _KEY,
        f"{_KEYS}Delete Sub-account API Key",
    ),
    endpoint(
        "POST /sapi/v1/sub-account/subAccountApiPermission",
        "sub_account",
        f"{_KEY} {_MAY}",
        f"{_KEYS}Modify Sub-account API Key Permission",
    ),
    endpoint(
        "POST /sapi/v2/sub-account/subAccountApi/ipRestriction",
        "sub_account",
        f"{_KEY} status! ipAddress",
        f"{_KEYS}Add IP Restriction for Sub-Account API key",
    ),
    endpoint(
        "DELETE /sapi/v1/sub-account/subAccountApi/ipRestriction/ipList",
        "sub_account",
        f"{_KEY} ipAddress!",
        f"{_KEYS}Delete IP List For a Sub-account API Key",
    ),
    *(
        endpoint(
            f"POST /sapi/v1/sub-account/{what}/transfer",
            "transfer",
            "email! asset! amount! type!",
            f"{_ASSETS}{what} Transfer for Sub-account",
        )
        for what in ("futures", "margin")
    ),
    endpoint(
        "POST /sapi/v1/sub-account/futures/internalTransfer",
        "transfer",
        "fromEmail!:from_account toEmail!:to_account futuresType! asset! amount!",
        f"{_ASSETS}Sub-account Futures Asset Transfer",
    ),
    endpoint(
        "POST /sapi/v1/sub-account/futures/move-position",
        "transfer",
        "fromUserEmail!:from_account toUserEmail!:to_account productType! orderArgs!",
        f"{_ASSETS}Move Position for Sub-account",
    ),
    endpoint(
        "POST /sapi/v1/sub-account/transfer/subToMaster",
        "transfer",
        "asset! amount!",
        f"{_ASSETS}Transfer to Master",
    ),
    endpoint(
        "POST /sapi/v1/sub-account/transfer/subToSub",
        "transfer",
        "toEmail!:to_account asset! amount!",
        f"{_ASSETS}Transfer to Sub-account of Same Master",
    ),
    endpoint(
        "POST /sapi/v1/sub-account/universalTransfer",
        "transfer",
        "fromAccountType! toAccountType! asset! amount! fromEmail:from_account toEmail:to_account "
        "clientTranId:client_order_id symbol",
        f"{_ASSETS}Universal Transfer",
    ),
    endpoint(
        "POST /sapi/v1/managed-subaccount/deposit",
        "transfer",
        "toEmail!:to_account asset! amount!",
        "Sub Account, Managed Sub Account: Deposit Assets Into The Managed Sub-account",
    ),
    endpoint(
        "POST /sapi/v1/managed-subaccount/withdraw",
        "transfer",
        "fromEmail!:from_account asset! amount! transferDate",
        "Sub Account, Managed Sub Account: Withdraw Assets From The Managed Sub-account",
    ),
)
