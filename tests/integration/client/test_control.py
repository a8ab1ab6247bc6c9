"""Approvals, suspensions, explanations and the record, through both clients."""

import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.adversarial.desk import RECEIVER
from tests.integration.client.asking import Asking, asking
from tests.integration.client.conftest import Ask
from tests.integration.client.desk import CALLERS, EXCHANGE, NAMES, WALLET, Desk, person
from tests.integration.exchanges.desk import ORDER
from tests.patience import PATIENCE_SECONDS, wait_until
from vaultsigner.client import (
    ApprovalNotGrantedError,
    ApprovalRequiredError,
    ApprovalTimeoutError,
    AsyncSigningClient,
    ConflictError,
    NotAllowedError,
    SigningClient,
    SuspendedError,
    Transfer,
)

WAYS = list(CALLERS)
_amounts = itertools.count(11)
WITHDRAWAL = {"coin": "BTC", "address": "TColdWallet", "amount": "0.5", "network": "BTC"}


def large() -> Transfer:
    """A transfer that wants an approval; no two alike."""
    return Transfer(to_address=RECEIVER, symbol="BNB", amount=next(_amounts))


def opened(client: Asking, message: Transfer) -> ApprovalRequiredError:
    with pytest.raises(ApprovalRequiredError) as caught:
        client.broadcast(WALLET, message)
    return caught.value


@pytest.mark.parametrize("way", WAYS)
def test_others_agree_and_the_same_request_goes_through_once(desk: Desk, ask: Ask, way: str) -> None:
    client, ann, message = ask(CALLERS[way]), ask(person("ann")), large()
    before = len(desk.world.node.chain.executed)
    pending = opened(client, message).pending
    assert (pending.needed, pending.given) == (1, 0)
    assert set(pending.of) == {"user:ann", "user:bob"}
    assert pending.expires_at > datetime.now(UTC)
    assert pending.decision is not None
    assert pending.decision.rule == "large"
    seen = next(each for each in ann.approvals() if each.id == pending.id)
    assert (seen.status, seen.may_approve) == ("open", True)
    assert seen.request.operation == "transfer.broadcast"
    assert Decimal(seen.request.items[0]["amount"]) == message.amount
    with pytest.raises(ApprovalTimeoutError):
        client.wait_for_approval(pending, deadline_seconds=0)
    voted = ann.approve(pending.id, comment="called back")
    assert (voted.status, voted.votes[0].by, voted.votes[0].approve) == ("granted", "user:ann", True)
    granted = client.wait_for_approval(pending)
    assert (granted.id, granted.status) == (pending.id, "granted")
    assert len(desk.world.node.chain.executed) == before
    sent = client.broadcast(WALLET, message, approval=granted.id)
    assert sent.decision.rule == "large"
    assert desk.world.node.chain.executed[-1].transaction_hash == sent.hash
    with pytest.raises(ApprovalNotGrantedError):
        client.broadcast(WALLET, message, approval=granted.id)
    with pytest.raises(ApprovalNotGrantedError):
        client.wait_for_approval(pending.id)
    assert len(desk.world.node.chain.executed) == before + 1
    with pytest.raises(ConflictError) as closed:
        ask(person("bob")).approve(pending.id)
    assert closed.value.code == "approval_closed"


@pytest.mark.parametrize("way", WAYS)
def test_complete_waits_and_asks_again(desk: Desk, ask: Ask, kind: str, way: str) -> None:
    client = ask(CALLERS[way])
    error = opened(client, large())

    def agree() -> None:
        with asking(kind, desk.url, person("bob")) as bob:
            # Only once the requester has looked, and found it open: it has to be awaited.
            wait_until(lambda: len(desk.world.records()) > seen + 1, "somebody looks")
            bob.approve(error.approval_id)

    seen = len(desk.world.records())
    voter = threading.Thread(target=agree)
    voter.start()
    try:
        sent = client.complete(error, deadline_seconds=PATIENCE_SECONDS, poll_seconds=0.05)
    finally:
        voter.join()
    assert desk.world.node.chain.executed[-1].transaction_hash == sent.hash


def test_a_no_ends_the_waiting(ask: Ask) -> None:
    client = ask(CALLERS["hmac"])
    error = opened(client, large())
    ask(person("bob")).reject(error.approval_id, comment="not ours")
    with pytest.raises(ApprovalNotGrantedError, match="rejected by user:bob"):
        client.complete(error)


def test_a_withdrawal_waits_at_an_exchange_too(desk: Desk, ask: Ask) -> None:
    """202 where an exchange is expected to answer has other members beside ours."""
    client = ask(CALLERS["hmac"])
    with pytest.raises(ApprovalRequiredError) as caught:
        client.forward(EXCHANGE, "POST", "/sapi/v1/capital/withdraw/apply", WITHDRAWAL)
    ask(person("ann")).approve(caught.value.pending.id)
    answer = client.complete(caught.value.pending)
    assert answer.status == 200
    assert desk.server.exchange.received[-1].meant == WITHDRAWAL


@pytest.mark.parametrize("way", ["token", "hmac", "open_api"])
def test_a_suspension_stops_a_caller_at_once(ask: Ask, way: str) -> None:
    client, olga = ask(CALLERS[way]), ask(person("olga"))
    of = "user" if way == "token" else "client"
    assert client.check().name == NAMES[way]
    suspended = olga.suspend(of, NAMES[way], reason="its key is in a leaked backup")
    assert (suspended.changed, suspended.kind, suspended.name) == (True, of, NAMES[way])
    try:
        assert not olga.suspend(of, NAMES[way], reason="its key is in a leaked backup").changed
        assert NAMES[way] in [each.name for each in olga.suspensions()]
        with pytest.raises(SuspendedError):
            client.sign_freeze(WALLET, symbol="BNB", amount=1)
    finally:
        resumed = olga.resume(of, NAMES[way])
    assert resumed.changed
    client.sign_freeze(WALLET, symbol="BNB", amount=1)
    with pytest.raises(NotAllowedError):
        client.suspensions()


def test_everything_is_suspended_and_resumed(ask: Ask) -> None:
    olga = ask(person("olga"))
    assert olga.suspend("all", reason="drill").kind == "all"
    try:
        with pytest.raises(SuspendedError):
            ask(CALLERS["hmac"]).wallets()
    finally:
        assert olga.resume("all").changed
    assert ask(CALLERS["hmac"]).wallets()


@pytest.mark.parametrize("way", WAYS)
def test_policy_explains_itself(ask: Ask, way: str) -> None:
    client = ask(CALLERS[way])
    item = {"amount": "11", "symbol": "BNB", "to_address": RECEIVER}
    told = client.explain(f"wallet:{WALLET}", "transfer.broadcast", item=item)
    assert (told.decision.allowed, told.decision.rule) == (True, "large")
    assert told.decision.approvals["count"] == 1
    assert [rule.rule for rule in told.rules if rule.matched] == ["large"]
    assert told.permission.there
    request = {"method": "POST", "path": "/api/v3/order", "params": {**ORDER, "symbol": "DOGEUSDT"}}
    denied = client.explain(f"exchange:{EXCHANGE}", request=request)
    assert (denied.operation, denied.decision.allowed) == ("exchange.order", False)
    assert denied.items[0]["symbol"] == "DOGEUSDT"


def test_the_record_is_read(ask: Ask) -> None:
    signed = ask(CALLERS["hmac"]).sign_freeze(WALLET, symbol="BNB", amount=2)
    for name in ("kim", "olga"):
        reviewer = ask(person(name))
        summary = reviewer.audit_summary(since=datetime.now(UTC) - timedelta(hours=1), buckets=2)
        assert len(summary.buckets) == 2
        assert summary.by.operation["freeze.sign"] > 0
        page = reviewer.audit_records(request_id=signed.request_id)
        assert [record["kind"] for record in page.records] == ["outcome", "intent"]
        assert (page.next, page.unreadable) == (None, 0)
        first = reviewer.audit_records(latest=1, principal="client:bot-hmac", operation="freeze.*")
        second = reviewer.audit_records(
            latest=1, before=first.next, principal="client:bot-hmac", operation="freeze.*"
        )
        assert first.records[0]["seq"] > second.records[0]["seq"]
        proved = reviewer.audit_record(signed.decision.chain, signed.decision.seq)
        assert proved.record["request_id"] == signed.request_id
        assert f'"seq":{signed.decision.seq}' in proved.line
        assert any(
            chain.chain == signed.decision.chain and chain.own for chain in reviewer.audit_chains().chains
        )
        assert any(limit.rule == "small" for limit in reviewer.limits().limits)
        rows = list(reviewer.audit_csv(request_id=signed.request_id))
        assert rows[0].startswith("time,chain,seq,kind,request_id")
        assert [signed.request_id in row for row in rows[1:]] == [True, True]
    with pytest.raises(NotAllowedError):
        ask(CALLERS["hmac"]).audit_records()
    with pytest.raises(NotAllowedError):
        list(ask(CALLERS["hmac"]).audit_csv())


@contextmanager
def signing(desk: Desk) -> Iterator[None]:
    """Somebody signs, again and again."""
    stop = threading.Event()

    def sign() -> None:
        with SigningClient(desk.url, CALLERS["ed25519"]) as client:
            while not stop.wait(0.05):
                client.sign_freeze(WALLET, symbol="BNB", amount=3)

    signer = threading.Thread(target=sign)
    signer.start()
    try:
        yield
    finally:
        stop.set()
        signer.join()


def _is_freeze(record: Mapping[str, Any]) -> bool:
    return bool(record["operation"] == "freeze.sign" and record["principal"]["name"] == "bot-ed25519")


def test_records_come_while_they_are_written(desk: Desk) -> None:
    with SigningClient(desk.url, person("kim")) as reviewer, signing(desk):
        live = reviewer.audit_live()
        assert next(record for record in live if _is_freeze(record))["kind"] in ("intent", "outcome")
        live.close()


async def test_records_come_to_an_event_loop_too(desk: Desk) -> None:
    async with AsyncSigningClient(desk.url, person("kim")) as reviewer:
        with signing(desk):
            async with aclosing(reviewer.audit_live()) as live:
                async for record in live:
                    if _is_freeze(record):
                        break
        assert record["kind"] in ("intent", "outcome")
