"""What a bot asks with its own key arrives as the desk's request, signed by the exchange's secret, and the answer comes back."""

from urllib.parse import unquote

import pytest

from tests.integration.exchanges.desk import BOTS, EVERY, HMAC, NAMES, ORDER, Desk
from tests.signing_client import signed_call
from vaultsigner.dev.exchange.faults import refuses


@pytest.mark.parametrize("where", ["main", "kv"])
@pytest.mark.parametrize("exchange", EVERY)
@pytest.mark.parametrize("bot", EVERY)
def test_every_scheme_on_either_leg(desk: Desk, bot: str, exchange: str, where: str) -> None:
    reply = desk.call("POST", "/api/v3/order", ORDER, bot=bot, at=f"{where}-{exchange}", place="form")
    assert reply.status == 200, reply.body
    assert reply.body["symbol"] == "BTCUSDT"
    seen = desk.exchange.received[-1]
    assert (seen.verified, seen.executed, seen.endpoint) == (True, True, "POST /api/v3/order")
    assert seen.meant == ORDER
    assert reply.headers["X-Vaultsigner-Decision"].startswith("rule=trade; policy=")
    kinds = [record["kind"] for record in desk.records(reply)]
    assert kinds == ["intent", "outcome", "dispatch"]
    intent, outcome, dispatch = desk.records(reply)
    assert intent["principal"] == {"type": "client", "name": NAMES[bot], "scheme": bot}
    assert (intent["operation"], intent["exchange"]) == ("exchange.order", f"{where}-{exchange}")
    assert intent["intent"]["price"] == "60000"
    assert dispatch["payload_sha256"] == outcome["signed_sha256"]
    assert (dispatch["result"], dispatch["status"], dispatch["endpoint"]) == (
        "accepted",
        200,
        "POST /api/v3/order",
    )
    assert {record["policy"] for record in (outcome, dispatch)} == {intent["decision"]["policy"]}


def test_what_matters_of_the_answer_comes_back_and_nothing_else(desk: Desk) -> None:
    reply = desk.call("GET", "/api/v3/account")
    names = {name.lower() for name in reply.headers}
    assert {"x-mbx-used-weight-1m", "content-type", "x-request-id"} <= names
    assert not names & {"x-mbx-uuid", "x-cache", "strict-transport-security", "set-cookie"}
    assert any(
        name.lower() == "x-mbx-used-weight-1m" for name in desk.records(reply, "dispatch")[0]["limits"]
    )


def test_nothing_of_the_client_goes_along(desk: Desk) -> None:
    desk.call("GET", "/api/v3/account", headers={"X-Secret": "mine", "User-Agent": "bot", "Cookie": "a=b"})
    seen = desk.exchange.received[-1]
    sent = {name.lower(): value for name, value in seen.headers}
    assert sent.keys() <= {"host", "user-agent", "accept-encoding", "x-mbx-apikey", "content-length"}
    assert sent["user-agent"].startswith("vaultsigner/")


@pytest.mark.parametrize(
    "value", ["a b", "a+b", "100%", "%41", "🚀 to the moon", "a&b=c", "[]", '["BTCUSDT","ETHUSDT"]', "é"]
)
@pytest.mark.parametrize("place", ["query", "form"])
def test_values_arrive_as_they_were_meant(desk: Desk, value: str, place: str) -> None:
    parameters = {"symbol": "BTCUSDT", "omitZeroBalances": "true", "note": value}
    reply = desk.call("GET", "/api/v3/account", parameters)
    assert reply.status in (200, 400), reply.body
    seen = desk.exchange.received[-1]
    assert seen.verified
    assert seen.meant == parameters
    assert unquote(seen.target) != ""


def test_a_wrong_clock_of_the_exchange_is_corrected(desk: Desk) -> None:
    desk.exchange.skew(-240_000)
    try:
        reply = desk.call("GET", "/api/v3/account")
        assert reply.status == 200, reply.body
        results = [(record["result"], record["exchange_code"]) for record in desk.records(reply, "dispatch")]
        assert results in ([("accepted", None)], [("refused", -1021), ("accepted", None)])
    finally:
        desk.exchange.skew(0)
    assert desk.call("GET", "/api/v3/account").status == 200


@pytest.mark.parametrize("bot", ["hmac", "rsa"])
def test_a_wrong_time_is_mended_once_and_no_more(desk: Desk, bot: str) -> None:
    assert desk.call("GET", "/api/v3/account", bot=bot).status == 200
    desk.exchange.skew(120_000)
    try:
        desk.arm(
            "POST /api/v3/order", refuses(-1021, "Timestamp for this request is outside of the recvWindow.")
        )
        before = len(desk.exchange.requests("POST /api/v3/order"))
        reply = desk.call("POST", "/api/v3/order", ORDER, bot=bot)
        assert reply.status == 200, reply.body
        assert len(desk.exchange.requests("POST /api/v3/order")) == before + 2
        kinds = [record["kind"] for record in desk.records(reply)]
        assert kinds == ["intent", "outcome", "dispatch", "outcome", "dispatch"]
    finally:
        desk.exchange.skew(0)
    desk.call("GET", "/api/v3/account", bot=bot)
    desk.exchange.skew(-120_000)
    try:
        always = refuses(-1021, "Timestamp for this request is outside of the recvWindow.")
        desk.arm("POST /api/v3/order", always, always, always)
        before = len(desk.exchange.requests("POST /api/v3/order"))
        reply = desk.call("POST", "/api/v3/order", ORDER, bot=bot)
        assert (reply.status, reply.body["code"]) == (400, -1021)
        assert len(desk.exchange.requests("POST /api/v3/order")) == before + 2
    finally:
        desk.exchange.skew(0)
        desk.server.faults.take("POST /api/v3/order")
        # The next test finds a clock that is known to be right again.
        desk.call("GET", "/api/v3/account", bot=bot)


def test_the_time_is_vaultsigners_own(desk: Desk) -> None:
    desk.exchange.skew(300_000)
    try:
        before = len(desk.exchange.received)
        ours = desk.unsigned("GET", "/api/v3/time").body["serverTime"]
        assert abs(ours - desk.exchange.now_ms("/api/v3/time") + 300_000) < 60_000
        assert len(desk.exchange.received) == before
    finally:
        desk.exchange.skew(0)


def test_public_calls_need_nobody(desk: Desk) -> None:
    reply = desk.unsigned("GET", "/api/v3/ticker/price?symbol=BTCUSDT")
    assert reply.status == 200
    seen = desk.exchange.received[-1]
    assert (seen.target, seen.header("X-MBX-APIKEY")) == ("/api/v3/ticker/price?symbol=BTCUSDT", None)
    (record,) = desk.records(reply)
    assert (record["kind"], record["principal"], record["operation"]) == ("dispatch", None, "exchange.public")


@pytest.mark.parametrize(
    "path", ["/api/v3/account", "/api/v3/unknown", "/api/v3/order", "/sapi/v1/capital/config/getall"]
)
def test_what_is_not_public_needs_a_signature_whatever_is_left_out(desk: Desk, path: str) -> None:
    before = len(desk.exchange.received)
    assert desk.unsigned("GET", path).status == 401
    assert desk.unsigned("GET", f"{path}?timestamp=1", api_key="vs_nobody").status == 401
    assert len(desk.exchange.received) == before


def test_a_listen_key_needs_the_bots_api_key_and_policy(desk: Desk) -> None:
    assert desk.unsigned("POST", "/api/v3/userDataStream").status == 401
    reply = desk.unsigned("POST", "/api/v3/userDataStream", api_key=HMAC.api_key)
    assert (reply.status, list(reply.body)) == (200, ["listenKey"])
    intent = desk.records(reply, "intent")[0]
    assert intent["operation"] == "exchange.user_stream"
    assert intent["principal"] == {"type": "client", "name": "bot-hmac", "scheme": "api_key"}


def test_a_copy_is_refused_and_never_sent(desk: Desk) -> None:
    call = signed_call(BOTS["hmac"], "POST", "/exchange/main-hmac/api/v3/order", ORDER)
    assert desk.world.send(call).status == 200
    before = len(desk.exchange.received)
    reply = desk.world.send(call)
    assert (reply.status, reply.body["code"]) == (409, "replayed")
    assert len(desk.exchange.received) == before


def test_an_unknown_exchange_and_one_that_is_not_ours(desk: Desk) -> None:
    assert desk.unsigned("GET", "/api/v3/ping", at="nowhere").body["code"] == "exchange_not_found"
    token = desk.world.token("ann", "ann's own password")
    answer = desk.world.ask("GET", "/exchange/main-hmac/api/v3/account", None, token=token)
    assert (answer.status, answer.body["code"]) == (403, "no_permission")


def test_a_user_with_an_access_token_is_served_too(desk: Desk) -> None:
    token = desk.world.token("tim", "tim's own password")
    answer = desk.world.ask("GET", "/exchange/main-ed25519/api/v3/account", None, token=token)
    assert answer.status == 200
    assert desk.exchange.received[-1].verified


def test_a_clock_far_off_is_told_and_looked_at_again_as_soon_as_it_is_right(desk: Desk) -> None:
    at = "kv-hmac"
    assert desk.call("GET", "/api/v3/account", at=at).status == 200
    desk.exchange.skew(700_000)
    try:
        refused = refuses(-1021, "Timestamp for this request is outside of the recvWindow.")
        desk.arm("GET /api/v3/account", refused)
        reply = desk.call("GET", "/api/v3/account", at=at)
        assert (reply.status, reply.body["code"]) == (502, "exchange_unavailable"), reply.body
        assert "700 s away" in reply.body["message"]
    finally:
        desk.exchange.skew(0)
    assert desk.call("GET", "/api/v3/account", at=at).status == 200
