"""What orders, cancellations and amendments mean."""

import pytest

from tests.unit.formats.exchange.asked import item, items, meaning

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "1.5", "price": "2"}


def test_spot_order_with_everything() -> None:
    found = meaning(
        "POST /api/v3/order",
        **LIMIT,
        timeInForce="GTC",
        newClientOrderId="mine-1",
        strategyId="7",
        strategyType="1000001",
        stopPrice="3",
        trailingDelta="10",
        icebergQty="0.5",
        newOrderRespType="FULL",
        selfTradePreventionMode="EXPIRE_MAKER",
    )
    assert (found.operation, found.security, found.changes) == ("exchange.order", "signed", True)
    assert found.items == (
        {
            "endpoint": "POST /api/v3/order",
            "method": "POST",
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "quantity": "1.5",
            "price": "2",
            "time_in_force": "GTC",
            "client_order_id": "mine-1",
            "stop_price": "3",
            "trailing_delta": "10",
            "iceberg_quantity": "0.5",
            "parameters": {
                "strategyId": "7",
                "strategyType": "1000001",
                "newOrderRespType": "FULL",
                "selfTradePreventionMode": "EXPIRE_MAKER",
            },
        },
    )


def test_market_order_in_quote_has_that_notional() -> None:
    assert item("POST /api/v3/order", symbol="A", side="BUY", type="market", quoteOrderQty="100.50") == {
        "symbol": "A",
        "side": "BUY",
        "type": "market",
        "quote_quantity": "100.50",
        "notional": "100.50",
    }


@pytest.mark.parametrize(
    ("place", "order_type"),
    [
        *(
            ("POST /api/v3/order", known)
            for known in ("LIMIT", "limit", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
        ),
        *(("POST /fapi/v1/order", known) for known in ("LIMIT", "STOP", "TAKE_PROFIT", "take_profit")),
        ("POST /sapi/v1/margin/order", "LIMIT"),
        ("POST /papi/v1/um/order", "LIMIT"),
        ("POST /papi/v1/margin/order", "LIMIT"),
        ("POST /api/v3/sor/order", "LIMIT"),
        ("order.place", "LIMIT"),
        ("order.place", "TAKE_PROFIT"),
        ("sor.order.place", "LIMIT"),
    ],
)
def test_limit_orders_leave_the_notional_to_price_and_quantity(place: str, order_type: str) -> None:
    assert "notional" not in item(place, **{**LIMIT, "type": order_type})


@pytest.mark.parametrize(
    ("place", "changed"),
    [
        *(
            ("POST /api/v3/order", {"type": other})
            for other in ("MARKET", "STOP_LOSS", "TAKE_PROFIT", "STOP", "", "LiMıT", "LIMITS")
        ),
        *(
            ("POST /fapi/v1/order", {"type": other})
            for other in ("MARKET", "STOP_MARKET", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
        ),
        ("POST /fapi/v1/order", {"type": "LIMIT_MAKER"}),
        ("POST /api/v3/order", {"pegPriceType": "PRIMARY_PEG"}),
        ("POST /api/v3/order", {"pegOffsetValue": "1"}),
        ("POST /fapi/v1/order", {"priceMatch": "OPPONENT"}),
        ("POST /fapi/v1/order", {"priceMatch": "none"}),
        ("POST /fapi/v1/order", {"closePosition": "true"}),
        ("POST /fapi/v1/order", {"closePosition": "FALSE"}),
        ("POST /papi/v1/um/order", {"priceMatch": "QUEUE"}),
        ("PUT /fapi/v1/order", {"priceMatch": "QUEUE"}),
        ("POST /dapi/v1/order", {}),
        ("POST /papi/v1/cm/order", {}),
        ("PUT /dapi/v1/order", {}),
        ("POST /eapi/v1/order", {}),
        ("POST /dapi/v1/algoOrder", {"algoType": "CONDITIONAL"}),
        ("POST /api/v3/order", {"quoteOrderQty": "1"}),
        ("POST /api/v3/order", {"type": "MARKET", "quoteOrderQty": "1"}),
        ("order.place", {"symbol": "BTCUSD_PERP"}),
        ("order.place", {"type": "MARKET"}),
        ("order.place", {"priceMatch": "OPPONENT"}),
    ],
)
def test_elsewhere_price_times_quantity_is_no_notional(place: str, changed: dict[str, str]) -> None:
    parameters = {**LIMIT, **changed}
    if place.startswith("PUT"):
        del parameters["type"]
    found = meaning(place, **parameters)
    if found.operation != "exchange.other":
        assert found.items[0]["notional"] == "unknown"
    else:
        assert changed.get("type") == "LiMıT"


@pytest.mark.parametrize("order_type", ["LIMIT", "STOP_LOSS"])
def test_quote_quantity_of_anything_but_a_market_order_is_no_notional(order_type: str) -> None:
    found = item("POST /api/v3/order", symbol="A", side="BUY", type=order_type, quoteOrderQty="1")
    assert found["notional"] == "unknown"


@pytest.mark.parametrize("missing", ["price", "quantity"])
def test_without_price_or_quantity_there_is_nothing_to_say(missing: str) -> None:
    parameters = {name: value for name, value in LIMIT.items() if name != missing}
    assert "notional" not in item("POST /api/v3/order", **{**parameters, "type": "MARKET"})


def test_futures_order_with_everything() -> None:
    assert item(
        "POST /fapi/v1/order",
        symbol="BTCUSDT",
        side="SELL",
        type="TRAILING_STOP_MARKET",
        positionSide="both",
        reduceOnly="True",
        timeInForce="GTD",
        quantity="1",
        newClientOrderId="c",
        newOrderRespType="RESULT",
        activationPrice="5",
        callbackRate="0.3",
        workingType="MARK_PRICE",
        priceProtect="TRUE",
        goodTillDate="1700000000000",
        selfTradePreventionMode="NONE",
        priceMatch="NONE",
    ) == {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "TRAILING_STOP_MARKET",
        "position_side": "BOTH",
        "reduce_only": "true",
        "time_in_force": "GTD",
        "quantity": "1",
        "client_order_id": "c",
        "activation_price": "5",
        "callback_rate": "0.3",
        "parameters": {
            "newOrderRespType": "RESULT",
            "workingType": "MARK_PRICE",
            "priceProtect": "TRUE",
            "goodTillDate": "1700000000000",
            "selfTradePreventionMode": "NONE",
            "priceMatch": "NONE",
        },
    }


def test_algo_order() -> None:
    found = item(
        "POST /fapi/v1/algoOrder",
        algoType="CONDITIONAL",
        symbol="BTCUSDT",
        side="SELL",
        type="STOP",
        quantity="1",
        price="2",
        triggerPrice="3",
        activatePrice="4",
        clientAlgoId="c",
    )
    assert found == {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP",
        "quantity": "1",
        "price": "2",
        "stop_price": "3",
        "activation_price": "4",
        "client_order_id": "c",
        "parameters": {"algoType": "CONDITIONAL"},
    }


def test_conditional_order_of_portfolio_margin() -> None:
    found = item(
        "POST /papi/v1/um/conditional/order",
        symbol="A",
        side="BUY",
        strategyType="STOP_MARKET",
        quantity="1",
        stopPrice="2",
        newClientStrategyId="c",
    )
    assert found["type"] == "STOP_MARKET"
    assert found["client_order_id"] == "c"


def test_margin_order_says_that_it_borrows() -> None:
    found = item(
        "POST /sapi/v1/margin/order",
        **LIMIT,
        sideEffectType="MARGIN_BUY",
        isIsolated="TRUE",
        autoRepayAtCancel="false",
    )
    assert found["parameters"] == {
        "sideEffectType": "MARGIN_BUY",
        "isIsolated": "TRUE",
        "autoRepayAtCancel": "false",
    }


def test_cancel_replace_is_an_order_that_says_what_it_cancels() -> None:
    found = meaning(
        "POST /api/v3/order/cancelReplace",
        **LIMIT,
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId="12",
        cancelOrigClientOrderId="old",
        cancelNewClientOrderId="cancel-1",
        newClientOrderId="new-1",
    )
    assert found.operation == "exchange.order"
    assert found.items[0]["parameters"] == {
        "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelOrderId": "12",
        "cancelOrigClientOrderId": "old",
    }
    assert found.items[0]["client_order_id"] == "cancel-1,new-1"


@pytest.mark.parametrize(
    "place",
    ["DELETE /api/v3/order", "DELETE /sapi/v1/margin/order", "DELETE /papi/v1/margin/order", "order.cancel"],
)
def test_what_a_cancellation_refers_to_is_no_client_order_id(place: str) -> None:
    """Approvals are not bound to client_order_id: one for this order must not be one for that."""
    found = meaning(place, symbol="A", orderId="5", origClientOrderId="theirs", newClientOrderId="mine")
    assert found.operation == "exchange.cancel"
    assert {
        name: found.items[0].get(name) for name in ("symbol", "order_id", "client_order_id", "parameters")
    } == {
        "symbol": "A",
        "order_id": "5",
        "client_order_id": "mine",
        "parameters": {"origClientOrderId": "theirs"},
    }


@pytest.mark.parametrize(
    ("place", "parameters"),
    [
        ("DELETE /api/v3/openOrders", {"symbol": "A"}),
        ("DELETE /fapi/v1/allOpenOrders", {"symbol": "A"}),
        ("DELETE /fapi/v1/batchOrders", {"symbol": "A", "orderIdList": "[1,2]"}),
        ("DELETE /fapi/v1/batchOrders", {"symbol": "A", "origclientorderidlist": '["a"]'}),
        ("DELETE /api/v3/orderList", {"symbol": "A", "orderListId": "3"}),
        ("POST /fapi/v1/countdownCancelAll", {"symbol": "A", "countdownTime": "1000"}),
        ("DELETE /fapi/v1/algoOrder", {"symbol": "A", "algoId": "1"}),
        ("DELETE /papi/v1/um/algo/order", {"symbol": "A", "clientAlgoId": "c"}),
        ("openOrders.cancelAll", {"symbol": "A"}),
        ("orderList.cancel", {"symbol": "A", "orderListId": "3"}),
    ],
)
def test_cancellations(place: str, parameters: dict[str, str]) -> None:
    found = meaning(place, **parameters)
    assert found.operation == "exchange.cancel"
    others = {name: value for name, value in parameters.items() if name != "symbol"}
    assert found.items[0]["symbol"] == "A"
    assert found.items[0].get("parameters", {}) == others


def test_amendments() -> None:
    found = meaning("PUT /api/v3/order/amend/keepPriority", symbol="A", orderId="1", newQty="0.5")
    assert found.operation == "exchange.amend"
    assert (found.items[0]["quantity"], found.items[0]["order_id"]) == ("0.5", "1")
    found = meaning("PUT /fapi/v1/order", symbol="A", side="BUY", orderId="1", quantity="2", price="3")
    assert found.operation == "exchange.amend"
    assert found.items[0] == {
        "endpoint": "PUT /fapi/v1/order",
        "method": "PUT",
        "type": "LIMIT",
        "symbol": "A",
        "side": "BUY",
        "order_id": "1",
        "quantity": "2",
        "price": "3",
    }
    assert (
        meaning("order.modify", symbol="A", side="BUY", orderId="1", quantity="2", price="3").operation
        == "exchange.amend"
    )


def test_test_orders_are_orders() -> None:
    for place in (
        "POST /api/v3/order/test",
        "POST /fapi/v1/order/test",
        "order.test",
        "POST /api/v3/sor/order/test",
    ):
        assert meaning(place, **LIMIT).operation == "exchange.order"


def test_time_weighted_orders_have_no_known_notional() -> None:
    found = item(
        "POST /sapi/v1/algo/spot/newOrderTwap",
        symbol="A",
        side="BUY",
        quantity="1",
        duration="300",
        limitPrice="5",
    )
    assert "price" not in found
    assert found["parameters"] == {"duration": "300", "limitPrice": "5"}


def test_queries_tell_their_fields_and_take_anything() -> None:
    found = meaning(
        "GET /api/v3/myTrades", symbol="A", orderId="1", limit="5", whatever="x", reduceOnly="perhaps"
    )
    assert (found.operation, found.changes, found.security) == ("exchange.query", False, "signed")
    assert found.items == (
        {
            "endpoint": "GET /api/v3/myTrades",
            "method": "GET",
            "symbol": "A",
            "order_id": "1",
            "parameters": {"limit": "5", "whatever": "x", "reduceOnly": "perhaps"},
        },
    )
    assert items("account.status") == [{}]


def test_long_and_private_values_stand_as_digests() -> None:
    """Records must not hold them, and approvals must be bound to them."""
    key = item("PUT /api/v3/userDataStream", listenKey="open sesame")
    other = item("PUT /api/v3/userDataStream", listenKey="open says me")
    assert "sesame" not in str(key)
    assert key != other
    assert str(key["parameters"]).startswith("{'listenKey': 'sha256:")
    long = item("GET /api/v3/account", x="a" * 513)
    assert len(str(long)) < 200
    assert item("GET /api/v3/account", x="a" * 512)["parameters"] == {"x": "a" * 512}
