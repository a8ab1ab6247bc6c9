"""Policy stands between the bot and the account: what is not allowed never reaches the exchange, nor custody's key."""

from typing import Any

import pytest

from tests.integration.exchanges.desk import HMAC, ORDER, Desk
from tests.signing_client import Reply

WITHDRAWAL = {"coin": "BTC", "address": "TColdWallet", "amount": "0.5", "network": "BTC"}
PLACE = "POST /sapi/v1/capital/withdraw/apply"


def withdraw(desk: Desk, bot: str = "hmac", **changes: str) -> Reply:
    return desk.call("POST", "/sapi/v1/capital/withdraw/apply", {**WITHDRAWAL, **changes}, bot=bot)


def withdrawn(desk: Desk) -> int:
    return len(desk.exchange.capital.withdrawals)


def test_withdrawals_are_refused_unless_a_rule_names_them(desk: Desk) -> None:
    before = withdrawn(desk)
    reply = withdraw(desk, "hmac")
    assert (reply.status, reply.body["code"]) == (403, "policy_denied")
    assert "exchange.withdraw" in reply.body["message"]
    assert withdrawn(desk) == before
    assert [record["kind"] for record in desk.records(reply)] == ["intent", "outcome"]


def test_and_go_only_where_the_list_says(desk: Desk) -> None:
    before = withdrawn(desk)
    for changes in (
        {"address": "TThiefsWallet"},
        {"address": "tcoldwallet"},
        {"address": "TColdWallet "},
        {"address": "TColdWallet,TThiefsWallet"},
        {"coin": "USDT"},
        {"toAddress": "TThiefsWallet"},
        {"Address": "TThiefsWallet"},
    ):
        reply = withdraw(desk, "rsa", **changes)
        assert reply.status in (400, 403), (changes, reply.body)
        assert withdrawn(desk) == before
    assert withdraw(desk, "rsa").status == 200
    assert withdrawn(desk) == before + 1
    assert desk.exchange.capital.withdrawals[-1].address == "TColdWallet"


@pytest.mark.parametrize(
    ("method", "path", "parameters"),
    [
        ("POST", "/sapi/v1/asset/transfer", {"type": "MAIN_UMFUTURE", "asset": "BTC", "amount": "1"}),
        ("POST", "/fapi/v1/leverage", {"symbol": "BTCUSDT", "leverage": "125"}),
        ("POST", "/api/v3/newThing", {"symbol": "BTCUSDT"}),
        ("POST", "/api/v3/order", {**ORDER, "newParameter": "1"}),
        ("POST", "/api/v3/order", {**ORDER, "symbol": "DOGEUSDT"}),
        ("POST", "/api/v3/order", {**ORDER, "symbol": "dogeusdt"}),
        ("DELETE", "/sapi/v1/capital/withdraw/apply", WITHDRAWAL),
        ("PUT", "/api/v3/account", {}),
    ],
)
def test_a_stolen_key_can_do_nothing_more(
    desk: Desk, method: Any, path: str, parameters: dict[str, str]
) -> None:
    before = len(desk.exchange.received)
    reply = desk.call(method, path, parameters)
    assert reply.status in (403, 405), reply.body
    assert len(desk.exchange.received) == before


@pytest.mark.parametrize(
    "path",
    [
        "/api/v3/../../sapi/v1/capital/withdraw/apply",
        "//api/v3/account",
        "/api/v3/account/",
        "/api/v3/%61ccount",
        "",
    ],
)
def test_no_other_spelling_of_a_path_gets_through(desk: Desk, path: str) -> None:
    before = len(desk.exchange.received)
    assert desk.call("GET", path).status in (400, 403, 404)
    assert len(desk.exchange.received) == before


def test_a_withdrawal_that_others_have_to_approve(desk: Desk) -> None:
    wanted = {"coin": "ETH", "address": "0xabc", "amount": "1"}
    place = "/sapi/v1/capital/withdraw/apply"
    before = withdrawn(desk)
    asked = desk.call("POST", place, wanted, bot="ed25519")
    assert (asked.status, asked.body["code"]) == (202, "approval_required"), asked.body
    approval = asked.body["approval"]["id"]
    header = {"X-Vaultsigner-Approval": approval}
    assert desk.call("POST", place, wanted, bot="ed25519", headers=header).status == 403
    token = desk.world.token("ann", "ann's own password")
    vote = desk.world.ask("POST", f"/api/approvals/{approval}/approve", {}, token=token)
    assert vote.status == 200, vote.body
    other = desk.call("POST", place, {**wanted, "amount": "2"}, bot="ed25519", headers=header)
    assert other.status == 403
    assert withdrawn(desk) == before
    assert desk.call("POST", place, wanted, bot="ed25519", headers=header).status == 200
    assert desk.call("POST", place, wanted, bot="ed25519", headers=header).status == 403
    assert withdrawn(desk) == before + 1


@pytest.mark.parametrize(("kind", "name"), [("client", "bot-hmac"), ("exchange", "main-hmac")])
def test_what_is_suspended_is_cut_off(desk: Desk, kind: str, name: str) -> None:
    token = desk.world.token("olga", "olga's own password")
    wanted = {"kind": kind, "name": name, "reason": "a drill"}
    assert desk.world.ask("POST", "/api/suspensions", wanted, token=token).status == 200
    try:
        before = len(desk.exchange.received)
        assert desk.call("GET", "/api/v3/account").body["code"] == "suspended"
        asked = desk.unsigned("POST", "/api/v3/userDataStream", api_key=HMAC.api_key)
        assert asked.body["code"] == "suspended"
        assert (desk.unsigned("GET", "/api/v3/depth?symbol=BTCUSDT").status == 403) is (kind == "exchange")
        assert len(desk.exchange.received) == before + (kind == "client")
    finally:
        ended = desk.world.ask("DELETE", f"/api/suspensions/{kind}/{name}", None, token=token)
    assert ended.status == 200
    assert desk.call("GET", "/api/v3/account").status == 200
