"""Everybody may ask about their own requests, operators about anybody's; nothing is done, and nothing is guessed."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS, until
from tests.unit.signing.desks import PAYMENT, Desks
from vaultsigner import policy
from vaultsigner.domain.refusals import Refusal
from vaultsigner.policy import PolicySet
from vaultsigner.policy.facts import Facts, Unmet
from vaultsigner.signing.explaining import BUSY, MOST_WAITING

RULES = """\
version: 1
groups: {risk: [user:ann, user:bob]}
rules:
  - id: small
    effect: allow
    principals: [user:sam]
    operations: [transfer.*]
    when: {amount: {max: "10"}, ip: {in: [10.0.0.0/8]}}
    limits: [{sum: amount, max: "1000", every: 24h}]
  - id: large
    effect: allow
    operations: [transfer.broadcast]
    when: {time: {days: mon-fri}}
    approvals: {count: 2, of: [group:risk], within: 1h}
  - id: no-bots
    effect: deny
    principals: [client:*]
    operations: [transfer.*]
    when: {memo: {equals: "secret"}}
"""
ASKED: dict[str, Any] = {"operation": "transfer.broadcast", "target": "wallet:hot", "item": PAYMENT}


@pytest.fixture
def policies(tmp_path: Path) -> PolicySet:
    directory = tmp_path / "policies"
    directory.mkdir()
    (directory / "rules.yml").write_text(RULES)
    return policy.load(directory)


async def explain(desks: Desks, policies: PolicySet, document: object, who: str = "user:sam") -> Any:
    return await desks.explaining.explain(desks.trail(who, document, policies=policies), desks.caller(who))


async def test_each_rule_says_whether_it_matches_and_why_not(desks: Desks, policies: PolicySet) -> None:
    told = await explain(desks, policies, ASKED)
    assert [(each["rule"], each["matched"]) for each in told["rules"]] == [
        ("small", False),
        ("large", True),
        ("no-bots", False),
    ]
    assert "amount" in told["rules"][0]["why"]
    assert all("place" not in each for each in told["rules"])
    assert told["decision"] == {
        "effect": "allow",
        "rule": "large",
        "policy": policies.digest,
        "reason": told["decision"]["reason"],
        "limits": [],
        "approvals": {"count": 2, "of": ["user:ann", "user:bob"], "within_seconds": 3600},
    }
    assert (told["principal"], told["ip"], told["at"]) == ("user:sam", "10.0.0.7", "2026-09-21T14:13:20Z")
    assert told["permission"]["there"] is True


async def test_circumstances_can_be_supposed(desks: Desks, policies: PolicySet) -> None:
    small = {**ASKED, "item": {**PAYMENT, "amount": "9.5"}}
    near = await explain(desks, policies, small)
    assert near["decision"]["rule"] == "small"
    assert near["decision"]["limits"] == [
        {
            "kind": "sum",
            "field": "amount",
            "max": "1000",
            "every_seconds": 86400,
            "per": "principal",
            "use": "9.5",
        }
    ]
    supposed = {**small, "ip": "192.0.2.1", "at": "2026-09-20T12:00:00+02:00"}
    far = await explain(desks, policies, supposed)
    assert (far["ip"], far["at"]) == ("192.0.2.1", "2026-09-20T10:00:00Z")
    assert (far["decision"]["effect"], far["decision"]["rule"]) == ("deny", None)


async def test_all_items_count(desks: Desks, policies: PolicySet) -> None:
    items = [{**PAYMENT, "amount": "9"}, {**PAYMENT, "amount": "11"}]
    document = {"operation": "transfer.sign", "target": "wallet:hot", "items": items}
    told = await explain(desks, policies, document)
    assert (told["items"], told["decision"]["effect"]) == (items, "deny")


async def test_others_requests_are_for_operators(desks: Desks, policies: PolicySet) -> None:
    document = {**ASKED, "principal": "client:bot-1", "memo": "secret"}
    for who in ("user:sam", "user:eve"):
        refusal = await explain(desks, policies, document, who)
        assert isinstance(refusal, Refusal)
        assert refusal.code == "no_permission"
    told = await explain(desks, policies, document, "user:olga")
    assert (told["principal"], told["decision"]["rule"]) == ("client:bot-1", "no-bots")
    assert told["rules"][2]["place"].endswith("rules.yml:15:5")
    own = await explain(desks, policies, document, "client:bot-1")
    assert own["decision"]["rule"] == "no-bots"


async def test_what_the_configuration_does_not_permit_is_told(desks: Desks, policies: PolicySet) -> None:
    document = {"operation": "order.sign", "target": "wallet:hot", "item": {}}
    told = await explain(desks, policies, document)
    assert told["permission"] == {
        "needed": "trade",
        "there": False,
        "why": "User has no permission trade on wallet hot",
    }
    exchange = {"operation": "exchange.order", "target": "exchange:main", "item": {}}
    assert (await explain(desks, policies, exchange))["permission"] == {
        "needed": "exchanges",
        "there": False,
        "why": "User may not use exchange main: it is not in the list exchanges of config.yml",
    }
    odd = {"operation": "exchange.order", "target": "wallet:hot", "item": {}}
    assert (await explain(desks, policies, odd))["permission"] is None


@pytest.mark.parametrize("wallet", ["cold", "nowhere"])
async def test_wallets_of_others_and_no_wallets_are_answered_alike(
    desks: Desks, policies: PolicySet, wallet: str
) -> None:
    refusal = await explain(desks, policies, {**ASKED, "target": f"wallet:{wallet}"})
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.message) == (
        "wallet_not_found",
        f"Not authorised to access wallet {wallet}",
    )


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"operation": None}, "operation"),
        ({"operation": "transfer.*"}, "operation"),
        ({"operation": "transfers.sign"}, "operation"),
        ({"target": None}, "target"),
        ({"target": "hot"}, "target"),
        ({"target": "wallet:*"}, "target"),
        ({"item": []}, "item"),
        ({"item": None, "items": []}, "items"),
        ({"items": [PAYMENT]}, "items"),
        ({"item": None, "items": [{}] * 101}, "items"),
        ({"item": {"ammount": "1"}}, "item"),
        ({"item": {"amount": 1.5}}, "item.amount"),
        ({"item": {"amount": {}}}, "item.amount"),
        ({"item": {"proposal_id": 10**40}}, "item.proposal_id"),
        ({"memo": 7}, "memo"),
        ({"memo": "x" * 501}, "memo"),
        ({"ip": "10.0.0"}, "ip"),
        ({"at": "2026-09-20"}, "at"),
        ({"at": "2026-09-20T12:00:00"}, "at"),
        ({"at": "0001-01-01T00:00:00+23:00"}, "at"),
        ({"wallet": "hot"}, "(unknown)"),
        ({"principal": "user:smith"}, "principal"),
        ({"principal": "group:risk"}, "principal"),
    ],
)
async def test_what_makes_no_sense_is_told_with_its_place(
    desks: Desks, policies: PolicySet, change: dict[str, Any], where: str
) -> None:
    refusal = await explain(desks, policies, {"principal": "user:sam", **ASKED, **change}, "user:olga")
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.message.partition(":")[0]) == ("invalid_fields", where)


@pytest.mark.parametrize(
    ("memo", "rule"), [("secret", "no-bots"), ("secret ", "large"), (" secret", "large")]
)
async def test_a_memo_is_taken_to_the_letter(desks: Desks, policies: PolicySet, memo: str, rule: str) -> None:
    told = await explain(desks, policies, {**ASKED, "memo": memo}, "client:bot-1")
    assert told["decision"]["rule"] == rule


async def test_whole_numbers_are_taken_as_they_are(desks: Desks, policies: PolicySet) -> None:
    document = {**ASKED, "operation": "vote.sign", "item": {"proposal_id": 370, "option": "Yes"}}
    told = await explain(desks, policies, document)
    assert told["items"] == [{"proposal_id": 370, "option": "Yes"}]


class Slow:
    """A condition that takes as long as a test wants."""

    field = "amount"

    def __init__(self) -> None:
        self.reached: list[None] = []
        self.go_on = threading.Event()

    def unmet(self, _facts: Facts) -> Unmet | None:
        """Holds, once it is let go on."""
        self.reached.append(None)
        in_time = self.go_on.wait(PATIENCE_SECONDS)
        self.go_on.set()
        assert in_time, "the service stood still meanwhile"
        return None


def slow_set(policies: PolicySet, slow: Slow) -> PolicySet:
    first, *others = policies.rules
    return PolicySet(policies.digest, (replace(first, conditions=(slow,)), *others))


async def test_a_long_explanation_keeps_nobody_else_waiting(desks: Desks, policies: PolicySet) -> None:
    slow = Slow()
    asked = asyncio.create_task(explain(desks, slow_set(policies, slow), ASKED))
    await until(lambda: slow.reached, "the slow condition")
    slow.go_on.set()  # which a loop that stood still could not do
    assert (await asked)["decision"]["effect"] == "allow"


async def test_one_explanation_is_made_at_a_time_and_few_wait(desks: Desks, policies: PolicySet) -> None:
    slow = Slow()
    set_of_slow = slow_set(policies, slow)
    asked = [asyncio.create_task(explain(desks, set_of_slow, ASKED)) for _ in range(MOST_WAITING)]
    await until(lambda: slow.reached, "the first of them")
    assert len(slow.reached) == 1
    assert await explain(desks, policies, ASKED) == BUSY
    slow.go_on.set()
    assert all(isinstance(told, dict) for told in await asyncio.gather(*asked))
    assert isinstance(await explain(desks, policies, ASKED), dict)
