"""What withdrawals, transfers, sub-accounts and settings mean."""

import pytest

from tests.unit.formats.exchange.asked import item, meaning


@pytest.mark.parametrize(
    "place", ["POST /sapi/v1/capital/withdraw/apply", "POST /sapi/v1/localentity/withdraw/apply"]
)
def test_withdrawal(place: str) -> None:
    found = meaning(
        place,
        coin="USDT",
        network="TRX",
        address="TXYZ",
        addressTag="7",
        amount="12.5",
        withdrawOrderId="mine",
        transactionFeeFlag="true",
        walletType="1",
    )
    assert (found.operation, found.changes) == ("exchange.withdraw", True)
    assert found.items == (
        {
            "endpoint": place,
            "method": "POST",
            "coin": "USDT",
            "network": "TRX",
            "address": "TXYZ",
            "address_tag": "7",
            "amount": "12.5",
            "client_order_id": "mine",
            "parameters": {"transactionFeeFlag": "true", "walletType": "1"},
        },
    )


def test_what_says_who_somebody_is_stays_out_of_the_intent() -> None:
    parameters = {"coin": "USDT", "address": "T", "amount": "1", "questionnaire": '{"bnfFirstName": "Ann"}'}
    found = item("POST /sapi/v1/localentity/withdraw/apply", **parameters)
    assert "Ann" not in str(found)
    other = item("POST /sapi/v1/localentity/withdraw/apply", **{**parameters, "questionnaire": "{}"})
    assert found != other


@pytest.mark.parametrize(
    ("kind", "from_account", "to_account"),
    [
        ("MAIN_UMFUTURE", "MAIN", "UMFUTURE"),
        ("PORTFOLIO_MARGIN_MAIN", "PORTFOLIO_MARGIN", "MAIN"),
        ("MAIN_PORTFOLIO_MARGIN", "MAIN", "PORTFOLIO_MARGIN"),
        ("ISOLATEDMARGIN_ISOLATEDMARGIN", "ISOLATEDMARGIN", "ISOLATEDMARGIN"),
        ("MAIN_ISOLATED_MARGIN", "MAIN", "ISOLATED_MARGIN"),
        ("MAIN_NEWPRODUCT", None, None),
        ("main_umfuture", None, None),
        ("MAIN", None, None),
    ],
)
def test_universal_transfer(kind: str, from_account: str | None, to_account: str | None) -> None:
    found = meaning("POST /sapi/v1/asset/transfer", type=kind, asset="USDT", amount="1", fromSymbol="BNBUSDT")
    assert found.operation == "exchange.transfer"
    only = found.items[0]
    assert (only["type"], only["coin"], only["amount"]) == (kind, "USDT", "1")
    assert (only.get("from_account"), only.get("to_account")) == (from_account, to_account)
    assert only["parameters"] == {"fromSymbol": "BNBUSDT"}


@pytest.mark.parametrize(
    ("place", "parameters", "fields"),
    [
        (
            "POST /sapi/v1/sub-account/universalTransfer",
            {
                "fromEmail": "a@x",
                "toEmail": "b@x",
                "fromAccountType": "SPOT",
                "toAccountType": "SPOT",
                "clientTranId": "c",
            },
            {
                "from_account": "a@x",
                "to_account": "b@x",
                "client_order_id": "c",
                "parameters": {"fromAccountType": "SPOT", "toAccountType": "SPOT"},
            },
        ),
        ("POST /sapi/v1/sub-account/transfer/subToSub", {"toEmail": "b@x"}, {"to_account": "b@x"}),
        ("POST /sapi/v1/sub-account/transfer/subToMaster", {}, {}),
        (
            "POST /sapi/v1/sub-account/futures/transfer",
            {"email": "a@x", "type": "1"},
            {"sub_account": "a@x", "type": "1"},
        ),
        (
            "POST /sapi/v1/sub-account/futures/internalTransfer",
            {"fromEmail": "a@x", "toEmail": "b@x", "futuresType": "1"},
            {"from_account": "a@x", "to_account": "b@x", "parameters": {"futuresType": "1"}},
        ),
        ("POST /sapi/v1/managed-subaccount/deposit", {"toEmail": "b@x"}, {"to_account": "b@x"}),
        (
            "POST /sapi/v1/margin/isolated/transfer",
            {"symbol": "A", "transFrom": "SPOT", "transTo": "ISOLATED_MARGIN"},
            {"symbol": "A", "from_account": "SPOT", "to_account": "ISOLATED_MARGIN"},
        ),
    ],
)
def test_transfers(place: str, parameters: dict[str, str], fields: dict[str, object]) -> None:
    assert meaning(place, asset="USDT", amount="1", **parameters).operation == "exchange.transfer"
    assert item(place, asset="USDT", amount="1", **parameters) == {"coin": "USDT", "amount": "1", **fields}


@pytest.mark.parametrize(
    ("place", "parameters", "operation", "fields"),
    [
        (
            "POST /sapi/v1/sub-account/virtualSubAccount",
            {"subAccountString": "desk"},
            "sub_account",
            {"sub_account": "desk"},
        ),
        (
            "POST /sapi/v1/sub-account/subAccountApi",
            {"email": "a@x", "apiName": "n", "status": "2", "canTrade": "true", "ipAddress": "203.0.113.7"},
            "sub_account",
            {
                "sub_account": "a@x",
                "parameters": {"apiName": "n", "status": "2", "canTrade": "true", "ipAddress": "203.0.113.7"},
            },
        ),
        (
            "POST /fapi/v1/leverage",
            {"symbol": "A", "leverage": "20"},
            "settings",
            {"symbol": "A", "leverage": "20"},
        ),
        (
            "POST /fapi/v1/marginType",
            {"symbol": "A", "marginType": "isolated"},
            "settings",
            {"symbol": "A", "margin_type": "ISOLATED"},
        ),
        ("POST /sapi/v1/margin/max-leverage", {"maxLeverage": "5"}, "settings", {"leverage": "5"}),
        (
            "POST /fapi/v1/positionMargin",
            {"symbol": "A", "amount": "5", "type": "1", "positionSide": "LONG"},
            "settings",
            {"symbol": "A", "amount": "5", "type": "1", "position_side": "LONG"},
        ),
        ("POST /sapi/v1/account/enableFastWithdrawSwitch", {}, "settings", {}),
        (
            "POST /sapi/v1/margin/borrow-repay",
            {"asset": "BTC", "isIsolated": "FALSE", "amount": "1", "type": "BORROW"},
            "other",
            {"coin": "BTC", "amount": "1", "type": "BORROW", "parameters": {"isIsolated": "FALSE"}},
        ),
        (
            "POST /sapi/v1/giftcard/createCode",
            {"token": "BTC", "amount": "1"},
            "withdraw",
            {"coin": "BTC", "amount": "1"},
        ),
        ("POST /sapi/v3/asset/getUserAsset", {"asset": "BTC"}, "query", {"coin": "BTC"}),
        ("GET /sapi/v1/capital/deposit/address", {"coin": "BTC"}, "query", {"coin": "BTC"}),
        ("GET /sapi/v3/sub-account/assets", {"email": "a@x"}, "query", {"sub_account": "a@x"}),
    ],
)
def test_what_else_there_is(
    place: str, parameters: dict[str, str], operation: str, fields: dict[str, object]
) -> None:
    found = meaning(place, **parameters)
    assert found.operation == f"exchange.{operation}"
    assert found.changes is (operation != "query")
    only = {name: value for name, value in found.items[0].items() if name not in ("endpoint", "method")}
    assert only == fields


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_listen_keys_need_no_signature(method: str) -> None:
    for path in ("/api/v3/userDataStream", "/fapi/v1/listenKey", "/dapi/v1/listenKey", "/papi/v1/listenKey"):
        found = meaning(f"{method} {path}", listenKey="k", whatever="x")
        assert (found.operation, found.security, found.changes) == (
            "exchange.user_stream",
            "user_stream",
            True,
        )
