"""Who gets in: keys, times, parameters, and the codes of those who do not."""

from dataclasses import replace

import pytest

from tests.exchanges import KEYS, account_of
from tests.unit.dev.exchange.asking import (
    KEY,
    LIMIT_ORDER,
    NOW_MS,
    ask,
    code,
    exchange,
    raw,
    signed,
    told,
)
from vaultsigner.dev.exchange.exchange import PRODUCTS

ACCOUNT = ("GET", "/api/v3/account")


def test_no_key_an_odd_key_and_an_unknown_key() -> None:
    made = exchange()
    assert code(made, signed(*ACCOUNT, key=None)) == (401, -2014)
    assert code(made, signed(*ACCOUNT, key="ä")) == (401, -2014)
    assert code(made, signed(*ACCOUNT, key="unknown")) == (401, -2015)


@pytest.mark.parametrize(
    ("late_ms", "window", "admitted"),
    [
        (0, None, True),
        (5_000, None, True),
        (5_001, None, False),
        (60_000, "60000", True),
        (60_001, "60000", False),
        (101, "100.5", False),
        (100, "100.5", True),
        (-999, None, True),
        (-1_000, None, False),
    ],
)
def test_timing(late_ms: int, window: str | None, *, admitted: bool) -> None:
    parameters = {"recvWindow": window} if window else {}
    made = exchange()
    status, document = ask(made, *ACCOUNT, parameters, timestamp=NOW_MS - late_ms)
    assert (status, document.get("code")) == ((200, None) if admitted else (400, -1021))
    ahead = "1000ms ahead" in document.get("msg", "")
    assert ahead is (late_ms < 0 and not admitted)


def test_microseconds_are_timestamps_too() -> None:
    assert ask(exchange(), *ACCOUNT, timestamp=NOW_MS * 1_000)[0] == 200
    assert ask(exchange(), *ACCOUNT, timestamp=(NOW_MS - 5_001) * 1_000)[0] == 400


def test_each_product_has_a_clock_of_its_own() -> None:
    made = exchange()
    made.clocks["usdm"].frozen_ms = NOW_MS + 600_000
    assert ask(made, *ACCOUNT)[0] == 200
    assert ask(made, "GET", "/fapi/v3/account")[1]["code"] == -1021
    assert ask(made, "GET", "/dapi/v1/account")[0] == 200
    times = [told(made, raw("GET", path, key=None))[1]["serverTime"] for path in TIME_PATHS]
    assert times == [NOW_MS, NOW_MS + 600_000, NOW_MS]


TIME_PATHS = ["/api/v3/time", "/fapi/v1/time", "/dapi/v1/time"]


def test_skew_moves_every_clock() -> None:
    made = exchange()
    made.freeze(None)
    before = [made.clocks[product].now_ms() for product in PRODUCTS]
    made.skew(600_000)
    after = [made.clocks[product].now_ms() for product in PRODUCTS]
    assert all(600_000 <= late - early < 700_000 for early, late in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("signature=" + "0" * 64, (400, -1102)),
        ("timestamp=&signature=" + "0" * 64, (400, -1102)),
        ("timestamp=now&signature=" + "0" * 64, (400, -1100)),
        (f"timestamp={NOW_MS}", (400, -1102)),
        (f"timestamp={NOW_MS}&signature=", (400, -1102)),
        (f"timestamp={NOW_MS}&signature=xyz", (400, -1100)),
        (f"timestamp={NOW_MS}&signature=" + "0" * 64, (400, -1022)),
        (f"timestamp={NOW_MS}&recvWindow=60001&signature=" + "0" * 64, (400, -1131)),
        (f"timestamp={NOW_MS}&recvWindow=-1&signature=" + "0" * 64, (400, -1100)),
        (f"timestamp={NOW_MS}&timestamp={NOW_MS}&signature=" + "0" * 64, (400, -1101)),
        (f"timestamp={NOW_MS}&a=%ff&signature=" + "0" * 64, (400, -1100)),
    ],
)
def test_what_is_wrong_with_a_query(query: str, expected: tuple[int, int]) -> None:
    assert code(exchange(), raw(*ACCOUNT, query)) == expected


def test_parameters_that_are_not_read_are_refused_by_the_spot_market() -> None:
    made = exchange()
    assert ask(made, *ACCOUNT, {"operation": "exchange.query"})[1] == {
        "code": -1104,
        "msg": "Not all sent parameters were read; read '0' parameter(s) but was sent '1'.",
    }
    assert code(made, raw("GET", "/api/v3/time", "timestamp=1", key=None)) == (400, -1104)
    assert code(made, signed("POST", "/api/v3/userDataStream")) == (400, -1104)


def test_what_a_key_may_not_do() -> None:
    reader = replace(account_of("hmac_doc"), rights=frozenset({"read"}))
    made = exchange(reader)
    assert ask(made, *ACCOUNT)[0] == 200
    assert ask(made, "POST", "/api/v3/order", LIMIT_ORDER) == (
        401,
        {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."},
    )
    withdrawal = {"coin": "BTC", "address": "x", "amount": "1"}
    assert ask(made, "POST", "/sapi/v1/capital/withdraw/apply", withdrawal)[1]["code"] == -2015
    assert not made.capital.withdrawals


def test_a_query_parameter_goes_before_one_of_the_form() -> None:
    form = "application/x-www-form-urlencoded"
    request = raw("POST", "/x", "side=BUY", "side=SELL&quantity=1", kind=form)
    assert request.parameters() == (("side", "BUY"), ("quantity", "1"))


def test_blank_plus_percent_and_emoji() -> None:
    request = raw("GET", "/x", "a=1+2%202%2B3%2525&b=%F0%9F%90%8E&c=%5B%22x%22%5D&d")
    assert request.parameters() == (("a", "1 2 2+3%25"), ("b", "🐎"), ("c", '["x"]'), ("d", ""))


def test_too_much_weight() -> None:
    made = exchange()
    made.limits.weight_per_minute = 45
    first = made.take(signed(*ACCOUNT))
    second = made.take(signed(*ACCOUNT))
    third = made.take(signed(*ACCOUNT))
    used = [answer.headers["X-MBX-USED-WEIGHT-1M"] for answer in (first, second, third)]
    assert used == ["20", "40", "60"]
    assert [answer.status for answer in (first, second, third)] == [200, 200, 429]
    assert 1 <= int(third.headers["Retry-After"]) <= 60
    assert made.received[-1].code == -1003
    made.freeze(NOW_MS + 60_000)
    assert made.take(signed(*ACCOUNT, timestamp=NOW_MS + 60_000)).headers["X-MBX-USED-WEIGHT-1M"] == "20"


def test_order_counts_and_weights_of_the_wallet() -> None:
    made = exchange()
    order = made.take(signed("POST", "/api/v3/order", LIMIT_ORDER))
    assert order.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    coins = made.take(signed("GET", "/sapi/v1/capital/config/getall"))
    assert coins.headers["X-SAPI-USED-IP-WEIGHT-1M"] == "10"
    assert "X-MBX-USED-WEIGHT-1M" not in coins.headers
    transfer = {"type": "MAIN_UMFUTURE", "asset": "USDT", "amount": "100"}
    moved = made.take(signed("POST", "/sapi/v1/asset/transfer", transfer))
    assert moved.headers["X-SAPI-USED-UID-WEIGHT-1M"] == "900"
    assert "X-SAPI-USED-IP-WEIGHT-1M" not in moved.headers


def test_unknown_paths() -> None:
    made = exchange()
    assert code(made, signed("GET", "/api/v3/unknown")) == (404, -5000)
    assert code(made, signed("GET", "/api/v3//order")) == (404, -5000)
    assert code(made, signed("PUT", "/api/v3/order")) == (404, -5000)


def test_the_record_of_a_request() -> None:
    made = exchange()
    ask(made, "POST", "/api/v3/order", LIMIT_ORDER)
    ask(made, *ACCOUNT, timestamp=NOW_MS - 6_000)
    told(made, raw("GET", "/api/v3/time", key=None))
    first, second, third = made.received
    assert (first.endpoint, first.account, first.verified, first.executed) == (
        "POST /api/v3/order",
        "desk",
        True,
        True,
    )
    assert first.meant == LIMIT_ORDER
    assert first.header("x-mbx-apikey") == KEY
    assert (second.verified, second.executed, second.status, second.code) == (True, False, 400, -1021)
    assert (third.account, third.verified, third.executed) == (None, None, True)
    assert made.requests("GET /api/v3/time") == [third]


def test_a_signature_that_is_no_base64() -> None:
    key = KEYS["rsa_test"]["api_key"]
    query = f"timestamp={NOW_MS}&signature=%C3%A4"
    assert code(exchange(), raw(*ACCOUNT, query, key=key)) == (400, -1022)
