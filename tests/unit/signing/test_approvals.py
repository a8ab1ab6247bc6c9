"""An approval is good once, for the very request that it was asked for, by whoever asked, under the rule as it was."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.signing.desks import PAYMENT, TRANSFER, TWO_OF_THREE, Desks
from vaultsigner.dev.records import read_records
from vaultsigner.domain.decisions import Approvals as Wanted
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import JsonValue, Operation
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import StateError
from vaultsigner.signing.approval_refusals import not_granted
from vaultsigner.signing.approvals import MOST_WAITING, intent_digest
from vaultsigner.signing.calls import Answer
from vaultsigner.state import ApprovalRefused, ApprovalUse, Count, NotCounted, Suspension


async def ask(desks: Desks, who: str = "user:sam", intent: Intent = TRANSFER) -> dict[str, Any]:
    answer = await desks.approvals.ask(desks.request(who, intent), desks.decision)
    assert isinstance(answer, Answer)
    assert answer.code == "approval_required"
    assert isinstance(answer.body, dict)
    found: Any = answer.body
    return dict(found)


async def vote(
    desks: Desks, who: str, approval_id: str, *, approve: bool = True, document: object = None
) -> Any:
    return await desks.approvals.decide(
        desks.trail(who, document), desks.caller(who), approval_id, approve=approve
    )


async def granted(desks: Desks) -> str:
    approval_id: str = (await ask(desks))["approval"]["id"]
    for who in ("user:ann", "user:bob"):
        await vote(desks, who, approval_id)
    return approval_id


async def use(
    desks: Desks,
    approval_id: str,
    *,
    who: str = "user:sam",
    intent: Intent = TRANSFER,
    decision: Decision | None = None,
) -> NotCounted | Refusal | None:
    wanted = desks.approvals.use(desks.request(who, intent, approval=approval_id), decision or desks.decision)
    if isinstance(wanted, Refusal):
        return wanted
    assert isinstance(wanted, ApprovalUse)
    return await desks.state.count(Count(approval=wanted), now_ms=desks.clock.milliseconds())


def why(refused: object) -> ApprovalRefused | None:
    assert isinstance(refused, NotCounted)
    return refused.approval


async def test_asking_tells_what_to_do(desks: Desks) -> None:
    told = await ask(desks)
    approval = told["approval"]
    assert told["code"] == "approval_required"
    assert told["request_id"].startswith("r")
    assert f"X-Vaultsigner-Approval: {approval['id']}" in told["message"]
    assert approval == {
        "id": approval["id"],
        "needed": 2,
        "given": 0,
        "of": ["user:ann", "user:bob", "user:eve"],
        "expires_at": "2026-09-21T15:13:20.000Z",
    }
    assert len(approval["id"]) == 32


async def test_asking_is_on_the_record_with_the_intent(desks: Desks) -> None:
    told = await ask(desks)
    found = [
        each
        for each in read_records(desks.directory / "audit")
        if each.get("request_id") == told["request_id"]
    ]
    assert [(each["kind"], each.get("code"), each.get("status")) for each in found] == [
        ("intent", None, None),
        ("outcome", "approval_required", 202),
    ]
    assert told["approval"]["id"] in found[1]["reason"]


async def test_asking_again_for_the_same_is_the_same_approval(desks: Desks) -> None:
    first = await ask(desks)
    await vote(desks, "user:ann", first["approval"]["id"])
    again = await ask(desks)
    assert again["approval"]["id"] == first["approval"]["id"]
    assert again["approval"]["given"] == 1
    assert (await ask(desks, "client:bot-1"))["approval"]["id"] != first["approval"]["id"]


async def test_enough_votes_make_it_good_once(desks: Desks) -> None:
    approval_id: str = (await ask(desks))["approval"]["id"]
    assert why(await use(desks, approval_id)) == ApprovalRefused.OPEN
    assert (await vote(desks, "user:ann", approval_id))["status"] == "open"
    assert why(await use(desks, approval_id)) == ApprovalRefused.OPEN
    assert (await vote(desks, "user:bob", approval_id))["status"] == "granted"
    assert await use(desks, approval_id) is None
    assert why(await use(desks, approval_id)) == ApprovalRefused.USED


OTHERS = {
    "another amount": replace(TRANSFER, items=({**PAYMENT, "amount": "250.00000001"},)),
    "another receiver": replace(TRANSFER, items=({**PAYMENT, "to_address": "tbnb1other"},)),
    "one payment more": replace(TRANSFER, items=(PAYMENT, PAYMENT)),
    "one payment less": replace(TRANSFER, items=()),
    "another memo": replace(TRANSFER, memo="invoice 43"),
    "no memo": replace(TRANSFER, memo=""),
    "another wallet": replace(TRANSFER, target="wallet:cold"),
    "signing, not sending": replace(TRANSFER, operation=Operation("transfer.sign")),
    "a number for a text": replace(TRANSFER, items=({**PAYMENT, "amount": 250},)),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
async def test_it_is_good_for_nothing_else(desks: Desks, other: Intent) -> None:
    approval_id = await granted(desks)
    assert why(await use(desks, approval_id, intent=other)) == ApprovalRefused.OTHER
    assert await use(desks, approval_id) is None


async def test_somebody_elses_approval_is_of_no_use(desks: Desks) -> None:
    approval_id = await granted(desks)
    for thief in ("user:olga", "user:ann", "client:bot-1"):
        assert why(await use(desks, approval_id, who=thief)) == ApprovalRefused.OTHER


@pytest.mark.parametrize(
    "change",
    [
        {"rule": "larger"},
        {"approvals": replace(TWO_OF_THREE, count=3)},
        {"approvals": replace(TWO_OF_THREE, of=("user:ann", "user:eve"))},
    ],
)
async def test_what_was_granted_under_another_rule_is_of_no_use(desks: Desks, change: dict[str, Any]) -> None:
    approval_id = await granted(desks)
    stricter = replace(desks.decision, **change)
    assert why(await use(desks, approval_id, decision=stricter)) == ApprovalRefused.OTHER


async def test_a_new_policy_with_the_same_rule_leaves_it_good(desks: Desks) -> None:
    approval_id = await granted(desks)
    assert await use(desks, approval_id, decision=replace(desks.decision, policy="sha256:bb")) is None


async def test_time_ends_it(desks: Desks) -> None:
    approval_id = await granted(desks)
    desks.clock.now_ms += 3_600_000
    assert why(await use(desks, approval_id)) == ApprovalRefused.EXPIRED
    shown: Any = await desks.approvals.shown(desks.caller("user:ann"), approval_id)
    assert (shown["status"], shown["may_approve"], shown["may_reject"]) == ("expired", False, False)
    refusal = await vote(desks, "user:eve", approval_id)
    assert (refusal.code, "expired" in refusal.message) == ("approval_closed", True)
    assert (await ask(desks))["approval"]["id"] != approval_id


@pytest.mark.parametrize("look", ["shown", "vote", "list", "ask", "use"])
async def test_once_it_was_seen_to_be_over_no_clock_brings_it_back(desks: Desks, look: str) -> None:
    approval_id = await granted(desks)
    desks.clock.now_ms += 3_600_000
    if look == "shown":
        await desks.approvals.shown(desks.caller("user:ann"), approval_id)
    elif look == "vote":
        await vote(desks, "user:eve", approval_id)
    elif look == "list":
        await desks.approvals.listed(desks.caller("user:eve"))
    elif look == "ask":
        await ask(desks, "user:ann", replace(TRANSFER, memo="something else"))
    else:
        await use(desks, approval_id)
    desks.clock.now_ms -= 3_600_000
    assert why(await use(desks, approval_id)) == ApprovalRefused.EXPIRED
    shown: Any = await desks.approvals.shown(desks.caller("user:ann"), approval_id)
    assert shown["status"] == "expired"
    assert (await vote(desks, "user:eve", approval_id)).code == "approval_closed"
    assert (await ask(desks))["approval"]["id"] != approval_id


@pytest.mark.parametrize("named", ["", "x", "0" * 31, "G" * 32, "0" * 33, "0" * 32 + "\n", "'; DROP", "\0"])
async def test_what_is_no_id_never_reaches_state(
    desks: Desks, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_approval(_approval_id: str) -> None:
        raise StateError("PostgreSQL takes no NUL in a text")

    monkeypatch.setattr(desks.state, "approval", no_approval)
    refusal = await use(desks, named)
    assert isinstance(refusal, Refusal)
    assert refusal == not_granted(ApprovalRefused.OTHER)
    assert await desks.approvals.shown(desks.caller("user:ann"), named) == await vote(
        desks, "user:ann", named
    )


async def suspend(desks: Desks, name: str) -> None:
    """At the state alone: this process has not looked since."""
    await desks.state.suspend(
        Suspension("user", name, "a token leaked", "user:olga", desks.clock.milliseconds())
    )


async def test_the_yes_of_somebody_suspended_since_does_not_count(desks: Desks) -> None:
    approval_id = await granted(desks)
    await suspend(desks, "ann")
    assert why(await use(desks, approval_id)) == ApprovalRefused.OPEN
    shown: Any = await desks.approvals.shown(desks.caller("user:eve"), approval_id)
    assert (shown["status"], shown["given"], shown["may_approve"]) == ("open", 1, True)
    assert [each["by"] for each in shown["votes"]] == ["user:ann", "user:bob"]
    asked = (await ask(desks))["approval"]
    assert (asked["id"], asked["given"]) == (approval_id, 1)
    await desks.state.resume("user", "ann")
    assert await use(desks, approval_id) is None


async def test_somebody_else_may_say_yes_in_their_place(desks: Desks) -> None:
    approval_id = await granted(desks)
    assert (await vote(desks, "user:eve", approval_id)).code == "approval_closed", "two are enough"
    await suspend(desks, "ann")
    told = await vote(desks, "user:eve", approval_id)
    assert (told["status"], told["given"]) == ("granted", 2)
    assert await use(desks, approval_id) is None


async def test_where_no_approval_is_wanted_none_is_used_up(desks: Desks) -> None:
    approval_id = await granted(desks)
    free = replace(desks.decision, approvals=None)
    request = desks.request("user:sam", approval=approval_id)
    assert desks.approvals.use(request, free) is None
    assert not desks.approvals.wanted(request, free)
    assert not desks.approvals.wanted(request, desks.decision)
    assert desks.approvals.wanted(desks.request("user:sam"), desks.decision)
    assert await use(desks, approval_id) is None


async def test_nobody_decides_on_what_they_asked_for(desks: Desks) -> None:
    approval_id: str = (await ask(desks, "user:ann"))["approval"]["id"]
    for approve in (True, False):
        refusal = await vote(desks, "user:ann", approval_id, approve=approve)
        assert (refusal.code, "themselves" in refusal.message) == ("no_permission", True)
    assert desks.records("approval") == []
    shown: Any = await desks.approvals.shown(desks.caller("user:ann"), approval_id)
    assert (shown["given"], shown["may_approve"], shown["may_reject"]) == (0, False, False)


@pytest.mark.parametrize("who", ["user:olga", "client:bot-1"])
async def test_who_is_not_named_by_the_rule_has_no_vote_and_others_but_reviewers_see_nothing(
    desks: Desks, who: str
) -> None:
    approval_id: str = (await ask(desks))["approval"]["id"]
    unknown = await vote(desks, who, "0" * 32)
    assert await vote(desks, who, approval_id) == unknown
    assert await vote(desks, who, approval_id, approve=False) == unknown
    assert unknown.code == "approval_not_found"
    listed: Any = await desks.approvals.listed(desks.caller(who))
    shown: Any = await desks.approvals.shown(desks.caller(who), approval_id)
    if who == "user:olga":  # an operator: who reviews sees all of them
        assert [each["id"] for each in listed["approvals"]] == [shown["id"]] == [approval_id]
        assert (shown["may_approve"], shown["may_reject"]) == (False, False)
    else:
        assert (listed, shown) == ({"approvals": []}, unknown)
    assert desks.records("approval") == []


async def test_the_requester_sees_it_and_has_no_vote(desks: Desks) -> None:
    approval_id: str = (await ask(desks))["approval"]["id"]
    shown: Any = await desks.approvals.shown(desks.caller("user:sam"), approval_id)
    assert (shown["may_approve"], shown["may_reject"]) == (False, False)
    assert (await vote(desks, "user:sam", approval_id)).code == "no_permission"


async def test_one_person_has_one_vote(desks: Desks) -> None:
    approval_id: str = (await ask(desks))["approval"]["id"]
    await vote(desks, "user:ann", approval_id)
    again = await vote(desks, "user:ann", approval_id)
    assert (again.code, "already" in again.message) == ("approval_closed", True)
    assert why(await use(desks, approval_id)) == ApprovalRefused.OPEN


async def test_one_no_ends_it_even_when_it_was_granted(desks: Desks) -> None:
    approval_id = await granted(desks)
    shown: Any = await desks.approvals.shown(desks.caller("user:eve"), approval_id)
    assert (shown["may_approve"], shown["may_reject"]) == (False, True)
    assert (await vote(desks, "user:eve", approval_id, approve=False))["status"] == "rejected"
    assert why(await use(desks, approval_id)) == ApprovalRefused.REJECTED
    assert (await ask(desks))["approval"]["id"] != approval_id


async def test_those_who_decide_see_everything_that_would_be_signed(desks: Desks) -> None:
    approval_id: str = (await ask(desks))["approval"]["id"]
    listed: Any = await desks.approvals.listed(desks.caller("user:ann"))
    [shown] = listed["approvals"]
    assert shown == await desks.approvals.shown(desks.caller("user:ann"), approval_id)
    assert shown["request"] == {
        "operation": "transfer.broadcast",
        "target": "wallet:hot",
        "items": [PAYMENT],
        "memo": "invoice 42",
        "ip": "10.0.0.7",
        "asked_at": "2026-09-21T14:13:20.000Z",
    }
    assert (shown["requested_by"], shown["rule"], shown["policy"]) == ("user:sam", "large", "sha256:aa")
    assert (shown["may_approve"], shown["may_reject"], shown["votes"]) == (True, True, [])


async def test_a_vote_is_on_the_record_with_its_comment(desks: Desks) -> None:
    approval_id: str = (await ask(desks))["approval"]["id"]
    await vote(desks, "user:ann", approval_id, document={"comment": "called back"})
    await vote(desks, "user:bob", approval_id, approve=False)
    first, second = desks.records("approval")
    assert (first["id"], first["by"], first["vote"], first["comment"]) == (
        approval_id,
        "user:ann",
        "approve",
        "called back",
    )
    assert (second["by"], second["vote"], second["comment"]) == ("user:bob", "reject", None)
    digest = intent_digest(TRANSFER, "large", TWO_OF_THREE)
    assert (first["intent_sha256"], first["requested_by"]) == (digest.hex(), "user:sam")


@pytest.mark.parametrize("document", [{"comment": 1}, {"coment": "x"}, [], {"comment": "a\0b"}])
async def test_a_body_that_is_not_understood_is_no_vote(desks: Desks, document: object) -> None:
    approval_id: str = (await ask(desks))["approval"]["id"]
    refusal = await vote(desks, "user:ann", approval_id, document=document)
    assert refusal.code == "invalid_fields"
    shown: Any = await desks.approvals.shown(desks.caller("user:ann"), approval_id)
    assert shown["votes"] == []


async def test_nobody_buries_the_others_requests(desks: Desks) -> None:
    for number in range(MOST_WAITING):
        await ask(desks, intent=replace(TRANSFER, memo=str(number)))
    one_more = desks.request("user:sam", replace(TRANSFER, memo="one more"))
    refusal = await desks.approvals.ask(one_more, desks.decision)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "rate_limited"
    assert (await ask(desks, intent=replace(TRANSFER, memo="7")))["approval"]["given"] == 0
    assert (await ask(desks, "client:bot-1"))["approval"]["given"] == 0


def test_a_digest_does_not_hang_on_the_order_of_members() -> None:
    turned = replace(TRANSFER, items=(dict(reversed(PAYMENT.items())),))
    assert intent_digest(turned, "large", TWO_OF_THREE) == intent_digest(TRANSFER, "large", TWO_OF_THREE)
    assert intent_digest(TRANSFER, None, TWO_OF_THREE) != intent_digest(TRANSFER, "None", TWO_OF_THREE)
    assert intent_digest(TRANSFER, "large", Wanted(2, ("user:a", "user:b"), 1)) != intent_digest(
        TRANSFER, "large", Wanted(2, ("user:a,user:b",), 1)
    )


def test_the_name_that_a_library_makes_up_for_an_order_is_not_what_is_approved() -> None:
    def order(**more: str) -> Intent:
        item: dict[str, JsonValue] = {"symbol": "BTCUSDT", "quantity": "1", **more}
        return Intent(Operation("exchange.order"), "exchange:binance-main", (item,))

    first = intent_digest(order(client_order_id="x-1"), "large", TWO_OF_THREE)
    assert first == intent_digest(order(client_order_id="x-2"), "large", TWO_OF_THREE)
    assert first != intent_digest(order(client_order_id="x-1", price="1"), "large", TWO_OF_THREE)
