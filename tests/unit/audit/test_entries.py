"""Entries: exactly the members they should have, bounded, and nothing that a caller slipped in."""

import json

import pytest

from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.entries import Control, Dispatch, Entry, IntentDecided, Outcome, RequestRefused
from vaultsigner.audit.members import bounded, bounded_value
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.names import JsonValue, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.targets import Target
from vaultsigner.domain.vault_reads import VaultRead

REQUEST = RequestId("01JD0000000000000000000000")
SAM = Principal("user", "sam")
WALLET = Target("wallet", "wallet_1")
ALLOW = Decision("allow", "desk", "sha256:abc", "rule desk allows")
POLICY = "sha256:abc"


def refused(
    reason: str = "why", members: tuple[str, ...] = (), operation: str = "order.sign"
) -> RequestRefused:
    return RequestRefused(
        request_id=REQUEST,
        ip="10.0.0.7",
        method="POST",
        route="/api/order/sign",
        operation=Operation(operation),
        status=400,
        code="malformed_body",
        reason=reason,
        body_sha256="ab" * 32,
        unknown_members=members,
        policy=POLICY,
    )


def test_a_refused_request_has_these_members() -> None:
    assert refused(members=("colour",)).members() == {
        "kind": "request",
        "request_id": REQUEST,
        "ip": "10.0.0.7",
        "method": "POST",
        "route": "/api/order/sign",
        "principal": None,
        "operation": "order.sign",
        "wallet": None,
        "status": 400,
        "code": "malformed_body",
        "reason": "why",
        "body_sha256": "ab" * 32,
        "unknown_members": ["colour"],
        "vault_request_id": None,
        "vault_reads": [],
        "policy": POLICY,
    }


def test_an_intent_has_these_members() -> None:
    entry = IntentDecided(
        request_id=REQUEST,
        principal=SAM,
        ip="::1",
        operation=Operation("transfer.sign"),
        target=WALLET,
        intent={"amount": "1.50000000", "symbol": "BNB"},
        decision=ALLOW,
        body_sha256="cd" * 32,
    )
    assert entry.members() == {
        "kind": "intent",
        "request_id": REQUEST,
        "principal": {"type": "user", "name": "sam", "scheme": "token"},
        "ip": "::1",
        "operation": "transfer.sign",
        "wallet": "wallet_1",
        "intent": {"amount": "1.50000000", "symbol": "BNB"},
        "decision": {
            "effect": "allow",
            "rule": "desk",
            "policy": "sha256:abc",
            "reason": "rule desk allows",
            "approvals": None,
        },
        "body_sha256": "cd" * 32,
        "unknown_members": [],
    }


def test_an_outcome_has_these_members() -> None:
    entry = Outcome(
        request_id=REQUEST,
        principal=SAM,
        ip="::1",
        operation=Operation("transfer.sign"),
        target=WALLET,
        status=200,
        signed_sha256="ef" * 32,
        transaction_hash="AB" * 32,
        sequence=12,
        vault_request_id="7f",
        vault_reads=(
            VaultRead("secret", "secret/data/clients/one", "80"),
            VaultRead("ahead", "s/data/w", None),
        ),
        intent_seq=41,
        policy=POLICY,
    )
    assert entry.members() == {
        "kind": "outcome",
        "request_id": REQUEST,
        "principal": {"type": "user", "name": "sam", "scheme": "token"},
        "ip": "::1",
        "operation": "transfer.sign",
        "wallet": "wallet_1",
        "status": 200,
        "code": "ok",
        "reason": None,
        "signed_sha256": "ef" * 32,
        "transaction_hash": "AB" * 32,
        "sequence": 12,
        "vault_request_id": "7f",
        "vault_reads": [
            {"use": "secret", "path": "secret/data/clients/one", "request_id": "80"},
            {"use": "ahead", "path": "s/data/w", "request_id": None},
        ],
        "intent_seq": 41,
        "policy": POLICY,
    }


def test_a_dispatch_has_these_members() -> None:
    entry = Dispatch(
        request_id=REQUEST,
        principal=SAM,
        ip="10.0.0.7",
        operation=Operation("transfer.broadcast"),
        target=WALLET,
        node="dex.example",
        result="refused",
        transaction_hash="AB" * 32,
        sequence=12,
        status=400,
        answer="bad sequence",
        answered=502,
        policy=POLICY,
    )
    assert entry.members() == {
        "kind": "dispatch",
        "request_id": REQUEST,
        "principal": {"type": "user", "name": "sam", "scheme": "token"},
        "ip": "10.0.0.7",
        "operation": "transfer.broadcast",
        "wallet": "wallet_1",
        "node": "dex.example",
        "result": "refused",
        "transaction_hash": "AB" * 32,
        "sequence": 12,
        "status": 400,
        "answer": "bad sequence",
        "answered": 502,
        "policy": POLICY,
    }


def test_a_control_record_has_these_members() -> None:
    known = {"kind": "control", "event": "start", "details": {"version": "0.1.0"}}
    assert Control("start", {"version": "0.1.0"}, POLICY).members() == {**known, "policy": POLICY}
    assert Control("start", {"version": "0.1.0"}).members() == {**known, "policy": None}


@pytest.mark.parametrize(
    "hostile", ["\x1b[31m\x00\r\n", "\u2028\u2029", "\ud800 alone", "x" * 1_000_000, "\U0001f600"]
)
def test_hostile_text_gives_one_short_ascii_line_that_strict_readers_take(hostile: str) -> None:
    entries: list[Entry] = [
        refused(reason=hostile, members=(hostile,) * 3),
        Control("start", {hostile: [{"deep": hostile}]}),
        Dispatch(
            request_id=REQUEST,
            principal=SAM,
            ip="10.0.0.7",
            operation=Operation("transfer.broadcast"),
            target=WALLET,
            node=hostile,
            result="unknown",
            answer=hostile,
            policy=POLICY,
        ),
    ]
    for entry in entries:
        line, _ = seal(entry.members(), Head("00" * 8), 0)
        assert line.isascii()
        assert len(line) < 10_000
        assert line.count(b"\n") == 1
        assert not any(byte < 0x20 for byte in line[:-1])
        json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8")  # A lone surrogate would fail here.


def test_long_text_says_how_long_it_was() -> None:
    assert bounded("x" * 512) == "x" * 512
    assert bounded("x" * 513) == "x" * 512 + "…(513 characters)"
    assert bounded("a\ud800b") == "a\\ud800b"


def test_a_number_of_absurd_length_cannot_stop_the_record() -> None:
    intent: dict[str, JsonValue] = {"proposal_id": 10**5000, "nested": [2**64 - 1, 2**64, -(2**63) - 1, True]}
    written = bounded_value(intent)
    assert isinstance(written, dict)
    assert written["nested"] == [2**64 - 1, "0x10000000000000000", "-0x8000000000000001", True]
    assert str(written["proposal_id"]).startswith("0x")
    json.dumps(written)


def test_key_sent_as_a_member_name_is_not_recorded() -> None:
    private_key, token = "4f" * 32, "hvs.CAESIJ7-s3cr3t"
    members = refused(members=(private_key, token, "s.5AbGZx9h", "pass word", "msg.colour")).members()
    assert members["unknown_members"] == [
        *("(64 characters)", "(18 characters)", "(10 characters)", "(9 characters)"),
        "msg.colour",
    ]


def test_a_flood_of_unknown_members_is_cut_off() -> None:
    named = refused(members=tuple(f"m{number}" for number in range(1_000))).members()["unknown_members"]
    assert isinstance(named, list)
    assert len(named) == 33
    assert named[-1] == "(and 968 more)"


def test_password_cannot_be_guessed_from_a_log_ins_body_digest() -> None:
    assert refused(operation="auth.login").members()["body_sha256"] is None
