"""The spot market: orders, their lists, balances, and its refusals."""

from dataclasses import replace
from typing import Any

import pytest

from tests.exchanges import account_of
from tests.unit.dev.exchange.asking import LIMIT_ORDER, ask, exchange
from vaultsigner.dev.exchange.exchange import Exchange

ORDER = "/api/v3/order"
OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.5",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "70000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowPrice": "49000",
    "belowStopPrice": "50000",
    "belowTimeInForce": "GTC",
}


@pytest.fixture
def made() -> Exchange:
    return exchange()


def balance(of: Exchange, asset: str) -> tuple[str, str]:
    _, account = ask(of, "GET", "/api/v3/account")
    found = next(each for each in account["balances"] if each["asset"] == asset)
    return found["free"], found["locked"]


def place(of: Exchange, **changes: str) -> Any:
    status, document = ask(of, "POST", ORDER, LIMIT_ORDER | changes)
    assert status == 200, document
    return document


def test_a_limit_order_rests_and_locks(made: Exchange) -> None:
    placed = place(made, newClientOrderId="mine")
    assert (placed["status"], placed["clientOrderId"], placed["fills"]) == ("NEW", "mine", [])
    assert balance(made, "USDT") == ("975000.00000000", "25000.00000000")
    _, found = ask(made, "GET", ORDER, {"symbol": "BTCUSDT", "origClientOrderId": "mine"})
    assert found["orderId"] == placed["orderId"]
    _, open_orders = ask(made, "GET", "/api/v3/openOrders", {"symbol": "BTCUSDT"})
    assert [each["orderId"] for each in open_orders] == [placed["orderId"]]


def test_cancelling_unlocks(made: Exchange) -> None:
    placed = place(made)
    which = {"symbol": "BTCUSDT", "orderId": str(placed["orderId"])}
    status, cancelled = ask(made, "DELETE", ORDER, which)
    assert (status, cancelled["status"]) == (200, "CANCELED")
    assert cancelled["origClientOrderId"] == placed["clientOrderId"]
    assert balance(made, "USDT") == ("1000000.00000000", "0.00000000")
    assert ask(made, "DELETE", ORDER, which)[1] == {"code": -2011, "msg": "Unknown order sent."}
    assert ask(made, "GET", ORDER, which)[1]["status"] == "CANCELED"


def test_what_crosses_is_filled(made: Exchange) -> None:
    bought = place(made, price="61000")
    assert bought["status"] == "FILLED"
    assert [fill["price"] for fill in bought["fills"]] == ["60060.00000000"]
    assert balance(made, "BTC") == ("10.50000000", "0.00000000")
    assert balance(made, "USDT") == ("969970.00000000", "0.00000000")
    _, trades = ask(made, "GET", "/api/v3/myTrades", {"symbol": "BTCUSDT"})
    assert [(trade["qty"], trade["isBuyer"]) for trade in trades] == [("0.50000000", True)]


@pytest.mark.parametrize(
    ("order", "quantity"),
    [({"quantity": "0.5"}, "0.50000000"), ({"quoteOrderQty": "1000"}, "0.01665000")],
)
def test_market_orders(made: Exchange, order: dict[str, str], quantity: str) -> None:
    asked = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", **order}
    _, placed = ask(made, "POST", ORDER, asked)
    assert (placed["status"], placed["executedQty"]) == ("FILLED", quantity)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"type": "WISH"}, -1116, "Invalid orderType."),
        ({"timeInForce": "XXX"}, -1115, "Invalid timeInForce."),
        ({"price": None}, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        ({"quantity": ""}, -1105, "Parameter 'quantity' was empty."),
        ({"quantity": "-1"}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({"quantity": "1e3"}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({"newClientOrderId": "a b"}, -1100, "Illegal characters found in parameter 'newClientOrderId'"),
        ({"price": "50000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        ({"stopPrice": "1"}, -1106, "Parameter 'stopPrice' sent when not required."),
        ({"quoteOrderQty": "1"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
        ({"quantity": "100"}, -2010, "Account has insufficient balance for requested action."),
        (
            {"type": "LIMIT_MAKER", "timeInForce": None, "price": "61000"},
            -2010,
            "Order would immediately match and take.",
        ),
        ({"type": "MARKET", "timeInForce": None}, -1106, "Parameter 'price' sent when not required."),
        ({"nonsense": "1"}, -1104, "Not all sent parameters were read"),
    ],
)
def test_refusals_of_orders(made: Exchange, changes: dict[str, str | None], code: int, words: str) -> None:
    asked = {name: value for name, value in (LIMIT_ORDER | changes).items() if value is not None}
    status, document = ask(made, "POST", ORDER, asked)
    assert (status, document["code"]) == (400, code)
    assert document["msg"].startswith(words)
    assert not made.spot.book.orders


def test_a_name_is_taken_as_long_as_its_order_is_open(made: Exchange) -> None:
    place(made, newClientOrderId="mine")
    twice = LIMIT_ORDER | {"newClientOrderId": "mine"}
    assert ask(made, "POST", ORDER, twice)[1] == {"code": -2010, "msg": "Duplicate order sent."}
    ask(made, "DELETE", "/api/v3/openOrders", {"symbol": "BTCUSDT"})
    place(made, newClientOrderId="mine")


def test_an_unknown_order(made: Exchange) -> None:
    which = {"symbol": "BTCUSDT", "orderId": "1"}
    assert ask(made, "GET", ORDER, which)[1] == {"code": -2013, "msg": "Order does not exist."}
    assert ask(made, "DELETE", ORDER, which)[1]["code"] == -2011
    assert ask(made, "GET", ORDER, {"symbol": "BTCUSDT"})[1]["code"] == -1102


def test_a_test_order_places_nothing(made: Exchange) -> None:
    assert ask(made, "POST", f"{ORDER}/test", LIMIT_ORDER) == (200, {})
    assert ask(made, "POST", f"{ORDER}/test", LIMIT_ORDER | {"side": "HOLD"})[0] == 400
    assert not made.spot.book.orders


def replaced(of: Exchange, order_id: int, mode: str, **changes: str) -> tuple[int, Any]:
    asked = LIMIT_ORDER | {"cancelReplaceMode": mode, "cancelOrderId": str(order_id)} | changes
    return ask(of, "POST", f"{ORDER}/cancelReplace", asked)


def test_cancel_and_replace(made: Exchange) -> None:
    order_id = place(made)["orderId"]
    status, document = replaced(made, order_id, "STOP_ON_FAILURE", price="51000")
    assert (status, document["cancelResult"], document["newOrderResult"]) == (200, "SUCCESS", "SUCCESS")
    assert [order.price for order in made.spot.book.open_of("desk")] == [51000]


def test_cancel_and_replace_fails_whole(made: Exchange) -> None:
    status, document = replaced(made, 1, "STOP_ON_FAILURE")
    assert (status, document["code"]) == (400, -2022)
    assert document["data"]["newOrderResult"] == "NOT_ATTEMPTED"
    assert document["data"]["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
    assert not made.received[-1].executed


@pytest.mark.parametrize("half", ["cancel", "order"])
def test_cancel_and_replace_fails_by_half(made: Exchange, half: str) -> None:
    """409: half of it was executed."""
    order_id = 1 if half == "cancel" else place(made)["orderId"]
    changes = {"quantity": "100"} if half == "order" else {}
    status, document = replaced(made, order_id, "ALLOW_FAILURE", **changes)
    assert (status, document["code"]) == (409, -2021)
    data = document["data"]
    results = ("FAILURE", "SUCCESS") if half == "cancel" else ("SUCCESS", "FAILURE")
    assert (data["cancelResult"], data["newOrderResult"]) == results
    assert made.received[-1].executed


def test_amending_keeps_the_order_and_gives_back(made: Exchange) -> None:
    order_id = place(made)["orderId"]
    which = {"symbol": "BTCUSDT", "orderId": str(order_id)}
    status, document = ask(made, "PUT", f"{ORDER}/amend/keepPriority", which | {"newQty": "0.2"})
    assert (status, document["amendedOrder"]["orderId"]) == (200, order_id)
    assert document["amendedOrder"]["qty"] == "0.20000000"
    assert balance(made, "USDT") == ("990000.00000000", "10000.00000000")
    for quantity in ("0.2", "0.3", "0"):
        again = ask(made, "PUT", f"{ORDER}/amend/keepPriority", which | {"newQty": quantity})
        assert again[1]["code"] == -2038


def test_an_oco_pair(made: Exchange) -> None:
    status, placed = ask(made, "POST", "/api/v3/orderList/oco", OCO)
    assert (status, placed["contingencyType"], placed["listOrderStatus"]) == (200, "OCO", "EXECUTING")
    assert [order["type"] for order in placed["orderReports"]] == ["LIMIT_MAKER", "STOP_LOSS_LIMIT"]
    which = {"orderListId": str(placed["orderListId"])}
    _, found = ask(made, "GET", "/api/v3/orderList", which)
    assert found["orders"] == placed["orders"]
    _, cancelled = ask(made, "DELETE", "/api/v3/orderList", which | {"symbol": "BTCUSDT"})
    assert (cancelled["listOrderStatus"], len(cancelled["orderReports"])) == ("ALL_DONE", 2)
    assert not made.spot.book.open_of("desk")
    assert balance(made, "BTC") == ("10.00000000", "0.00000000")


def test_an_oco_pair_of_the_older_kind(made: Exchange) -> None:
    asked = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.5", "price": "70000", "stopPrice": "50000"}
    _, placed = ask(made, "POST", f"{ORDER}/oco", asked)
    assert [order["type"] for order in placed["orderReports"]] == ["STOP_LOSS", "LIMIT_MAKER"]
    limited = asked | {"stopLimitPrice": "49000", "stopLimitTimeInForce": "GTC", "listClientOrderId": "pair"}
    _, placed = ask(made, "POST", f"{ORDER}/oco", limited)
    assert placed["orderReports"][0]["type"] == "STOP_LOSS_LIMIT"
    assert placed["listClientOrderId"] == "pair"


def test_a_pair_whose_prices_make_no_sense_places_nothing(made: Exchange) -> None:
    status, document = ask(made, "POST", "/api/v3/orderList/oco", OCO | {"abovePrice": "55000"})
    assert (status, document["code"]) == (400, -2010)
    assert not made.spot.book.orders


def test_a_pair_of_which_one_cannot_be_placed_places_nothing(made: Exchange) -> None:
    place(made, newClientOrderId="mine")
    status, _ = ask(made, "POST", "/api/v3/orderList/oco", OCO | {"belowClientOrderId": "mine"})
    assert status == 400
    assert len(made.spot.book.orders) == 1
    assert balance(made, "BTC") == ("10.00000000", "0.00000000")


def test_orders_that_wait_for_others(made: Exchange) -> None:
    working = {
        "symbol": "BTCUSDT",
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingPrice": "50000",
        "workingQuantity": "0.5",
        "workingTimeInForce": "GTC",
        "pendingSide": "SELL",
        "pendingQuantity": "0.5",
    }
    pending = {"pendingType": "LIMIT_MAKER", "pendingPrice": "70000"}
    _, placed = ask(made, "POST", "/api/v3/orderList/oto", working | pending)
    assert [order["side"] for order in placed["orderReports"]] == ["BUY", "SELL"]
    pair = {
        "pendingAboveType": "LIMIT_MAKER",
        "pendingAbovePrice": "70000",
        "pendingBelowType": "STOP_LOSS",
        "pendingBelowStopPrice": "40000",
    }
    _, placed = ask(made, "POST", "/api/v3/orderList/otoco", working | pair)
    assert [order["type"] for order in placed["orderReports"]] == ["LIMIT", "LIMIT_MAKER", "STOP_LOSS"]


def test_two_accounts_do_not_see_each_other() -> None:
    one = account_of("hmac_doc", "one")
    made = exchange(one, replace(one, name="two", api_key="second"))
    which = {"symbol": "BTCUSDT", "orderId": str(place(made)["orderId"])}
    assert ask(made, "GET", ORDER, which)[0] == 200
    assert ask(made, "GET", ORDER, which, key="second")[1]["code"] == -2013
    assert ask(made, "DELETE", ORDER, which, key="second")[1]["code"] == -2011
    assert ask(made, "GET", "/api/v3/openOrders", key="second")[1] == []
