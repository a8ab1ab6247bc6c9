"""The libraries that people trade with, through vaultsigner: a base address is changed, and nothing else about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.clients.exchange_clients import (
    BTC,
    ENCODING,
    FIND_ODD,
    FUTURES_CALLS,
    LIBRARIES,
    LIMIT,
    MOVING,
    ODD,
    READING,
    STREAMING,
    TRADING,
    WITHDRAWAL,
    Call,
    Job,
    Results,
    calls_of,
    drive,
    job,
    named,
)
from tests.integration.exchanges.desk import BOTS, NAMES, Desk, running_desk
from tests.patience import wait_until
from tests.signing_client import Ed25519Key, HmacKey, RsaKey
from vaultsigner.dev.exchange import faults
from vaultsigner.dev.exchange.records import Received
from vaultsigner.dev.exchange.signatures import Scheme

SCHEMES: tuple[Scheme, ...] = ("hmac", "rsa", "ed25519")
POLICY = """\
version: 1
lists:
  cold: [TAddress]
rules:
  - id: trade
    effect: allow
    operations: [exchange.order, exchange.cancel, exchange.amend, exchange.query]
  - id: streams
    effect: allow
    operations: [exchange.user_stream]
  - id: leverage
    effect: allow
    operations: [exchange.settings]
  - id: withdraw-to-cold
    effect: allow
    operations: [exchange.withdraw]
    when: {address: {in: $cold}}
  - id: between-own-wallets
    effect: allow
    operations: [exchange.transfer]
"""
SPOT_ROUND = [
    "POST /api/v3/order",
    "GET /api/v3/order",
    "GET /api/v3/openOrders",
    "POST /api/v3/order/cancelReplace",
    "DELETE /api/v3/order",
    "POST /api/v3/orderList/oco",
    "DELETE /api/v3/openOrders",
    "POST /sapi/v1/capital/withdraw/apply",
    "POST /sapi/v1/asset/transfer",
]
MINUTES_5 = 300_000


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running_desk(tmp_path_factory.mktemp("libraries"), policy=POLICY) as running:
        running.exchange.limits.weight_per_minute = 1_000_000
        yield running


def job_of(desk: Desk, bot: Scheme, exchange: Scheme, calls: list[Call]) -> Job:
    """A bot's job: its own key, and vaultsigner's address in the place of the exchange's."""
    key = BOTS[bot]
    assert isinstance(key, (HmacKey, RsaKey, Ed25519Key))
    secret = key.secret if isinstance(key, HmacKey) else key.private_key
    address = f"{desk.world.url}/exchange/main-{exchange}"
    return job(address, bot, calls, {"api_key": key.api_key, "secret": secret})


def forwarded_calls(library: str, bot: Scheme) -> list[Call]:
    """All that a library can ask through vaultsigner.

    ccxt sends a batch as JSON that it does not percent-encode. That is refused: the same signed bytes could be cut elsewhere,
    into a query and a JSON body.
    """
    calls = calls_of(library, bot, READING, TRADING, MOVING, STREAMING, FUTURES_CALLS)
    return [call for call in calls if not (library.startswith("ccxt") and call["do"] == "futures_batch")]


def pairs_of(library: str) -> list[tuple[Scheme, Scheme]]:
    """Every scheme of a bot, each with another scheme of the exchange; over all libraries, every pair."""
    turn = list(LIBRARIES).index(library)
    return [(bot, SCHEMES[(place + turn) % 3]) for place, bot in enumerate(SCHEMES)]


THIEF: Call = {"do": "withdraw", **WITHDRAWAL, "address": "TThief"}
TOO_MUCH: Call = {"do": "create_order", **LIMIT, "price": "55000", "quantity": "1000"}


@dataclass(frozen=True, slots=True)
class Round:
    """What one library did, in one process: a whole day of trading for each scheme, then what does not come off."""

    library: str
    trading: list[Results]
    thief: Any
    too_much: Any
    odd: Any
    received: list[Received]


@pytest.fixture(scope="module", params=LIBRARIES)
def round_of(desk: Desk, request: pytest.FixtureRequest) -> Round:
    library: str = request.param
    before = len(desk.exchange.received)
    jobs = [job_of(desk, bot, exchange, forwarded_calls(library, bot)) for bot, exchange in pairs_of(library)]
    last = job_of(desk, "hmac", "ed25519", [THIEF, TOO_MUCH, FIND_ODD])
    *trading, (thief, too_much, odd) = drive(library, [*jobs, last])
    return Round(library, trading, thief, too_much, odd, desk.exchange.received[before:])


def test_a_library_trades_through_vaultsigner(desk: Desk, round_of: Round) -> None:
    pairs = pairs_of(round_of.library)
    for (bot, _), results in zip(pairs, round_of.trading, strict=True):
        told = named(forwarded_calls(round_of.library, bot), results)
        assert told["create_order"]["client_order_id"] == "x-U5D79M5B-mine"
        assert told["query_order"] == told["create_order"]
        assert told["open_orders"] == [told["create_order"]]
        assert told["cancel_order"] == {"order_id": told["replace_order"]["order_id"]}
        listed = {order["order_id"] for order in told["order_list"]}
        assert listed == {order["order_id"] for order in told["cancel_all"]}
        assert "BTCUSDT" in told["markets"]["spot"]
        assert told["price"] == "60000.00000000"
    assert all(each.verified in (True, None) for each in round_of.received)
    for endpoint in SPOT_ROUND:
        good = [each for each in round_of.received if each.endpoint == endpoint and each.status == 200]
        assert len(good) >= len(pairs), endpoint
        assert all(each.verified for each in good), endpoint
    assert not desk.exchange.spot.book.open_of("desk")


def test_nothing_of_the_bots_keys_reaches_the_exchange(round_of: Round) -> None:
    keys = {key.api_key for key in BOTS.values()}
    assert len(round_of.received) > 40
    for each in round_of.received:
        assert not keys & {each.header("X-MBX-APIKEY"), *dict(each.parameters).values()}, each


def test_every_pair_of_schemes_is_among_them() -> None:
    every = {(bot, exchange) for bot in SCHEMES for exchange in SCHEMES}
    assert {pair for library in LIBRARIES for pair in pairs_of(library)} == every


def test_what_was_asked_is_on_the_record(desk: Desk) -> None:
    calls = [{"do": "create_order", **LIMIT, "newClientOrderId": "recorded"}, {"do": "cancel_order", **BTC}]
    named(calls, drive("binance-connector", [job_of(desk, "ed25519", "hmac", calls)])[0])
    intents = [
        record
        for record in desk.world.records()
        if record["kind"] == "intent" and "recorded" in str(record["intent"])
    ]
    (intent,) = intents
    assert (intent["operation"], intent["exchange"]) == ("exchange.order", "main-hmac")
    assert intent["principal"] == {"type": "client", "name": NAMES["ed25519"], "scheme": "ed25519"}
    assert intent["decision"]["rule"] == "trade"
    kinds = [record["kind"] for record in desk.world.records(intent["request_id"])]
    assert kinds == ["intent", "outcome", "dispatch"]


def test_odd_values_come_through(round_of: Round) -> None:
    received = [each for each in round_of.received if each.meant.get("origClientOrderId") == ODD]
    if round_of.library not in ENCODING:
        assert "error" in round_of.odd
        assert not received
        return
    assert "Order does not exist" in round_of.odd["error"]["text"], round_of.odd
    meant = {"symbol": "BTCUSDT", "origClientOrderId": ODD}
    assert [(each.verified, each.code, each.meant) for each in received] == [(True, -2013, meant)]


def test_a_withdrawal_to_an_address_that_is_not_listed_is_refused(desk: Desk, round_of: Round) -> None:
    told = round_of.thief["error"]["text"]
    assert "policy" in told.lower(), told
    withdrawn = {withdrawal.address for withdrawal in desk.exchange.capital.withdrawals}
    assert "TAddress" in withdrawn
    assert "TThief" not in withdrawn
    assert not any("TThief" in str(each.parameters) for each in round_of.received)


def test_a_library_is_told_what_the_exchange_refuses(round_of: Round) -> None:
    assert "insufficient balance" in round_of.too_much["error"]["text"], round_of.too_much


@pytest.mark.parametrize("library", ["ccxt", "python-binance-async", "binance-js"])
def test_an_exchange_whose_clock_is_wrong_by_minutes(desk: Desk, library: str) -> None:
    """The library signs by this machine's clock, the exchange judges by its own, and vaultsigner stands between."""
    desk.exchange.skew(-MINUTES_5)
    try:
        calls = [{"do": "create_order", **LIMIT}, {"do": "cancel_order", **BTC}, {"do": "balances"}]
        named(calls, drive(library, [job_of(desk, "rsa", "hmac", calls)])[0])
    finally:
        desk.exchange.skew(0)


@pytest.mark.parametrize("library", ["ccxt", "binance-js"])
def test_a_library_is_told_to_slow_down(desk: Desk, library: str) -> None:
    place = "/api/v3/ticker/price?symbol=BTCUSDT"
    wait_until(lambda: desk.unsigned("GET", place).status == 200, "strangers need not wait any more")
    desk.server.faults.always("GET /api/v3/ticker/price", faults.rate_limited(1))
    try:
        ((result,),) = drive(library, [job_of(desk, "hmac", "hmac", [{"do": "price", **BTC}])])
    finally:
        desk.server.faults.always("GET /api/v3/ticker/price", None)
    assert "-1003" in result["error"]["text"], result
