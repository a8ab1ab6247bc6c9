"""Order lists: one item a leg, each with what it shares with the others."""

import pytest

from tests.unit.formats.exchange.asked import items, meaning

OCO = {
    "symbol": "A",
    "side": "SELL",
    "quantity": "1",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "5",
    "belowType": "STOP_LOSS_LIMIT",
    "belowPrice": "2",
    "belowStopPrice": "3",
    "belowTimeInForce": "GTC",
}
OTO = {
    "symbol": "A",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "4",
    "workingQuantity": "1",
    "pendingType": "MARKET",
    "pendingSide": "SELL",
    "pendingQuantity": "1.5",
}
OTOCO = {
    **{name: value for name, value in OTO.items() if name != "pendingType"},
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "5",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "3",
}
OLD = {"symbol": "A", "side": "SELL", "quantity": "1", "price": "5", "stopPrice": "3"}


@pytest.mark.parametrize("place", ["POST /api/v3/orderList/oco", "orderList.place.oco"])
def test_oco(place: str) -> None:
    assert items(
        place,
        **OCO,
        listClientOrderId="list",
        aboveClientOrderId="up",
        belowTrailingDelta="10",
        aboveIcebergQty="0.1",
        belowStrategyId="7",
        newOrderRespType="FULL",
    ) == [
        {
            "symbol": "A",
            "side": "SELL",
            "quantity": "1",
            "client_order_id": "list,up",
            "type": "LIMIT_MAKER",
            "price": "5",
            "iceberg_quantity": "0.1",
            "parameters": {"newOrderRespType": "FULL"},
        },
        {
            "symbol": "A",
            "side": "SELL",
            "quantity": "1",
            "client_order_id": "list",
            "type": "STOP_LOSS_LIMIT",
            "price": "2",
            "stop_price": "3",
            "time_in_force": "GTC",
            "trailing_delta": "10",
            "parameters": {"newOrderRespType": "FULL", "belowStrategyId": "7"},
        },
    ]


@pytest.mark.parametrize(
    "place", ["POST /api/v3/orderList/oto", "orderList.place.oto", "POST /sapi/v1/margin/order/oto"]
)
def test_oto(place: str) -> None:
    assert items(place, **OTO) == [
        {"symbol": "A", "type": "LIMIT", "side": "BUY", "price": "4", "quantity": "1"},
        {"symbol": "A", "type": "MARKET", "side": "SELL", "quantity": "1.5"},
    ]


@pytest.mark.parametrize(
    "place", ["POST /api/v3/orderList/otoco", "orderList.place.otoco", "POST /sapi/v1/margin/order/otoco"]
)
def test_otoco(place: str) -> None:
    shared = {"symbol": "A", "side": "SELL", "quantity": "1.5"}
    working = {"symbol": "A", "type": "LIMIT", "side": "BUY", "price": "4", "quantity": "1"}
    above = {**shared, "type": "LIMIT_MAKER", "price": "5"}
    assert items(place, **OTOCO) == [working, above, {**shared, "type": "STOP_LOSS", "stop_price": "3"}]
    without_below = {name: value for name, value in OTOCO.items() if "Below" not in name}
    assert items(place, **without_below) == [working, above]


def test_opo_does_not_say_how_much_is_pending() -> None:
    parameters = {name: value for name, value in OTO.items() if name != "pendingQuantity"}
    assert [found.get("quantity") for found in items("POST /api/v3/orderList/opo", **parameters)] == [
        "1",
        None,
    ]
    parameters = {name: value for name, value in OTOCO.items() if name != "pendingQuantity"}
    found = items("POST /api/v3/orderList/opoco", **parameters)
    assert [leg.get("quantity") for leg in found] == ["1", None, None]


@pytest.mark.parametrize(
    "place",
    [
        "POST /api/v3/order/oco",
        "orderList.place",
        "POST /sapi/v1/margin/order/oco",
        "POST /papi/v1/margin/order/oco",
    ],
)
def test_old_oco(place: str) -> None:
    limit = {"symbol": "A", "side": "SELL", "quantity": "1", "type": "LIMIT_MAKER", "price": "5"}
    stop = {"symbol": "A", "side": "SELL", "quantity": "1", "type": "STOP_LOSS", "stop_price": "3"}
    assert items(place, **OLD) == [limit, stop]
    with_limit = {**stop, "type": "STOP_LOSS_LIMIT", "price": "2", "time_in_force": "GTC"}
    assert items(place, **OLD, stopLimitPrice="2", stopLimitTimeInForce="GTC") == [limit, with_limit]


def test_a_pegged_leg_has_no_known_notional() -> None:
    above, below = items("POST /api/v3/orderList/oco", **OCO, abovePegPriceType="PRIMARY_PEG")
    assert (above["notional"], below.get("notional")) == ("unknown", None)


def test_a_market_leg_with_a_price_has_no_known_notional() -> None:
    _, pending = items("POST /api/v3/orderList/oto", **OTO, pendingPrice="1")
    assert pending["notional"] == "unknown"


@pytest.mark.parametrize(
    ("place", "parameters", "missing"),
    [
        ("POST /api/v3/orderList/oco", OCO, "aboveType"),
        ("POST /api/v3/orderList/oco", OCO, "belowType"),
        ("POST /api/v3/orderList/oto", OTO, "workingType"),
        ("POST /api/v3/orderList/oto", OTO, "pendingType"),
        ("POST /api/v3/orderList/otoco", OTOCO, "pendingAboveType"),
        ("POST /api/v3/orderList/otoco", OTOCO, "pendingBelowType"),
        ("POST /api/v3/order/oco", OLD, "price"),
        ("POST /api/v3/order/oco", OLD, "stopPrice"),
        ("POST /sapi/v1/margin/order/otoco", OTOCO, "workingType"),
    ],
)
def test_a_missing_leg_makes_the_list_something_else(
    place: str, parameters: dict[str, str], missing: str
) -> None:
    parameters = {name: value for name, value in parameters.items() if name != missing}
    assert meaning(place, **parameters).operation == "exchange.other"


@pytest.mark.parametrize(
    ("place", "parameters", "more"),
    [
        ("POST /api/v3/orderList/oco", OCO, "aboveQuantity"),
        ("POST /api/v3/orderList/oco", OCO, "price"),
        ("POST /api/v3/orderList/oco", OCO, "sideEffectType"),
        ("POST /api/v3/orderList/oto", OTO, "quantity"),
        ("POST /api/v3/orderList/oto", OTO, "pendingAboveType"),
        ("POST /api/v3/orderList/otoco", OTOCO, "pendingAboveQuantity"),
        ("POST /api/v3/orderList/opo", OTO, "whatever"),
        ("POST /sapi/v1/margin/order/oto", OTO, "workingPegPriceType"),
    ],
)
def test_an_unknown_parameter_makes_the_list_something_else(
    place: str, parameters: dict[str, str], more: str
) -> None:
    assert meaning(place, **parameters, **{more: "1"}).operation == "exchange.other"


def test_opo_knows_no_pending_quantity() -> None:
    assert meaning("POST /api/v3/orderList/opo", **OTO).operation == "exchange.other"
