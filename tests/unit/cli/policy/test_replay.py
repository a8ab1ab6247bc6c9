"""The record under other rules: what changes is found, what cannot be known is not pretended."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.policy_records import ALLOWED, DENIED, MOMENT, SAM, decided, transfer, write_records
from vaultsigner.audit.entries import IntentDecided
from vaultsigner.audit.files.reading import Unreadable, read_intents, record_files
from vaultsigner.cli.policy import replaying
from vaultsigner.cli.policy.recorded import RecordReader
from vaultsigner.cli.policy.replay_report import replay_document
from vaultsigner.cli.policy.replaying import ChangeKey, Replay
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import PolicySet, load

BOT = Principal("client", "bot-1", "hmac")
SMALL = '{id: small, effect: allow, operations: [transfer.*], when: {amount: {max: "10"}}}'


def rules(directory: Path, *texts: str) -> PolicySet:
    directory.mkdir(exist_ok=True)
    (directory / "new.yml").write_text("version: 1\nrules:\n" + "".join(f"  - {text}\n" for text in texts))
    return load(directory)


def replayed(tmp_path: Path, policies: PolicySet, *entries: IntentDecided, **options: Any) -> Replay:
    write_records(tmp_path / "audit", *entries)
    replay = Replay(policies, **options)
    for file in record_files(tmp_path / "audit"):
        for _, record in read_intents(file, Unreadable()):
            replay.take(record)
    return replay


def test_what_was_allowed_and_is_refused_is_told_with_the_reason(tmp_path: Path) -> None:
    policies = rules(tmp_path / "new", SMALL)
    replay = replayed(
        tmp_path, policies, decided(transfer("5")), decided(transfer("50")), decided(transfer("60"))
    )
    assert (replay.intents, replay.changed, replay.other_rule) == (3, 2, 1)
    ((key, change),) = replay.changes.items()
    assert key == ChangeKey("transfer.sign", "user:sam", "wallet:hot", "allow", "old", "deny", None)
    assert change.why == "rule small: amount is 50, not at most 10"
    assert (change.count, [place.seq for place in change.examples]) == (2, [2, 3])


def test_what_was_refused_and_is_allowed_is_told(tmp_path: Path) -> None:
    replay = replayed(tmp_path, rules(tmp_path / "new", SMALL), decided(transfer("5"), DENIED))
    ((key, _),) = replay.changes.items()
    assert (key.was, key.was_by, key.now, key.now_by) == ("deny", None, "allow", "small")


def test_the_rule_that_decided_then_is_asked_why_it_does_not_now(tmp_path: Path) -> None:
    policies = rules(tmp_path / "new", SMALL, "{id: old, effect: allow, when: {symbol: {equals: BUSD}}}")
    replay = replayed(tmp_path, policies, decided(transfer("50")))
    ((_, change),) = replay.changes.items()
    assert change.why == "rule old: symbol is BNB, not BUSD"


def test_every_payment_counts(tmp_path: Path) -> None:
    replay = replayed(tmp_path, rules(tmp_path / "new", SMALL), decided(transfer("5", "6", "50")))
    ((_, change),) = replay.changes.items()
    assert change.why == "rule small: item 3 of 3: amount is 50, not at most 10"


def test_the_address_and_the_time_are_those_of_the_record(tmp_path: Path) -> None:
    office = '{id: office, effect: allow, when: {ip: {in: [10.0.0.0/8]}, time: {days: fri, from: "10:00", to: "10:01"}}}'
    policies = rules(tmp_path / "new", office)
    replay = replayed(tmp_path, policies, decided(transfer("5")), decided(transfer("5"), ip="192.0.2.1"))
    assert replay.changed == 1
    late = Replay(policies)
    write_records(tmp_path / "later", decided(transfer("5")), at=MOMENT + timedelta(minutes=1))
    for file in record_files(tmp_path / "later"):
        assert all(late.take(record) for _, record in read_intents(file, Unreadable()))
    assert late.changed == 1


@pytest.mark.parametrize(
    ("memo", "rule", "changed"),
    [
        ("1234", '{id: r, effect: allow, when: {memo: {equals: "1234"}}}', 0),
        ("4321", '{id: r, effect: allow, when: {memo: {equals: "1234"}}}', 1),
        ("", '{id: r, effect: allow, when: {memo: {equals: "1234"}}}', 1),
        ("4321", '{id: r, effect: allow, when: {memo: {not_in: ["1234"]}}}', 0),
        ("1234", '{id: r, effect: allow, when: {memo: {not_in: ["1234"]}}}', 1),
    ],
)
def test_a_memo_is_decided_exactly_though_its_digest_alone_is_on_record(
    tmp_path: Path, memo: str, rule: str, changed: int
) -> None:
    policies = rules(tmp_path / "new", rule)
    replay = replayed(tmp_path, policies, decided(transfer("5", memo=memo)))
    assert replay.changed == changed
    assert policies.evaluate(SAM, transfer("5", memo=memo)).allowed is not bool(changed)


def test_limits_are_conditions_and_not_replayed(tmp_path: Path) -> None:
    limited = '{id: r, effect: allow, limits: [{count: 1, every: 24h}, {sum: amount, max: "10", every: 24h}]}'
    replay = replayed(tmp_path, rules(tmp_path / "new", limited), *[decided(transfer("6"))] * 5)
    assert replay.changed == 0
    assert replay.conditions["r"].count == 5


def test_a_request_over_a_limit_by_itself_would_be_refused(tmp_path: Path) -> None:
    limited = '{id: r, effect: allow, limits: [{sum: amount, max: "10", every: 24h}]}'
    replay = replayed(tmp_path, rules(tmp_path / "new", limited), decided(transfer("6", "6")))
    ((key, change),) = replay.changes.items()
    assert key.now == "over a limit"
    assert change.why == "rule r allows, but alone it is over limit 1 of that rule"


def test_the_limit_that_a_request_is_over_is_named_by_its_place(tmp_path: Path) -> None:
    limited = '{id: r, effect: allow, limits: [{count: 9, every: 1h}, {sum: amount, max: "10", every: 24h}]}'
    replay = replayed(tmp_path, rules(tmp_path / "new", limited), decided(transfer("11")))
    ((_, change),) = replay.changes.items()
    assert change.why == "rule r allows, but alone it is over limit 2 of that rule"


@pytest.mark.parametrize("denied", [False, True])
def test_a_request_is_decided_as_the_service_would(tmp_path: Path, denied: bool) -> None:
    deny = '{id: d, effect: deny, when: {amount: {above: "7"}}}'
    policies = rules(tmp_path / "new", SMALL, *([deny] if denied else []))
    intents = [transfer(amount) for amount in ("1", "7", "8", "11")]
    replay = replayed(tmp_path, policies, *map(decided, intents))
    refused = sum(not policies.evaluate(SAM, intent).allowed for intent in intents)
    assert (replay.changed, refused) == (2 if denied else 1, 2 if denied else 1)


def test_an_allow_that_needs_approvals_is_another_answer(tmp_path: Path) -> None:
    approved = "{id: r, effect: allow, approvals: {count: 1, of: [user:ann], within: 1h}}"
    policies = rules(tmp_path / "new", approved)
    replay = replayed(tmp_path, policies, decided(transfer("6")))
    assert [key.now for key in replay.changes] == ["allow after approvals"]
    assert replay.conditions["r"].approvals is not None


def test_rules_that_were_in_force_already_change_nothing(tmp_path: Path) -> None:
    approved = "{id: r, effect: allow, approvals: {count: 1, of: [user:ann], within: 1h}}"
    policies = rules(tmp_path / "new", approved)
    then = policies.evaluate(SAM, transfer("6"))
    assert replayed(tmp_path, policies, decided(transfer("6"), then)).changed == 0


def test_callers_and_targets_are_told_apart(tmp_path: Path) -> None:
    policies = rules(tmp_path / "new", "{id: r, effect: deny}")
    replay = replayed(tmp_path, policies, decided(transfer("6")), decided(transfer("6"), principal=BOT))
    assert {key.principal for key in replay.changes} == {"user:sam", "client:bot-1"}


def test_any_number_of_callers_fits_into_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST_CHANGES", 3)
    entries = [decided(transfer("6"), principal=Principal("user", f"u{number}")) for number in range(10)]
    replay = replayed(tmp_path, rules(tmp_path / "new", "{id: r, effect: deny}"), *entries)
    assert (replay.changed, len(replay.changes), replay.left_out) == (10, 3, 7)


def test_since_leaves_out_what_is_older(tmp_path: Path) -> None:
    policies = rules(tmp_path / "new", SMALL)
    assert replayed(tmp_path, policies, decided(transfer("5")), since=MOMENT).intents == 1
    assert (
        replayed(tmp_path, policies, decided(transfer("5")), since=MOMENT + timedelta(seconds=1)).intents == 0
    )


def record_of(tmp_path: Path) -> dict[str, Any]:
    write_records(tmp_path / "one", decided(transfer("5")))
    (file,) = record_files(tmp_path / "one")
    ((_, record),) = read_intents(file, Unreadable())
    return record


@pytest.mark.parametrize(
    "change",
    [
        {"principal": None},
        {"principal": {"type": "king", "name": "sam", "scheme": "token"}},
        {"principal": {"type": ["user"], "name": "sam", "scheme": "token"}},
        {"principal": {"type": "user", "name": 7, "scheme": "token"}},
        {"ip": "somewhere"},
        {"ip": 7},
        {"time": "yesterday"},
        {"time": "2026-11-20T10:00:00"},
        {"time": "2026-11-20T10:00:00+01:00"},
        {"operation": None},
        {"wallet": None},
        {"wallet": 7},
        {"intent": "everything"},
        {"intent": {"items": ["a", "b"]}},
        {"decision": None},
        {"decision": {"effect": "allow"}},
        {"decision": {"effect": True, "rule": None}},
        {"decision": {"effect": "perhaps", "rule": None}},
        {"intent": {"memo_sha256": []}},
    ],
)
def test_a_record_that_is_not_what_it_says_is_told_and_not_decided(
    tmp_path: Path, change: Mapping[str, Any]
) -> None:
    replay = Replay(rules(tmp_path / "new", SMALL))
    assert replay.take(record_of(tmp_path))
    assert not replay.take({**record_of(tmp_path), **change})
    assert replay.intents == 1


def test_a_record_gives_back_the_intent_that_was_decided(tmp_path: Path) -> None:
    reader = RecordReader(rules(tmp_path / "new", '{id: r, effect: deny, when: {memo: {in: ["a note"]}}}'))
    vote = Intent(Operation("vote.sign"), "wallet:hot", ({"proposal_id": 7, "option": "Yes"},))
    for intent in (transfer("1"), transfer("1", "2"), transfer("1", "2", memo="a note"), vote):
        write_records(tmp_path / "audit", decided(intent, principal=BOT))
        (file,) = record_files(tmp_path / "audit")
        ((_, record),) = read_intents(file, Unreadable())
        request = reader.request(record)
        assert request is not None
        assert (request.intent, request.principal) == (intent, BOT)
        assert request.circumstances == Circumstances(request.circumstances.ip, MOMENT)
        assert (request.decision.effect, request.decision.rule) == (ALLOWED.effect, ALLOWED.rule)


def test_the_document_says_what_was_not_replayed(tmp_path: Path) -> None:
    limited = '{id: r, effect: allow, limits: [{sum: amount, max: "10", every: 24h}]}'
    other = Decision("deny", "old", "sha256:0", "rule old denies")
    replay = replayed(tmp_path, rules(tmp_path / "new", limited), decided(transfer("6"), other))
    document = json.loads(json.dumps(replay_document(replay, Unreadable())))
    assert document["not_replayed"] == ["limits", "approvals"]
    assert document["conditions"] == [
        {
            "rule": "r",
            "requests": 1,
            "limits": [
                {"kind": "sum", "field": "amount", "max": "10", "every_seconds": 86400, "per": "principal"}
            ],
            "approvals": None,
        }
    ]
    (change,) = document["changes"]
    assert change["was"] == {"verdict": "deny", "rule": "old"}
    assert change["would_be"] == {"verdict": "allow", "rule": "r", "why": "rule r allows"}
    assert change["examples"] == [
        {"chain": "00000000000000aa", "seq": 1, "time": "2026-11-20T10:00:00.000000Z"}
    ]
