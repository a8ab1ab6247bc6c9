"""What else a signature that is handed out is good for."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.formats.exchange.asked import request
from vaultsigner.formats.exchange.meaning import Meaning
from vaultsigner.formats.exchange.parameter_names import QUERY_NAMES
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.reuse import GUARDED, guarded_uses, other_uses, uses_of_another_kind
from vaultsigner.formats.exchange.table import ALL
from vaultsigner.policy.operations import OPERATIONS

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "2"}


def uses(place: str, **parameters: str) -> dict[str, Meaning]:
    return {str(found.items[0]["endpoint"]): found for found in other_uses(request(place, **parameters))}


def places(found: tuple[Meaning, ...]) -> set[object]:
    return {meaning.items[0]["endpoint"] for meaning in found}


def test_a_query_with_a_withdrawal_in_it_is_no_query() -> None:
    """Its signature covers neither method nor path, and /sapi ignores what it does not know."""
    found = uses("GET /api/v3/account", coin="BTC", address="bad", amount="1")
    assert found["GET /api/v3/account"].operation == "exchange.other"


@pytest.mark.parametrize(
    ("place", "parameters"),
    [
        ("GET /api/v3/openOrders", {"symbol": "BTCUSDT"}),
        ("GET /fapi/v1/order", {"symbol": "BTCUSDT", "orderId": "1"}),
        ("GET /api/v3/account", {"omitZeroBalances": "true"}),
        ("GET /api/v3/account", {}),
        ("GET /sapi/v1/capital/deposit/hisrec", {"coin": "BTC", "startTime": "1", "limit": "2"}),
        ("openOrders.status", {"symbol": "BTCUSDT"}),
        ("POST /fapi/v1/leverage", {"symbol": "BTCUSDT", "leverage": "2"}),
        ("DELETE /api/v3/order", {"symbol": "BTCUSDT", "orderId": "1"}),
    ],
)
def test_plain_queries_and_cancellations_are_good_for_nothing_that_is_guarded(
    place: str, parameters: dict[str, str]
) -> None:
    assert not uses(place, **parameters)


def test_an_order_on_spot_is_one_on_margin_and_on_futures() -> None:
    found = uses("POST /api/v3/order", **LIMIT, timeInForce="GTC")
    assert {"POST /sapi/v1/margin/order", "POST /fapi/v1/order", "POST /papi/v1/um/order"} <= found.keys()
    assert {meaning.operation for meaning in found.values()} == {"exchange.order"}
    assert not any(place.startswith(("POST /dapi", "POST /eapi", "order.")) for place in found)
    for meaning in found.values():
        assert {name: meaning.items[0][name] for name in LIMIT if name in meaning.items[0]} == LIMIT


def test_an_order_of_an_order_id_amends_too() -> None:
    assert (
        uses("POST /fapi/v1/order", **LIMIT, orderId="1")["PUT /fapi/v1/order"].operation == "exchange.amend"
    )


def test_products_are_told_by_their_symbols() -> None:
    coinm = uses("POST /fapi/v1/order", **{**LIMIT, "symbol": "BTCUSD_PERP"})
    assert coinm["POST /dapi/v1/order"].items[0]["notional"] == "unknown"
    assert "POST /api/v3/order" not in coinm
    option = uses("POST /api/v3/order", **{**LIMIT, "symbol": "BTC-260626-140000-C"})
    assert option.keys() == {"POST /eapi/v1/order"}


def test_an_oco_is_an_old_one_only_where_it_says_the_same() -> None:
    oco = {"symbol": "A", "side": "SELL", "quantity": "1", "price": "5", "stopPrice": "3"}
    found = uses("POST /sapi/v1/margin/order/oco", **oco)
    assert len(found["POST /api/v3/order/oco"].items) == 2
    assert "POST /api/v3/orderList/oco" not in found


@pytest.mark.parametrize(
    "place", ["POST /sapi/v1/asset/transfer", "POST /sapi/v1/sub-account/transfer/subToSub"]
)
def test_transfers_are_transfers_elsewhere(place: str) -> None:
    found = uses(place, type="1", asset="USDT", amount="1", toEmail="a@x")
    assert "POST /sapi/v1/margin/transfer" in found
    assert found["POST /sapi/v1/managed-subaccount/deposit"].items[0]["to_account"] == "a@x"
    assert {meaning.operation for meaning in found.values()} == {"exchange.transfer"}


def test_sub_account_queries_open_sub_accounts() -> None:
    found = uses("GET /sapi/v1/sub-account/list", email="a@x")
    assert {meaning.operation for meaning in found.values()} == {"exchange.sub_account"}


@pytest.mark.parametrize(
    "method", ["account.status", "userDataStream.subscribe.signature", "openOrders.status"]
)
def test_a_websocket_signature_over_nothing_logs_on(method: str) -> None:
    (found,) = other_uses(request(method))
    assert (found.operation, found.items[0]["endpoint"]) == ("exchange.other", "session.logon")


def test_logging_on_is_what_it_is() -> None:
    assert not uses("session.logon")


def test_websocket_signatures_are_good_for_rest_and_not_the_other_way() -> None:
    """A message's signed text has the API key in it, and REST ignores it; without one there is no message."""
    assert "POST /fapi/v1/order" in uses("order.place", **LIMIT)
    assert "order.modify" in uses("order.place", **LIMIT, orderId="1")
    assert not any("." in place for place in uses("POST /api/v3/order", **LIMIT, orderId="1"))


WITHDRAWAL = {"coin": "BTC", "address": "bad", "amount": "1"}
WITHDRAW = "POST /sapi/v1/capital/withdraw/apply"


@pytest.mark.parametrize("place", ["POST /sapi/v1/new/thing", "GET /sapi/v1/new/thing", "new.thing"])
def test_what_the_table_does_not_know_is_a_withdrawal_elsewhere(place: str) -> None:
    """A rule that names the new endpoint allows no withdrawal."""
    assert uses(place, **WITHDRAWAL)[WITHDRAW].operation == "exchange.withdraw"
    assert not uses(place, whatever="1")


def test_parameters_beside_a_json_body_are_a_withdrawal_elsewhere() -> None:
    asked = ExchangeRequest("rest", "POST", "/sapi/v1/asset/dust", tuple(WITHDRAWAL.items()), b"{}")
    assert places(other_uses(asked)) >= {WITHDRAW}


def test_a_json_body_is_what_it_says_as_a_form() -> None:
    """Its bytes are signed as they are, and nothing says how they are to be sent."""
    body = b'{"a":"&coin=BTC&address=b%61d&amount=1&b="}'
    asked = ExchangeRequest("rest", "POST", "/sapi/v1/asset/dust", (("amount", "5"),), body)
    (found,) = (one for one in other_uses(asked) if one.operation == "exchange.withdraw")
    assert (found.items[0]["address"], found.items[0]["amount"]) == ("bad", "5")


def test_an_order_with_a_json_body_is_that_order_without_one() -> None:
    asked = ExchangeRequest("rest", "POST", "/api/v3/order", tuple(LIMIT.items()), b"{}")
    assert "POST /api/v3/order" in places(guarded_uses(asked))


def test_a_request_that_says_the_api_key_may_be_one_of_the_websocket_api() -> None:
    """What is signed is the same text then, if the parameters are sorted."""
    (found,) = guarded_uses(request("GET /api/v3/account", apiKey="k"))
    assert (found.operation, found.items[0]["endpoint"]) == ("exchange.other", "session.logon")
    assert "order.place" in uses("POST /fapi/v1/order", **LIMIT, apiKey="k")


ORDERS = [{**LIMIT, "timeInForce": "GTC"}, {**LIMIT, "side": "SELL", "orderId": "7"}]


def test_a_batch_is_one_elsewhere_of_the_orders_that_are_fit_for_it() -> None:
    found = uses("POST /fapi/v1/batchOrders", batchOrders=json.dumps(ORDERS))
    assert found.keys() == {"PUT /fapi/v1/batchOrders"}
    (amended,) = found["PUT /fapi/v1/batchOrders"].items
    assert (amended["order_id"], amended["side"]) == ("7", "SELL")
    assert not uses("POST /fapi/v1/batchOrders", batchOrders=json.dumps(ORDERS[:1]))


def test_a_list_that_nobody_can_read_may_be_anything() -> None:
    found = uses("POST /fapi/v1/batchOrders", batchOrders='[{"symbol":"A","symbol":"B"}]')
    assert {meaning.operation for meaning in found.values()} == {"exchange.other"}


PARAMETERS = st.dictionaries(
    st.sampled_from(sorted(QUERY_NAMES)), st.sampled_from(["1", "A", "BTCUSD_PERP", "BTC-1-2-C"]), max_size=4
)
READABLE = st.sampled_from(
    ["GET /api/v3/account", "POST /sapi/v1/asset/transfer", "DELETE /api/v3/order", "POST /sapi/v1/new/thing"]
)


@settings(max_examples=400)
@given(READABLE, PARAMETERS, PARAMETERS.filter(bool))
def test_nothing_that_is_added_hides_anything(place: str, said: dict[str, str], more: dict[str, str]) -> None:
    """As `symbol=BTCUSD_PERP` once hid a transfer, which has no symbol."""
    operations = {found.operation for found in other_uses(request(place, **said))}
    assert operations <= {found.operation for found in other_uses(request(place, **{**more, **said}))}


@pytest.mark.parametrize("symbol", ["BTCUSD_PERP", "BTC-260626-140000-C"])
def test_a_contracts_symbol_does_not_hide_a_transfer(symbol: str) -> None:
    transfer = {"type": "MAIN_UMFUTURE", "asset": "USDT", "amount": "5"}
    found = uses("GET /sapi/v1/asset/transfer", **transfer, symbol=symbol)
    assert found.keys() >= uses("GET /sapi/v1/asset/transfer", **transfer).keys()
    assert found["POST /sapi/v1/asset/transfer"].operation == "exchange.transfer"
    assert uses("GET /api/v3/account", email="a@b", symbol=symbol)


@pytest.mark.parametrize(
    ("place", "parameters", "operations"),
    [
        ("GET /api/v3/account", WITHDRAWAL, {"exchange.withdraw"}),
        ("GET /sapi/v1/asset/transfer", {"type": "A", "asset": "B", "amount": "1"}, {"exchange.transfer"}),
        ("GET /sapi/v1/margin/maxBorrowable", {"asset": "BTC"}, set()),
        ("GET /sapi/v1/sub-account/status", {"email": "a@b"}, set()),
        (
            "GET /sapi/v1/sub-account/status",
            {"email": "a@b", "subAccountApiKey": "k"},
            {"exchange.sub_account"},
        ),
        ("GET /api/v3/allOrders", {"symbol": "A", "orderId": "1", "limit": "5"}, set()),
        ("POST /api/v3/order", LIMIT, set()),
        ("POST /fapi/v1/order", {**LIMIT, "orderId": "1"}, {"exchange.order", "exchange.amend"}),
        ("PUT /fapi/v1/order", {"symbol": "A", "side": "BUY", "orderId": "1", "quantity": "1"}, set()),
        ("POST /fapi/v1/batchOrders", {"batchOrders": json.dumps(ORDERS[:1])}, set()),
        ("POST /sapi/v1/new/thing", WITHDRAWAL, {"exchange.withdraw"}),
        ("POST /sapi/v1/new/thing", {**WITHDRAWAL, "address": " bad"}, {"exchange.other"}),
        ("account.status", {}, {"exchange.other"}),
        ("new.thing", {}, {"exchange.other"}),
    ],
)
def test_uses_of_another_kind(place: str, parameters: dict[str, str], operations: set[str]) -> None:
    assert {found.operation for found in uses_of_another_kind(request(place, **parameters))} == operations


def test_guarded_operations_are_operations() -> None:
    assert set(OPERATIONS) >= GUARDED


def test_every_guarded_endpoint_is_found_by_what_it_requires() -> None:
    """But for those that require nothing at all, which any signature is good for."""
    for row in ALL:
        if row.operation not in GUARDED or not row.required or row.transport == "websocket":
            continue
        symbol = (
            "BTCUSD_PERP"
            if "/dapi/" in row.path or "/cm/" in row.path
            else "BTC-1-2-C"
            if "/eapi/" in row.path
            else "A"
        )
        names = sorted(row.required | set(list(row.one_of)[:1]))
        parameters = {name: symbol if name == "symbol" else "1" for name in names}
        asked = ExchangeRequest("rest", "POST", "/sapi/v1/margin/borrow-repay", tuple(parameters.items()))
        assert row.name in {found.items[0]["endpoint"] for found in other_uses(asked)}, row.name
