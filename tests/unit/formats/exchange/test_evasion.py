"""Ways around rules, each with the rules that it must not get around."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.exchange.asked import meaning, request
from tests.unit.policy.written import policies_with
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.exchange.meaning import meaning_of
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.table import ALL
from vaultsigner.policy import PolicySet

BOT = Principal("client", "bot")
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "100"}
SMALL = "{id: small, effect: allow, operations: [exchange.order], when: {symbol: {equals: BTCUSDT}, notional: {max: '1000'}}}"
ANY = "{id: any, effect: allow, operations: [exchange.*]}"


def decided(policies: PolicySet, asked: ExchangeRequest) -> Decision:
    found = meaning_of(asked)
    return policies.evaluate(BOT, Intent(found.operation, "exchange:main", found.items))


def allowed(directory: Path, rules: tuple[str, ...], place: str, **parameters: str) -> bool:
    return decided(policies_with(directory, *rules), request(place, **parameters)).allowed


def test_the_rules_let_the_right_thing_through(tmp_path: Path) -> None:
    assert allowed(tmp_path, (SMALL,), "POST /api/v3/order", **LIMIT)
    assert allowed(tmp_path, (SMALL,), "POST /fapi/v1/order", **LIMIT)
    assert allowed(tmp_path, (SMALL,), "order.place", **LIMIT)
    in_quote = {"symbol": "btcusdt", "side": "BUY", "type": "MARKET", "quoteOrderQty": "1000"}
    assert allowed(tmp_path, (SMALL,), "POST /api/v3/order", **in_quote)


@pytest.mark.parametrize(
    ("place", "changed"),
    [
        ("POST /api/v3/order", {"price": "1001"}),
        ("POST /api/v3/order", {"type": "MARKET", "price": "0.01", "quantity": "9999"}),
        ("POST /api/v3/order", {"type": "STOP_LOSS", "price": "0.01", "quantity": "9999"}),
        ("POST /api/v3/order", {"pegPriceType": "MARKET_PEG", "price": "0.01", "quantity": "9999"}),
        ("POST /api/v3/order", {"quantity": "1e2"}),
        ("POST /api/v3/order", {"quantity": "1E+2"}),
        ("POST /api/v3/order", {"quantity": "00100"}),
        ("POST /api/v3/order", {"quantity": "100d"}),
        ("POST /api/v3/order", {"quantity": "0x10"}),
        ("POST /api/v3/order", {"quantity": "+100"}),
        ("POST /api/v3/order", {"quantity": "-1"}),
        ("POST /api/v3/order", {"quantity": "1_00"}),
        ("POST /api/v3/order", {"quantity": "100 "}),
        ("POST /api/v3/order", {"quantity": "١٠٠"}),
        ("POST /api/v3/order", {"quantity": "１"}),
        ("POST /api/v3/order", {"quantity": "Infinity"}),
        ("POST /api/v3/order", {"quantity": ""}),
        ("POST /api/v3/order", {"quoteOrderQty": "99999"}),
        ("POST /api/v3/order", {"Quantity": "9999"}),
        ("POST /api/v3/order", {"quantity ": "9999"}),
        ("POST /api/v3/order", {"QUANTITY": "9999"}),
        ("POST /api/v3/order", {"symbol": "ETHUSDT"}),
        ("POST /api/v3/order", {"closePosition": "true"}),
        ("POST /fapi/v1/order", {"closePosition": "true"}),
        ("POST /fapi/v1/order", {"priceMatch": "OPPONENT", "price": "0.01", "quantity": "9999"}),
        ("POST /fapi/v1/order", {"type": "STOP_MARKET", "price": "0.01", "quantity": "9999"}),
        ("POST /fapi/v1/order", {"quoteOrderQty": "1"}),
        ("POST /dapi/v1/order", {}),
        ("POST /api/v3/Order", {}),
        ("POST /api/v4/order", {}),
        ("PUT /api/v3/order", {}),
        ("order.place2", {}),
        ("Order.place", {}),
    ],
)
def test_a_bounded_notional_stays_bounded(tmp_path: Path, place: str, changed: dict[str, str]) -> None:
    assert not allowed(tmp_path, (SMALL,), place, **{**LIMIT, **changed})


@pytest.mark.parametrize(
    ("place", "changed"),
    [
        *(
            ("POST /api/v3/order", {"symbol": spelled})
            for spelled in ("btcusdt", "BtcUsdt", "BTCUSDT ", " BTCUSDT", "BTCUſDT")
        ),
        *(
            ("POST /api/v3/order", {"symbol": spelled})
            for spelled in ("BTCUSDT\t", "BTCUSDT\u00a0", "BTCUSDT\u200b", "BTCUSDT\x00")
        ),
        ("POST /api/v3/order", {"symbol": "ETHUSDT", "Symbol": "BTCUSDT"}),
        ("POST /sapi/v1/margin/order", {"symbol": "BTCUSDT\n"}),
        ("POST /api/v3/orderList/oco", {}),
        ("POST /api/v3/order/test", {}),
        ("order.place", {}),
    ],
)
def test_a_forbidden_symbol_stays_forbidden(tmp_path: Path, place: str, changed: dict[str, str]) -> None:
    rules = (ANY, "{id: never, effect: deny, operations: [exchange.*], when: {symbol: {equals: BTCUSDT}}}")
    assert not allowed(tmp_path, rules, place, **{**LIMIT, **changed})
    assert allowed(tmp_path, rules, "POST /api/v3/order", **{**LIMIT, "symbol": "ETHUSDT"})
    assert allowed(tmp_path, rules, "POST /api/v3/order", **{**LIMIT, "symbol": "币安人生USDT"})


@pytest.mark.parametrize("value", ["false", "False", "FALSE", "0", "no", "off", "", " false", "falſe"])
def test_orders_that_open_positions_stay_forbidden(tmp_path: Path, value: str) -> None:
    """Frameworks take more words than true and false for booleans."""
    rules = (
        ANY,
        "{id: never, effect: deny, operations: [exchange.order], when: {reduce_only: {equals: 'false'}}}",
    )
    assert not allowed(tmp_path, rules, "POST /fapi/v1/order", **LIMIT, reduceOnly=value)
    assert not allowed(tmp_path, rules, "POST /fapi/v1/order", **LIMIT)
    assert allowed(tmp_path, rules, "POST /fapi/v1/order", **LIMIT, reduceOnly="TRUE")


@pytest.mark.parametrize("value", ["SHORT", "short", "Short", "SHORT ", "ſHORT"])
def test_a_forbidden_position_side_stays_forbidden(tmp_path: Path, value: str) -> None:
    rules = (
        ANY,
        "{id: never, effect: deny, operations: [exchange.order], when: {position_side: {equals: SHORT}}}",
    )
    assert not allowed(tmp_path, rules, "POST /fapi/v1/order", **LIMIT, positionSide=value)
    assert allowed(tmp_path, rules, "POST /fapi/v1/order", **LIMIT, positionSide="long")


WITHDRAW = "{id: out, effect: allow, operations: [exchange.withdraw], when: {address: {in: [bc1good]}, coin: {equals: BTC}}}"


@pytest.mark.parametrize(
    ("place", "changed"),
    [
        ("POST /sapi/v1/capital/withdraw/apply", {"address": "bc1bad"}),
        ("POST /sapi/v1/capital/withdraw/apply", {"address": "BC1GOOD"}),
        ("POST /sapi/v1/capital/withdraw/apply", {"address": "bc1good "}),
        ("POST /sapi/v1/capital/withdraw/apply", {"address": "bc1good\u200b"}),
        ("POST /sapi/v1/capital/withdraw/apply", {"Address": "bc1bad"}),
        ("POST /sapi/v1/capital/withdraw/apply", {"addressName": "bad"}),
        ("POST /sapi/v1/capital/withdraw/apply", {"coin": "ETH"}),
        ("POST /sapi/v2/capital/withdraw/apply", {}),
        ("POST /sapi/v1/giftcard/createCode", {}),
        ("POST /sapi/v2/fiat/withdraw", {}),
    ],
)
def test_withdrawals_go_to_listed_addresses_alone(
    tmp_path: Path, place: str, changed: dict[str, str]
) -> None:
    parameters = {"coin": "BTC", "address": "bc1good", "amount": "1"}
    assert not allowed(tmp_path, (WITHDRAW, ANY), place, **{**parameters, **changed})
    assert allowed(tmp_path, (WITHDRAW,), "POST /sapi/v1/capital/withdraw/apply", **parameters)
    assert not allowed(tmp_path, (ANY,), "POST /sapi/v1/capital/withdraw/apply", **parameters)


def test_every_order_of_a_batch_must_pass(tmp_path: Path) -> None:
    place = "POST /fapi/v1/batchOrders"
    assert allowed(tmp_path, (SMALL,), place, batchOrders=json.dumps([LIMIT, LIMIT]))
    for bad in ({"price": "1001"}, {"symbol": "ETHUSDT"}, {"type": "MARKET"}, {"icebergQty": "1"}):
        assert not allowed(tmp_path, (SMALL,), place, batchOrders=json.dumps([LIMIT, {**LIMIT, **bad}])), bad


def test_every_order_of_a_list_must_pass(tmp_path: Path) -> None:
    place = "POST /api/v3/orderList/oto"
    good = {
        "symbol": "BTCUSDT",
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingPrice": "1",
        "workingQuantity": "1",
        "pendingType": "LIMIT",
        "pendingSide": "SELL",
        "pendingPrice": "2",
        "pendingQuantity": "1",
    }
    assert allowed(tmp_path, (SMALL,), place, **good)
    for bad in ({"pendingQuantity": "501"}, {"workingPrice": "1001"}, {"pendingType": "MARKET"}):
        assert not allowed(tmp_path, (SMALL,), place, **{**good, **bad}), bad


@pytest.mark.parametrize(
    "row", [row for row in ALL if row.takes_only_what_it_lists and row.security == "signed"][::7]
)
@pytest.mark.parametrize(
    "name", ["x", "symbol[0]", "batchOrders[0].symbol", "_method", "SYMBOL", "symbol\u200b"]
)
def test_a_parameter_that_nobody_knows_makes_it_something_else(row: object, name: str) -> None:
    place = getattr(row, "name")  # noqa: B009 - pytest's parameter is an object to mypy
    found = meaning(place, **{name: "1"})
    assert found.operation == "exchange.other"
    assert found.items[0]["parameters"] == {name: "1"}


def test_a_json_body_is_something_else_and_bound() -> None:
    asked = ExchangeRequest("rest", "POST", "/api/v3/order", tuple(LIMIT.items()), b"{}")
    found = meaning_of(asked)
    assert found.operation == "exchange.other"
    assert found.items[0]["body_sha256"] == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert found.items[0]["parameters"] == LIMIT


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    st.sampled_from([(row.method, row.path) for row in ALL]),
    st.dictionaries(
        TEXTS | st.sampled_from(sorted({name for row in ALL for name in row.fields})), TEXTS, max_size=6
    ),
)
def test_whatever_is_asked_policy_sees_every_parameter(
    place: tuple[str, str], parameters: dict[str, str]
) -> None:
    """Each value is in the intent, or it has no influence on anything (queries, listen keys), or only its digest is told."""
    asked = ExchangeRequest("rest" if place[1] else "websocket", *place, tuple(parameters.items()))
    found = meaning_of(asked)
    assert found.items
    assert found == meaning_of(asked)
    told = json.dumps([dict(item) for item in found.items], ensure_ascii=False)
    for name, value in parameters.items():
        spelled = json.dumps(value, ensure_ascii=False)[1:-1]
        seen = spelled.lower() in told.lower() or "sha256:" in told
        assert seen, name
