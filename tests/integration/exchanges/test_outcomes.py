"""When the exchange's answer is no plain yes: what the bot is told, what the record says, and that nothing is sent twice."""

import http.client
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from tests.integration.exchanges.desk import BOTS, ORDER, Desk
from tests.signing_client import signed_call
from vaultsigner.dev.exchange.exchange import Answer
from vaultsigner.dev.exchange.faults import (
    Fault,
    banned,
    cuts_before_answer,
    cuts_in_the_middle,
    large,
    outcome_unknown,
    rate_limited,
    redirects,
    refuses,
    sets_cookie,
    unavailable,
)

PLACE = "POST /api/v3/order"
TEN_MEGABYTES = 10_000_000


def sent(desk: Desk) -> int:
    return len(desk.exchange.requests(PLACE))


@pytest.mark.parametrize(
    "fault",
    [unavailable(status) for status in (500, 502, 503, 504)]
    + [outcome_unknown(-1006, 400), outcome_unknown(-1007)],
    ids=lambda fault: fault.name,
)
def test_what_binance_calls_unknown_is_told_as_unknown(desk: Desk, fault: Fault) -> None:
    desk.arm(PLACE, fault)
    before = sent(desk)
    reply = desk.call("POST", "/api/v3/order", ORDER)
    assert (reply.status, reply.headers["X-Vaultsigner-Outcome"]) == (fault.status, "unknown")
    assert sent(desk) == before + 1
    (record,) = desk.records(reply, "dispatch")
    assert (record["result"], record["status"], record["answered"]) == ("unknown", fault.status, fault.status)


@pytest.mark.parametrize("fault", [rate_limited(7), banned(120)], ids=["429", "418"])
def test_whoever_is_told_to_slow_down_hears_it(desk: Desk, fault: Fault) -> None:
    desk.arm(PLACE, fault)
    reply = desk.call("POST", "/api/v3/order", ORDER, at="kv-rsa")
    assert reply.status == fault.status
    assert reply.headers["Retry-After"] == ("7" if fault.status == 429 else "120")
    assert reply.body["code"] == -1003
    assert "X-Vaultsigner-Outcome" not in reply.headers
    (record,) = desk.records(reply, "dispatch")
    assert (record["result"], record["exchange_code"]) == ("refused", -1003)
    assert {name.lower() for name in record["limits"]} >= {"retry-after"}


def test_strangers_wait_when_the_exchange_says_so_and_the_desk_need_not(desk: Desk) -> None:
    desk.arm("GET /api/v3/depth", banned(120))
    place = "/api/v3/depth?symbol=BTCUSDT"
    assert desk.unsigned("GET", place, at="kv-rsa").status == 418
    before = len(desk.exchange.received)
    waits = desk.unsigned("GET", place, at="kv-rsa")
    assert (waits.status, waits.body["code"]) == (429, "rate_limited")
    assert 0 < int(waits.headers["Retry-After"]) <= 120
    assert len(desk.exchange.received) == before
    assert desk.call("GET", "/api/v3/account", at="kv-rsa").status == 200
    assert desk.unsigned("GET", place, at="kv-hmac").status == 200, "at another exchange nobody waits"


def test_a_no_of_the_exchange_is_its_own(desk: Desk) -> None:
    desk.arm(PLACE, refuses(-2010, "Account has insufficient balance for requested action."))
    reply = desk.call("POST", "/api/v3/order", ORDER)
    assert (reply.status, reply.body["code"]) == (400, -2010)
    assert desk.records(reply, "dispatch")[0]["result"] == "refused"


@pytest.mark.parametrize(
    "fault", [cuts_before_answer(), cuts_in_the_middle()], ids=["before", "in the middle"]
)
def test_a_connection_that_ends_too_early_leaves_an_order_unknown(desk: Desk, fault: Fault) -> None:
    desk.arm(PLACE, fault)
    before = sent(desk)
    reply = desk.call("POST", "/api/v3/order", ORDER)
    assert (reply.status, reply.body["code"]) == (504, "outcome_unknown")
    assert "before you repeat it" in reply.body["message"]
    assert sent(desk) == before + 1
    assert desk.exchange.received[-1].executed
    (record,) = desk.records(reply, "dispatch")
    assert (record["result"], record["answered"]) == ("unknown", 504)


def test_a_query_whose_answer_is_cut_is_no_unknown_order(desk: Desk) -> None:
    desk.arm("GET /api/v3/account", cuts_in_the_middle())
    reply = desk.call("GET", "/api/v3/account")
    assert (reply.status, reply.body["code"]) == (502, "exchange_unavailable")


def test_a_redirect_is_never_followed(desk: Desk) -> None:
    desk.arm(PLACE, redirects(f"{desk.server.url}/api/v3/ping"))
    pings = len(desk.exchange.requests("GET /api/v3/ping"))
    reply = desk.call("POST", "/api/v3/order", ORDER)
    assert "Location" not in reply.headers
    assert len(desk.exchange.requests("GET /api/v3/ping")) == pings
    assert desk.records(reply, "dispatch")[0]["result"] == "unknown"


def test_no_cookie_comes_back_and_none_is_kept(desk: Desk) -> None:
    desk.arm("GET /api/v3/account", sets_cookie())
    assert "Set-Cookie" not in desk.call("GET", "/api/v3/account").headers
    desk.call("GET", "/api/v3/account")
    assert desk.exchange.received[-1].header("Cookie") is None


def raw(desk: Desk, fault: Fault) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
    desk.arm("GET /api/v3/account", fault)
    call = signed_call(BOTS["hmac"], "GET", "/exchange/main-hmac/api/v3/account")
    connection = http.client.HTTPConnection(urlsplit(desk.world.url).netloc, timeout=60)
    connection.request(call.method, call.target, headers=dict(call.headers))
    return connection.getresponse(), connection


def test_ten_megabytes_come_through_and_their_end_is_on_the_record(desk: Desk) -> None:
    response, connection = raw(desk, large(TEN_MEGABYTES))
    body = response.read()
    connection.close()
    assert (response.status, len(body)) == (200, TEN_MEGABYTES)
    began, ended = (
        record
        for record in desk.world.records(response.headers["X-Request-Id"])
        if record["kind"] == "dispatch"
    )
    assert (began["body_bytes"], ended["body_bytes"], ended["problem"]) == (None, TEN_MEGABYTES, None)


def test_half_of_ten_megabytes_is_no_answer(desk: Desk) -> None:
    response, connection = raw(desk, _cut_after(TEN_MEGABYTES // 2))
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    connection.close()
    records = [
        record
        for record in desk.world.records(response.headers["X-Request-Id"])
        if record["kind"] == "dispatch"
    ]
    assert len(records) == 2
    assert records[1]["problem"]
    assert 0 < records[1]["body_bytes"] < TEN_MEGABYTES


def _cut_after(size: int) -> Fault:
    async def way(request: web.Request, _: Answer) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = 2 * size
        await response.prepare(request)
        for _piece in range(size // 65_536):
            await response.write(b"x" * 65_536)
        assert request.transport is not None
        request.transport.close()
        return response

    return Fault("cut while it comes", True, 200, way)
