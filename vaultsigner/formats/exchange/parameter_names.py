"""Which field of policy a parameter of Binance's API is, where its name means the same in all endpoints."""

from collections.abc import Mapping
from types import MappingProxyType

FIELD_OF: Mapping[str, str] = MappingProxyType(
    {
        "symbol": "symbol",
        "side": "side",
        "type": "type",
        "timeInForce": "time_in_force",
        "quantity": "quantity",
        "quoteOrderQty": "quote_quantity",
        "price": "price",
        "stopPrice": "stop_price",
        "icebergQty": "iceberg_quantity",
        "trailingDelta": "trailing_delta",
        "activationPrice": "activation_price",
        "callbackRate": "callback_rate",
        "leverage": "leverage",
        "marginType": "margin_type",
        "positionSide": "position_side",
        "reduceOnly": "reduce_only",
        "orderId": "order_id",
        "newClientOrderId": "client_order_id",
        "coin": "coin",
        "asset": "coin",
        "amount": "amount",
        "address": "address",
        "addressTag": "address_tag",
        "network": "network",
        "email": "sub_account",
    }
)
"""`origClientOrderId` and other references to what is there already have no field: approvals must be bound to them, and they
are not bound to `client_order_id`."""

_QUERY_WORDS = (
    "accountType algo algoId algoType amount aprPeriod archived asset assets autoCloseType autoSubscribe baseToken "
    "beginTime blockOrderMatchingKey clientAlgoId clientId clientOrderId clientTranId coin collateralAccountId "
    "collateralCoin configId countryCode currency current depositId downloadId duration email endDate endTime "
    "fromAllocationId fromEmail fromExecutionId fromId fromPreventedMatchId fromSymbol futuresType idList "
    "includeSource incomeType isFreeze isIsolated isolatedSymbol limit loanCoin marginAsset needBalanceDetail network "
    "newClientStrategyId offset omitZeroBalances orderId orderListId orderNo origClientOrderId page pageIndex "
    "pageSize pair pendingQuestionnaire positionId preventedMatchId productId projectId purchaseId quoteAsset quoteId "
    "recordId redeemId referenceNo retrieveQuestionnaire returnFailHistory rows side size sort sortColumn startDate "
    "startTime status strategyId subAccountApiKey symbol symbols tier toEmail toSymbol trId tranId transactionType "
    "transferFunctionAccountType transferType transfers travelRuleStatus txId type underlying userName vipLevel "
    "withdrawOrderId workerName workerStatus"
)
QUERY_NAMES = frozenset(_QUERY_WORDS.split())
"""What signed endpoints that only tell take, all together (Binance's documentation of spot, margin, wallet, sub-accounts,
futures, options, portfolio margin, algo orders, Convert and services). Whoever asks for more has something else in mind."""

_NAMED_BY_QUERIES = {**FIELD_OF, "fromEmail": "from_account", "toEmail": "to_account"}
OF_QUERIES: Mapping[str, str] = MappingProxyType(
    {name: field for name, field in _NAMED_BY_QUERIES.items() if name in QUERY_NAMES}
)
"""The fields of endpoints that only tell."""

PRIVATE = frozenset(
    {"listenKey", "questionnaire", "originatorPii", "beneficiaryPii", "accountInfo", "code", "secretToken"}
)
"""Parameters that records must not hold: they open something, or say who somebody is."""
