"""Signed requests for somebody else to send: complete, good at the exchange, and inside policy."""

import json
from typing import Any

import pytest
import requests

from tests.integration.exchanges.desk import BOTS, EVERY, HMAC, ONLY_MAIN, ORDER, Desk
from tests.signing_client import Reply, SignedCall, signed_call
from vaultsigner.dev.exchange.requests import RawRequest
from vaultsigner.dev.exchange.websocket import Session


def sign(desk: Desk, document: object, *, bot: str = "hmac", at: str = "main-hmac") -> Reply:
    call = signed_call(BOTS[bot], "POST", f"/api/exchange/{at}/sign", document=document)
    return desk.world.send(call)


@pytest.mark.parametrize("exchange", EVERY)
@pytest.mark.parametrize("bot", EVERY)
def test_what_is_signed_is_good_at_the_exchange(desk: Desk, bot: str, exchange: str) -> None:
    wanted = {"method": "POST", "path": "/api/v3/order", "params": ORDER}
    before = len(desk.exchange.requests("POST /api/v3/order"))
    reply = sign(desk, wanted, bot=bot, at=f"main-{exchange}")
    assert reply.status == 200, reply.body
    assert len(desk.exchange.requests("POST /api/v3/order")) == before, "nothing is sent"
    assert [record["kind"] for record in desk.records(reply)] == ["intent", "outcome"]
    body = reply.body
    assert body["url"].startswith(f"{desk.server.url}/api/v3/order")
    answer = requests.request(
        body["method"], body["url"], headers=body["headers"], data=body["body"], timeout=30
    )
    assert answer.status_code == 200, answer.text
    seen = desk.exchange.received[-1]
    assert (seen.verified, seen.executed, seen.meant) == (True, True, ORDER)


def test_a_query_and_lists_are_taken_too(desk: Desk) -> None:
    for wanted in (
        {"method": "GET", "path": "/api/v3/openOrders", "query": "symbol=BTCUSDT"},
        {"method": "GET", "path": "/api/v3/openOrders", "params": {"symbol": "BTCUSDT"}},
    ):
        body = sign(desk, wanted).body
        assert requests.get(body["url"], headers=body["headers"], timeout=30).status_code == 200
        assert desk.exchange.received[-1].meant == {"symbol": "BTCUSDT"}


def test_a_message_for_the_websocket_api(desk: Desk) -> None:
    reply = sign(desk, {"ws": "order.place", "params": ORDER}, at="main-ed25519")
    assert reply.status == 200, reply.body
    message = {"id": 1, **reply.body["message"]}
    answer = json.loads(Session(desk.exchange).take(json.dumps(message)))
    assert (answer["status"], answer["result"]["symbol"]) == (200, "BTCUSDT")


def test_a_session_that_would_be_past_every_policy_is_refused(desk: Desk) -> None:
    reply = sign(desk, {"ws": "session.logon", "params": {}}, at="main-ed25519")
    assert (reply.status, reply.body["code"]) == (403, "policy_denied")
    assert "exchange.other" in reply.body["message"]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"method": "POST"},
        {"method": "POST", "path": "api/v3/order", "params": ORDER},
        {"method": "POST", "path": "/api/v3/order", "params": ORDER, "parms": {}},
        {"method": "POST", "path": "/api/v3/order", "params": ORDER, "query": "a=b"},
        {"method": "POST", "path": "/api/v3/order", "params": {**ORDER, "signature": "00"}},
        {"method": "POST", "path": "/api/v3/order", "params": {**ORDER, "timestamp": 1}},
        {"method": "PATCH", "path": "/api/v3/order", "params": ORDER},
        {"method": "POST", "path": "/api/v3/order?symbol=BTCUSDT", "params": ORDER},
    ],
)
def test_what_makes_no_sense_is_told(desk: Desk, wanted: Any) -> None:
    reply = sign(desk, wanted)
    assert reply.status in (400, 422), reply.body
    assert reply.body["message"]


def test_strangers_learn_nothing(desk: Desk) -> None:
    answer = desk.world.ask("POST", "/api/exchange/main-hmac/sign", {"method": "no"}, token=None)
    assert answer.status == 401
    other = desk.world.ask("POST", "/api/exchange/nowhere/sign", {"method": "no"}, token=None)
    assert other.status in (401, 404)


def test_the_stand_in_would_notice_a_changed_byte(desk: Desk) -> None:
    """Of what is signed; else these tests could not fail."""
    body = sign(desk, {"method": "POST", "path": "/api/v3/order", "params": ORDER}).body
    raw = RawRequest("POST", "/api/v3/order", tuple(body["headers"].items()), b"x" + body["body"].encode())
    assert json.loads(desk.exchange.take(raw).body)["code"] in (-1022, -1102)


def test_a_signature_that_would_be_good_for_a_withdrawal_is_not_given_out(desk: Desk) -> None:
    """It covers the parameters, and neither method nor path: whoever has it can send it elsewhere."""
    wanted = {"coin": "BTC", "address": "TThief", "amount": "1"}
    for params in (wanted, {**wanted, "symbol": "BTCUSDT"}, {"anything": "1"}):
        reply = sign(desk, {"method": "GET", "path": "/api/v3/account", "params": params})
        assert (reply.status, reply.body["code"]) == (403, "policy_denied"), reply.body
        assert "would also be good for" in reply.body["message"]
        assert desk.records(reply, "intent")[0]["decision"]["effect"] == "deny"
    whole = sign(desk, {"ws": "account.status", "params": {}}, at="main-ed25519")
    assert "exchange.other (session.logon)" in whole.body["message"]
    assert sign(desk, {"method": "GET", "path": "/api/v3/account", "params": {}}).status == 200


def test_an_api_key_alone_is_given_nothing_to_send(desk: Desk) -> None:
    """Forwarded, such a request goes without a signature; signed or not, the exchange's own API key is not for strangers."""
    for wanted in (
        {"method": "GET", "path": "/sapi/v1/margin/allPairs"},
        {"method": "POST", "path": "/api/v3/userDataStream"},
    ):
        call = SignedCall(
            "POST",
            "/api/exchange/main-hmac/sign",
            "",
            {"X-MBX-APIKEY": HMAC.api_key, "Content-Type": "application/json"},
            json.dumps(wanted).encode(),
        )
        reply = desk.world.send(call)
        assert (reply.status, reply.body["code"]) == (401, "authentication_failed"), reply.body


def test_a_signature_that_is_good_at_an_exchange_that_is_not_the_callers_is_not_given_out(desk: Desk) -> None:
    """Two entries may have one API key at the exchange: what is signed by way of the one is good at the other."""
    call = signed_call(
        ONLY_MAIN,
        "POST",
        "/api/exchange/main-hmac/sign",
        document={"method": "GET", "path": "/api/v3/account", "params": {}},
    )
    reply = desk.world.send(call)
    assert (reply.status, reply.body["code"]) == (403, "no_permission")
    assert "kv-hmac" in reply.body["message"]
    forwarded = signed_call(ONLY_MAIN, "GET", "/exchange/main-hmac/api/v3/account")
    assert desk.world.send(forwarded).status == 200


def test_what_is_too_large_to_be_sent_is_the_callers_fault(desk: Desk) -> None:
    """Less than 64 KiB of JSON, and three times as much once it is percent-encoded."""
    wanted = {"method": "GET", "path": "/api/v3/account", "params": {"note": "{" * 60_000}}
    reply = sign(desk, wanted)
    assert (reply.status, reply.body["code"]) == (400, "malformed_parameters"), reply.body
    assert "send less" in reply.body["message"]
