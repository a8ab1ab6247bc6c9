"""What else a signature that is handed out is good for."""

import pytest

from tests.unit.formats.exchange.asked import request
from vaultsigner.formats.exchange.meaning import Meaning
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.reuse import GUARDED, other_uses
from vaultsigner.formats.exchange.table import ALL
from vaultsigner.policy.operations import OPERATIONS

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "2"}


def uses(place: str, **parameters: str) -> dict[str, Meaning]:
    return {str(found.items[0]["endpoint"]): found for found in other_uses(request(place, **parameters))}


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


def test_what_is_other_already_needs_no_more() -> None:
    assert not uses("POST /nowhere", **LIMIT)
    body = ExchangeRequest("rest", "POST", "/api/v3/order", tuple(LIMIT.items()), b"{}")
    assert not other_uses(body)


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
