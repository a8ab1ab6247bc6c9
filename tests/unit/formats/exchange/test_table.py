"""What holds of every row of the table of endpoints."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, fields_of, marked
from vaultsigner.formats.exchange.meaning import is_time, security_of, time_path
from vaultsigner.formats.exchange.parameter_names import QUERY_NAMES
from vaultsigner.formats.exchange.requests import problem_of_place
from vaultsigner.formats.exchange.table import ALL, TABLE, by_place
from vaultsigner.policy.fields import FIELDS
from vaultsigner.policy.operations import NAMED_ONLY, OPERATIONS

OURS = {"timestamp", "recvWindow", "signature", "apiKey", "operation"}


def fields_in(row: Endpoint) -> dict[str, str | None]:
    known = {**row.fields, **row.members}
    for leg in row.legs:
        known |= {**leg.shared, **leg.fields}
    return known


def but(wrong: Callable[[Endpoint], bool], rows: Iterable[Endpoint] = ALL) -> list[str]:
    """The rows of which something is true that must not be."""
    return [row.name for row in rows if wrong(row)]


def test_operations_and_fields_are_those_of_policy() -> None:
    assert not but(lambda row: row.operation not in OPERATIONS)
    assert not but(lambda row: not {field for field in fields_in(row).values() if field} <= FIELDS.keys())
    assert not but(lambda row: not row.fixed.keys() <= FIELDS.keys())


def test_every_row_names_its_source() -> None:
    assert not but(lambda row: not re.fullmatch(r"[A-Z][A-Za-z0-9-]+(?:[ ,:].*[A-Za-z0-9)])?", row.source))


def test_places_are_such_that_a_request_can_reach_them() -> None:
    rest = [row for row in ALL if row.path]
    assert not but(lambda row: problem_of_place(row.method, row.path) is not None, rest)
    assert not but(lambda row: not re.match(r"/(api|sapi|fapi|dapi|eapi|papi|futures)/", row.path), rest)
    methods = [row for row in ALL if not row.path]
    assert not but(lambda row: not re.fullmatch(r"[A-Za-z0-9]+(?:[./][A-Za-z0-9]+)*", row.method), methods)
    assert {row.transport for row in rest} == {"rest"}
    assert {row.transport for row in methods} == {"websocket"}


def test_no_row_lists_what_every_signed_request_has() -> None:
    assert not but(lambda row: not OURS.isdisjoint(fields_in(row)))


def test_required_parameters_are_known() -> None:
    assert not but(lambda row: not row.required | row.one_of <= fields_in(row).keys())


def test_gets_tell_and_nothing_else_is_public() -> None:
    """But for one endpoint that sets something by GET. What needs no signature changes nothing but listen keys."""
    assert but(lambda row: row.method == "GET" and row.changes) == ["GET /sapi/v1/soft-staking/set"]
    unsigned = [row for row in ALL if row.security in ("public", "market_data")]
    assert not but(lambda row: row.operation != "exchange.query" or row.method != "GET", unsigned)
    streams = [row for row in ALL if row.security == "user_stream"]
    assert not but(lambda row: row.operation != "exchange.user_stream", streams)


def test_a_list_has_members_or_legs_and_not_both() -> None:
    assert not but(lambda row: bool(row.legs) and bool(row.batch))
    assert not but(lambda row: bool(row.batch) is not bool(row.members))
    batches = [row for row in ALL if row.batch]
    assert not but(lambda row: row.fields.get(row.batch, "") is not None or row.batch in row.members, batches)


def test_legs_have_parameters_of_their_own() -> None:
    for row in ALL:
        own = [name for leg in row.legs for name in leg.fields]
        assert len(own) == len(set(own)), row.name
        assert row.parameters_of_legs.isdisjoint(row.fields), row.name
        assert all(leg.key in leg.fields for leg in row.legs), row.name


def test_no_endpoint_stands_there_twice() -> None:
    assert len(TABLE) == len(ALL)
    with pytest.raises(ValueError, match="POST /api/v3/order stands twice"):
        by_place((*ALL, replace(TABLE["POST", "/api/v3/order"], operation=ALL[0].operation)))


@pytest.mark.parametrize(
    ("place", "operation"),
    [
        ("POST /sapi/v1/capital/withdraw/apply", "withdraw"),
        ("POST /sapi/v1/localentity/withdraw/apply", "withdraw"),
        ("POST /sapi/v2/fiat/withdraw", "withdraw"),
        ("POST /sapi/v1/giftcard/createCode", "withdraw"),
        ("POST /sapi/v1/asset/transfer", "transfer"),
        ("POST /sapi/v1/sub-account/universalTransfer", "transfer"),
        ("POST /sapi/v1/sub-account/transfer/subToMaster", "transfer"),
        ("POST /sapi/v1/managed-subaccount/deposit", "transfer"),
        ("POST /sapi/v1/sub-account/subAccountApi", "sub_account"),
        ("DELETE /sapi/v1/sub-account/subAccountApi/ipRestriction/ipList", "sub_account"),
        ("POST /sapi/v1/margin/apiKey", "settings"),
        ("POST /sapi/v1/account/enableFastWithdrawSwitch", "settings"),
        ("POST /fapi/v1/leverage", "settings"),
        ("POST /sapi/v1/margin/borrow-repay", "other"),
        ("POST /sapi/v1/convert/acceptQuote", "other"),
        ("GET /sapi/v1/soft-staking/set", "other"),
        ("session.logon ", "other"),
    ],
)
def test_what_opens_doors_is_among_what_must_be_named(place: str, operation: str) -> None:
    method, _, path = place.partition(" ")
    row = TABLE[method, path]
    assert row.operation == f"exchange.{operation}"
    assert row.operation in NAMED_ONLY


@pytest.mark.parametrize(
    "name",
    [
        *(
            "side",
            "type",
            "quantity",
            "price",
            "quoteOrderQty",
            "address",
            "amountx",
            "newQty",
            "batchOrders",
        ),
        *(
            "symbol ",
            "Symbol",
            "aboveType",
            "workingType",
            "algoTypex",
            "orderArgs",
            "apiName",
            "newClientOrderId",
        ),
    ],
)
def test_no_query_takes_what_makes_an_order_or_a_withdrawal(name: str) -> None:
    """But `side` and `type`, which queries have for other things."""
    assert (name in QUERY_NAMES) is (name in ("side", "type"))


@pytest.mark.parametrize(
    ("method", "path", "security"),
    [
        ("GET", "/api/v3/time", "public"),
        ("GET", "/api/v3/exchangeInfo", "public"),
        ("GET", "/fapi/v1/klines", "public"),
        ("GET", "/dapi/v1/premiumIndex", "public"),
        ("GET", "/futures/data/basis", "public"),
        ("GET", "/sapi/v1/system/status", "public"),
        ("GET", "/fapi/v1/historicalTrades", "market_data"),
        ("GET", "/sapi/v1/margin/allPairs", "market_data"),
        ("POST", "/api/v3/userDataStream", "user_stream"),
        ("PUT", "/fapi/v1/listenKey", "user_stream"),
        ("DELETE", "/sapi/v1/userDataStream/isolated", "user_stream"),
        ("GET", "/api/v3/account", "signed"),
        ("POST", "/api/v3/order", "signed"),
        ("POST", "/api/v3/time", "signed"),
        ("GET", "/api/v3/Time", "signed"),
        ("GET", "/api/v9/time", "signed"),
        ("GET", "/", "signed"),
    ],
)
def test_security(method: str, path: str, security: str) -> None:
    assert security_of(method, path) == security


@pytest.mark.parametrize(
    ("path", "time"),
    [
        ("/api/v3/order", "/api/v3/time"),
        ("/sapi/v1/capital/withdraw/apply", "/api/v3/time"),
        ("/fapi/v2/balance", "/fapi/v1/time"),
        ("/dapi/v1/order", "/dapi/v1/time"),
        ("/eapi/v1/order", "/eapi/v1/time"),
        ("/papi/v1/um/order", None),
        ("/apix/v3/order", None),
        ("", None),
    ],
)
def test_which_endpoint_tells_the_time(path: str, time: str | None) -> None:
    assert time_path(path) == time
    if time is not None:
        assert is_time("GET", time)
        assert security_of("GET", time) == "public"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v3/time"), ("GET", "/sapi/v1/time"), ("GET", "/api/v3/order"), ("GET", "")],
)
def test_nothing_else_asks_for_the_time(method: str, path: str) -> None:
    assert not is_time(method, path)


def test_how_rows_are_written() -> None:
    words = "symbol! newQty!:quantity type: orderId? other"
    assert fields_of(words) == {
        "symbol": "symbol",
        "newQty": "quantity",
        "type": None,
        "orderId": "order_id",
        "other": None,
    }
    assert marked(words, "!") == {"symbol", "newQty"}
    assert marked(words, "?") == {"orderId"}
    with pytest.raises(ValueError, match="symbol is written twice"):
        fields_of("symbol side symbol!")
    row = endpoint("POST /x", "order", words, "Somewhere")
    assert (row.name, row.operation, row.changes, row.security) == (
        "POST /x",
        "exchange.order",
        True,
        "signed",
    )
