"""Everybody may ask about their own requests, operators about anybody's; nothing is done, and nothing is guessed."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS, until
from tests.unit.signing.desks import CONFIG, PAYMENT, Desks, open_desks
from vaultsigner import policy
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.endpoint import Endpoint
from vaultsigner.formats.exchange.items import read_items
from vaultsigner.formats.exchange.meaning import meaning_of
from vaultsigner.formats.exchange.parameter_names import FIELD_OF
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.sign_only import read_sign_only
from vaultsigner.formats.exchange.table import ALL
from vaultsigner.policy import PolicySet
from vaultsigner.policy.facts import Facts, Unmet
from vaultsigner.policy.fields import FIELDS
from vaultsigner.signing.described import note_on_fields
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
EXCHANGE_RULES = """\
version: 1
rules:
  - id: small-orders
    effect: allow
    operations: [exchange.order]
    when: {notional: {max: "1000"}}
  - id: looking
    effect: allow
    operations: [exchange.query]
"""
WITH_EXCHANGES = f"""{CONFIG}    exchanges: [main]
exchanges:
  - name: main
    base_url: https://api.binance.com
    api_key: vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv
    scheme: hmac
    secret: vault:secret/exchanges/main#secret
  - name: other
    base_url: https://fapi.binance.com
    api_key: another-one
    scheme: hmac
    secret: vault:secret/exchanges/other#secret
"""
ORDER_QUERY = "symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=100"
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
    odd = {"operation": "exchange.order", "target": "wallet:hot", "item": {}}
    assert (await explain(desks, policies, odd))["permission"] is None


@pytest.fixture
async def traders(tmp_path: Path) -> AsyncIterator[Desks]:
    async with open_desks(tmp_path, WITH_EXCHANGES) as opened:
        yield opened


@pytest.fixture
def exchange_policies(tmp_path: Path) -> PolicySet:
    directory = tmp_path / "exchange-policies"
    directory.mkdir()
    (directory / "rules.yml").write_text(EXCHANGE_RULES)
    return policy.load(directory)


async def test_whether_the_callers_list_has_the_exchange_is_told(traders: Desks, policies: PolicySet) -> None:
    asked = {"operation": "exchange.order", "target": "exchange:main"}
    assert (await explain(traders, policies, asked, "user:sam"))["permission"] == {
        "needed": "exchanges",
        "there": False,
        "why": "User may not use exchange main: it is not in the list exchanges of config.yml",
    }
    assert (await explain(traders, policies, asked, "client:bot-1"))["permission"]["there"] is True


def order(path: str, query: str) -> dict[str, Any]:
    return {"method": "POST", "path": path, "query": query}


REQUESTS: list[tuple[dict[str, Any], tuple[str, object, str]]] = [
    (order("/api/v3/order", ORDER_QUERY), ("exchange.order", "100", "allow")),
    (
        order("/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=10&quantity=3"),
        ("exchange.order", None, "allow"),
    ),
    (
        order("/api/v3/order", "symbol=BTCUSDT&side=BUY&type=MARKET&price=10&quantity=3"),
        ("exchange.order", "unknown", "deny"),
    ),
    (
        order("/dapi/v1/order", "symbol=BTCUSD_PERP&side=BUY&type=LIMIT&timeInForce=GTC&price=10&quantity=3"),
        ("exchange.order", "unknown", "deny"),
    ),
    (order("/api/v3/order", f"{ORDER_QUERY}&surprise=1"), ("exchange.other", None, "deny")),
    ({"method": "GET", "path": "/api/v3/account"}, ("exchange.query", None, "allow")),
    ({"ws": "session.logon", "params": {}}, ("exchange.other", None, "deny")),
]


@pytest.mark.parametrize(("request_", "expected"), REQUESTS)
async def test_a_request_to_an_exchange_means_what_it_means_when_it_is_sent(
    traders: Desks,
    exchange_policies: PolicySet,
    request_: dict[str, Any],
    expected: tuple[str, object, str],
) -> None:
    sent = read_sign_only(json.dumps(request_).encode())
    assert isinstance(sent, ExchangeRequest)
    asked = {"target": "exchange:main", "request": request_}
    told = await explain(traders, exchange_policies, asked, "client:bot-1")
    meaning = meaning_of(sent)
    assert (told["operation"], told["items"]) == (meaning.operation, [dict(item) for item in meaning.items])
    notional = told["items"][0].get("notional")
    assert (told["operation"], notional, told["decision"]["effect"]) == expected


async def test_a_signature_that_would_not_be_handed_out_is_noted(
    traders: Desks, exchange_policies: PolicySet
) -> None:
    withdrawal = {
        "method": "GET",
        "path": "/api/v3/account",
        "params": {"coin": "BTC", "address": "X", "amount": "1"},
    }
    asked = {"target": "exchange:main", "request": withdrawal}
    told = await explain(traders, exchange_policies, asked, "client:bot-1")
    assert told["decision"]["effect"] == "allow"
    assert "Signed for the caller to send instead of forwarded, it is refused" in told["note"]
    plain = {"target": "exchange:main", "request": {"method": "GET", "path": "/api/v3/account"}}
    assert (await explain(traders, exchange_policies, plain, "client:bot-1"))["note"] is None


async def test_what_is_public_needs_no_policy(traders: Desks, exchange_policies: PolicySet) -> None:
    asked = {"target": "exchange:main", "request": {"method": "GET", "path": "/api/v3/depth"}}
    assert (await explain(traders, exchange_policies, asked))["note"].startswith("Forwarded, it needs no")


@pytest.mark.parametrize(
    ("item", "noted"),
    [
        ({"symbol": "BTCUSDT", "quote_quantity": "100"}, "written by hand"),
        (
            {"price": "10", "quantity": "3", "type": "MARKET"},
            "The notional is taken for price times quantity",
        ),
        ({"order_type": "MARKET"}, "No request is exchange.order and has order_type."),
    ],
)
async def test_fields_written_by_hand_are_not_taken_for_a_real_request(
    traders: Desks, exchange_policies: PolicySet, item: dict[str, str], noted: str
) -> None:
    asked = {"operation": "exchange.order", "target": "exchange:main", "item": item}
    told = await explain(traders, exchange_policies, asked, "client:bot-1")
    assert "by the member request" in told["note"]
    assert noted in told["note"]


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_no_field_that_the_decoder_finds_is_called_strange(row: Endpoint) -> None:
    legs = {name: field for leg in row.legs for name, field in {**leg.shared, **leg.fields}.items()}
    values = {name: "1" for name in {**row.fields, **legs} if name != row.batch}
    for field, value in (("positionSide", "LONG"), ("marginType", "CROSSED"), ("reduceOnly", "true")):
        if field in values:
            values[field] = value
    items = read_items(row, values) or ()
    fields = {name for item in items for name in item if name != "parameters"}
    note = note_on_fields(Intent(row.operation, "exchange:main", (dict.fromkeys(fields, "1"),)))
    assert note is not None
    assert "No request is" not in note


@pytest.mark.parametrize(("parameter", "field"), FIELD_OF.items())
async def test_an_exchanges_own_names_lead_to_ours(
    traders: Desks, exchange_policies: PolicySet, parameter: str, field: str
) -> None:
    for name in {parameter, parameter.upper()} - FIELDS.keys():
        asked = {"operation": "exchange.order", "target": "exchange:main", "item": {name: "1"}}
        refusal = await explain(traders, exchange_policies, asked, "client:bot-1")
        assert refusal.message == f"item: no field has this name; did you mean {field}?"


async def test_of_a_name_like_no_other_all_fields_are_told(
    traders: Desks, exchange_policies: PolicySet
) -> None:
    asked = {"operation": "exchange.order", "target": "exchange:main", "item": {"zzz": "1"}}
    refusal = await explain(traders, exchange_policies, asked, "client:bot-1")
    assert all(field in refusal.message for field in FIELDS)


@pytest.mark.parametrize(
    ("document", "where", "said"),
    [
        ({"operation": "exchange.order"}, "operation", "keep one of them"),
        ({"item": {}}, "item", "keep one of them"),
        ({"items": [{}]}, "items", "keep one of them"),
        ({"memo": "x"}, "memo", "keep one of them"),
        ({"target": "wallet:hot"}, "target", "write exchange:NAME"),
        ({"target": "exchange:mian"}, "target", "did you mean main?"),
        ({"target": "open_api:app"}, "target", "no app of the Open API"),
        ({"request": "GET /api/v3/account"}, "request", "write a JSON object"),
        ({"request": {"method": "GET"}}, "request.path", "field required"),
        ({"request": {"method": "GET", "pth": "/a"}}, "request.pth", "write path"),
        (
            {"request": {"method": "GET", "path": "/a", "params": {"signature": "x"}}},
            "request.params.signature",
            "",
        ),
    ],
)
async def test_what_contradicts_a_request_or_is_none_is_told_with_its_place(
    traders: Desks, exchange_policies: PolicySet, document: dict[str, Any], where: str, said: str
) -> None:
    asked = {"target": "exchange:main", "request": REQUESTS[0][0], **document}
    refusal = await explain(traders, exchange_policies, asked, "client:bot-1")
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.message.partition(": ")[0]) == ("invalid_fields", where)
    assert said in refusal.message
    assert isinstance(refusal.detail, list)
    assert isinstance(refusal.detail[0], dict)
    assert refusal.detail[0]["loc"] == ["body", *where.split(".")]


async def test_a_query_that_cannot_be_read_is_told(traders: Desks, exchange_policies: PolicySet) -> None:
    asked = {"target": "exchange:main", "request": order("/api/v3/order", "symbol=%zz")}
    refusal = await explain(traders, exchange_policies, asked, "client:bot-1")
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.message.partition(": ")[0]) == ("malformed_parameters", "request")


async def test_names_of_others_exchanges_are_not_told(traders: Desks, exchange_policies: PolicySet) -> None:
    asked = {"target": "exchange:othr", "request": REQUESTS[0][0]}
    refusal = await explain(traders, exchange_policies, asked, "client:bot-1")
    assert "other" not in refusal.message


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
