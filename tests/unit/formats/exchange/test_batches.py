"""Batches: one item an order, or nothing that policy can see."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.exchange.asked import items, meaning
from vaultsigner.formats.exchange.table import ALL

PLACE = "POST /fapi/v1/batchOrders"
ONE = {"symbol": "A", "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "2"}
TWO = {"symbol": "B", "side": "SELL", "type": "MARKET", "quantity": "3"}


def test_each_order_is_an_item() -> None:
    text = (
        '[{"symbol": "A", "side": "BUY", "type": "LIMIT", "quantity": 1.50, "price": "2", "reduceOnly": true, '
        '"newClientOrderId": "\\u0061"}, {"symbol":"B","side":"SELL","type":"MARKET","quantity":"3","price":"1"}]'
    )
    assert items(PLACE, batchOrders=text) == [
        {
            "symbol": "A",
            "side": "BUY",
            "type": "LIMIT",
            "quantity": "1.50",
            "price": "2",
            "reduce_only": "true",
            "client_order_id": "a",
        },
        {
            "symbol": "B",
            "side": "SELL",
            "type": "MARKET",
            "quantity": "3",
            "price": "1",
            "notional": "unknown",
        },
    ]


@pytest.mark.parametrize(
    ("place", "name", "operation", "order"),
    [
        ("POST /fapi/v1/batchOrders", "batchOrders", "order", ONE),
        ("POST /dapi/v1/batchOrders", "batchOrders", "order", ONE),
        ("POST /eapi/v1/batchOrders", "orders", "order", {**ONE, "clientOrderId": "c"}),
        (
            "PUT /fapi/v1/batchOrders",
            "batchOrders",
            "amend",
            {"symbol": "A", "side": "BUY", "orderId": "1", "price": "2"},
        ),
        (
            "PUT /dapi/v1/batchOrders",
            "batchOrders",
            "amend",
            {"symbol": "A", "side": "BUY", "orderId": "1", "price": "2"},
        ),
    ],
)
def test_all_batches(place: str, name: str, operation: str, order: dict[str, str]) -> None:
    found = meaning(place, **{name: json.dumps([order, order])})
    assert found.operation == f"exchange.{operation}"
    assert len(found.items) == 2
    assert {entry["symbol"] for entry in found.items} == {"A"}
    assert all(entry["endpoint"] == place for entry in found.items)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "1",
        '"[]"',
        "[[]]",
        "[null]",
        '["a"]',
        json.dumps(ONE),
        json.dumps([ONE, None]),
        json.dumps([ONE, [TWO]]),
        json.dumps([ONE, {**TWO, "unknown": "1"}]),
        json.dumps([ONE, {**TWO, "Symbol": "C"}]),
        json.dumps([ONE, {**TWO, "price": None}]),
        json.dumps([ONE, {**TWO, "price": ["1"]}]),
        json.dumps([ONE, {**TWO, "price": {"$": "1"}}]),
        json.dumps([ONE, {**TWO, "batchOrders": "[]"}]),
        json.dumps([ONE, {**TWO, "side": " BUY"}]),
        json.dumps([ONE]) + "x",
        "\ufeff" + json.dumps([ONE]),
        json.dumps([ONE])[:-1],
        '[{"symbol": "A", "symbol": "B", "side": "BUY", "type": "MARKET", "quantity": "1"}]',
        '[{"symbol": "A", "s\\u0079mbol": "B", "side": "BUY", "type": "MARKET", "quantity": "1"}]',
        '[{"symbol": "\\ud800", "side": "BUY", "type": "MARKET", "quantity": "1"}]',
        '[{"symbol": "A", "side": "BUY", "type": "MARKET", "quantity": NaN}]',
        "[" * 100_000,
    ],
)
def test_one_bad_order_makes_the_batch_something_else(text: str) -> None:
    found = meaning(PLACE, batchOrders=text)
    assert found.operation == "exchange.other"
    assert len(found.items) == 1
    assert "symbol" not in found.items[0]


def test_a_batch_without_its_list_is_something_else() -> None:
    assert meaning(PLACE).operation == "exchange.other"
    assert meaning(PLACE, orders=json.dumps([ONE])).operation == "exchange.other"


@pytest.mark.parametrize("name", ["symbol", "quantity", "reduceOnly", "positionSide", "whatever"])
def test_what_stands_beside_the_list_makes_it_something_else(name: str) -> None:
    """Also what an order may have: policy must not believe a `reduceOnly` that the exchange does not look at."""
    value = {"reduceOnly": "true", "positionSide": "LONG"}.get(name, "1")
    assert meaning(PLACE, batchOrders=json.dumps([ONE]), **{name: value}).operation == "exchange.other"


@pytest.mark.parametrize(
    ("place", "name", "most"),
    [
        ("POST /fapi/v1/batchOrders", "batchOrders", 5),
        ("POST /dapi/v1/batchOrders", "batchOrders", 5),
        ("POST /eapi/v1/batchOrders", "orders", 10),
    ],
)
def test_a_batch_has_as_many_orders_as_the_exchange_takes(place: str, name: str, most: int) -> None:
    for count in (most, most + 1):
        found = meaning(place, **{name: json.dumps([ONE] * count)})
        assert found.operation == ("exchange.order" if count == most else "exchange.other")


def test_every_batch_has_its_most() -> None:
    batches = [row for row in ALL if row.batch]
    assert {row.most for row in batches} == {5, 10}
    assert all(row.required_of_members >= {"symbol", "side"} for row in batches)


@pytest.mark.parametrize("text", ["[" + ",".join(["{}"] * 21_000) + "]", "[" + "1," * 31_000 + "1]"])
def test_a_list_that_is_far_too_long_is_not_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it takes fifty milliseconds of whoever asks without a key."""
    monkeypatch.setattr("vaultsigner.formats.exchange.items.parse", pytest.fail)
    assert meaning(PLACE, batchOrders=text).operation == "exchange.other"


TEXTS = st.text(
    st.characters(codec="ascii", min_codepoint=33, exclude_characters="\x7f"), min_size=1, max_size=5
)
ORDERS = st.lists(
    st.fixed_dictionaries({"symbol": TEXTS, "side": TEXTS, "type": TEXTS, "quantity": TEXTS}),
    min_size=1,
    max_size=5,
)


@given(ORDERS, st.booleans())
def test_any_batch_has_the_orders_that_another_reader_finds(
    orders: list[dict[str, str]], escaped: bool
) -> None:
    text = json.dumps(orders, ensure_ascii=escaped)
    assert items(PLACE, batchOrders=text) == orders
