"""Wallet, futures, listen keys and public data of the stand-in."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.dev.exchange.asking import KEY, ask, code, exchange, query_of, raw, told
from vaultsigner.dev.exchange.exchange import Exchange

FUTURES_ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.5",
    "price": "50000",
}


@pytest.fixture
def made() -> Exchange:
    return exchange()


def public(of: Exchange, path: str, **parameters: str) -> Any:
    status, document = told(of, raw("GET", path, query_of(parameters), key=None))
    assert status == 200, document
    return document


def test_a_withdrawal_leaves(made: Exchange) -> None:
    asked = {
        "coin": "USDT",
        "address": "TAddress",
        "amount": "250",
        "network": "TRX",
        "name": "cold store 🐎 + %",
    }
    status, document = ask(made, "POST", "/sapi/v1/capital/withdraw/apply", asked)
    (withdrawal,) = made.capital.withdrawals
    assert (status, document) == (200, {"id": withdrawal.withdrawal_id})
    assert withdrawal.amount == 250
    assert (withdrawal.address, withdrawal.name) == ("TAddress", "cold store 🐎 + %")
    assert made.spot.wallets["desk"].balances["USDT"].free == 999_750
    more = asked | {"amount": "1000000"}
    assert ask(made, "POST", "/sapi/v1/capital/withdraw/apply", more)[1]["code"] == -4026
    elsewhere = asked | {"network": "BTC"}
    assert ask(made, "POST", "/sapi/v1/capital/withdraw/apply", elsewhere)[1]["code"] == -4006
    assert len(made.capital.withdrawals) == 1


def test_a_transfer(made: Exchange) -> None:
    asked = {"type": "MAIN_UMFUTURE", "asset": "USDT", "amount": "100"}
    status, document = ask(made, "POST", "/sapi/v1/asset/transfer", asked)
    assert (status, document["tranId"]) == (200, made.capital.transfers[0].transfer_id)
    assert made.spot.wallets["desk"].balances["USDT"].free == 999_900


def test_coins_rights_and_sub_accounts(made: Exchange) -> None:
    _, coins = ask(made, "GET", "/sapi/v1/capital/config/getall")
    usdt = next(coin for coin in coins if coin["coin"] == "USDT")
    assert [network["network"] for network in usdt["networkList"]] == ["ETH", "TRX"]
    _, rights = ask(made, "GET", "/sapi/v1/account/apiRestrictions")
    assert rights["enableWithdrawals"] is True
    _, listed = ask(made, "GET", "/sapi/v1/sub-account/list", {"email": "desk+desk@example.com"})
    assert [account["email"] for account in listed["subAccounts"]] == ["desk+desk@example.com"]


@pytest.mark.parametrize(("root", "symbol"), [("/fapi", "BTCUSDT"), ("/dapi", "BTCUSD_PERP")])
def test_futures_orders(made: Exchange, root: str, symbol: str) -> None:
    path = f"{root}/v1/order"
    asked = FUTURES_ORDER | {"symbol": symbol, "quantity": "2", "reduceOnly": "true", "positionSide": "LONG"}
    status, placed = ask(made, "POST", path, asked)
    assert (status, placed["status"], placed["reduceOnly"], placed["positionSide"]) == (
        200,
        "NEW",
        True,
        "LONG",
    )
    which = {"symbol": symbol, "orderId": str(placed["orderId"])}
    _, amended = ask(made, "PUT", path, which | {"side": "BUY", "quantity": "1", "price": "51000"})
    assert (amended["origQty"], amended["price"]) == ("1", "51000")
    assert ask(made, "GET", f"{root}/v1/openOrders", {"symbol": symbol})[1] == [amended]
    assert ask(made, "DELETE", path, which)[1]["status"] == "CANCELED"
    assert ask(made, "GET", path, which)[1]["status"] == "CANCELED"
    market_order = {"symbol": symbol, "side": "SELL", "type": "MARKET", "quantity": "1"}
    assert ask(made, "POST", path, market_order)[1]["status"] == "FILLED"
    _, positions = ask(made, "GET", f"{root}/v1/positionRisk")
    assert next(each for each in positions if each["symbol"] == symbol)["positionAmt"] == "-1"


def test_a_batch_is_answered_member_by_member(made: Exchange) -> None:
    members = [FUTURES_ORDER, FUTURES_ORDER | {"symbol": "NOSUCH"}, FUTURES_ORDER | {"reduceOnly": True}]
    status, answers = ask(made, "POST", "/fapi/v1/batchOrders", {"batchOrders": json.dumps(members)})
    assert status == 200
    assert [answer.get("code") for answer in answers] == [None, -1121, None]
    assert answers[2]["reduceOnly"] is True
    for nonsense in ("[", "{}", "[1]"):
        asked = {"batchOrders": nonsense}
        assert ask(made, "POST", "/fapi/v1/batchOrders", asked)[1]["code"] == -1130
    assert ask(made, "POST", "/fapi/v1/batchOrders", {"batchOrders": "[]"})[1]["code"] == -4082


def test_leverage_and_accounts(made: Exchange) -> None:
    asked = {"symbol": "BTCUSDT", "leverage": "5"}
    assert ask(made, "POST", "/fapi/v1/leverage", asked)[1]["leverage"] == 5
    assert ask(made, "POST", "/fapi/v1/leverage", asked | {"leverage": "126"})[1]["code"] == -4028
    _, positions = ask(made, "GET", "/fapi/v2/positionRisk")
    assert [each["leverage"] for each in positions] == ["5", "20"]
    for path in ("/fapi/v2/account", "/fapi/v3/account", "/dapi/v1/account"):
        assert ask(made, "GET", path)[1]["canTrade"] is True
    assert [each["asset"] for each in ask(made, "GET", "/fapi/v3/balance")[1]] == ["USDT"]
    assert [each["asset"] for each in ask(made, "GET", "/dapi/v1/balance")[1]] == ["BTC"]


@pytest.mark.parametrize(
    ("path", "named"),
    [("/api/v3/userDataStream", True), ("/fapi/v1/listenKey", False), ("/dapi/v1/listenKey", False)],
)
def test_listen_keys_need_a_key_and_no_signature(made: Exchange, path: str, *, named: bool) -> None:
    assert code(made, raw("POST", path, key=None)) == (401, -2014)
    status, document = told(made, raw("POST", path))
    assert status == 200
    query = query_of(document) if named else ""
    assert told(made, raw("PUT", path, query)) == (200, {})
    assert told(made, raw("DELETE", path, query)) == (200, {})
    assert code(made, raw("PUT", path, query)) == (400, -1125)
    if named:
        assert code(made, raw("PUT", path, "listenKey=another")) == (400, -1125)


def test_public_data(made: Exchange) -> None:
    assert public(made, "/api/v3/ping") == {}
    assert public(made, "/api/v3/ticker/price", symbol="BTCUSDT")["price"] == "60000.00000000"
    both = '["BTCUSDT","ETHUSDT"]'
    assert len(public(made, "/api/v3/ticker/price", symbols=both)) == 2
    assert len(public(made, "/api/v3/ticker/bookTicker")) == 5
    day = public(made, "/api/v3/ticker/24hr", symbol="BTCUSDT")
    assert (day["lastPrice"], day["closeTime"] - day["openTime"]) == ("60000.00000000", 86_400_000)
    assert Decimal(day["bidPrice"]) < Decimal(day["lastPrice"]) < Decimal(day["askPrice"])
    assert len(public(made, "/api/v3/ticker/24hr")) == 5
    assert "bidPrice" not in public(made, "/api/v3/ticker/24hr", symbol="BTCUSDT", type="MINI")
    assert code(made, raw("GET", "/api/v3/ticker/24hr", "type=TINY", key=None)) == (400, -1100)
    assert "bidPrice" not in public(made, "/fapi/v1/ticker/24hr", symbol="BTCUSDT")
    depth = public(made, "/api/v3/depth", symbol="BTCUSDT", limit="3")
    assert (len(depth["bids"]), len(depth["asks"])) == (3, 3)
    assert Decimal(depth["bids"][0][0]) < Decimal(depth["asks"][0][0])
    symbols = public(made, "/api/v3/exchangeInfo", symbols=both)["symbols"]
    assert [symbol["symbol"] for symbol in symbols] == ["BTCUSDT", "ETHUSDT"]
    assert code(made, raw("GET", "/api/v3/exchangeInfo", "symbol=NOSUCH", key=None)) == (400, -1121)
    assert code(made, raw("GET", "/api/v3/exchangeInfo", "symbols=%5B", key=None)) == (400, -1100)
    assert public(made, "/fapi/v1/exchangeInfo")["symbols"][0]["contractType"] == "PERPETUAL"
    assert public(made, "/dapi/v1/exchangeInfo")["symbols"][0]["contractSize"] == 100


def test_a_public_question_may_carry_a_key(made: Exchange) -> None:
    assert told(made, raw("GET", "/api/v3/time", key=KEY))[0] == 200
    assert made.received[-1].account == "desk"
