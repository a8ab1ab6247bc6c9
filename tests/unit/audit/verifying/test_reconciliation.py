"""What has no id: older records, and keys that were asked for ahead. The rest is tried beside a real OpenBao."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from vaultsigner.audit.verifying.reconciliation import KnownKeys, Reconciliation, reconcile
from vaultsigner.audit.verifying.recorded_reads import Recorded
from vaultsigner.audit.verifying.vault_log import KeyRead, VaultLog
from vaultsigner.domain.record_time import record_time

SECOND = 1_000_000
WALLET, OTHER, CLIENT, DECOY = (
    f"secret/data/{each}" for each in ("wallets/one", "wallets/two", "clients/bot", "clients/decoy")
)
NOW = 1_795_000_000 * SECOND
BOT = {"type": "client", "name": "bot", "scheme": "hmac"}


def record(kind: str, at: int, **members: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "chain": "00000000000000aa",
        "seq": 1,
        "time": record_time(NOW + at * SECOND),
        **members,
    }


def read(request_id: str, at: int, path: str, use: Any = "read") -> KeyRead:
    return KeyRead(request_id, NOW + at * SECOND, path, use, ("vaultsigner",), "a token")


KNOWN = KnownKeys(
    wallets=frozenset({WALLET, OTHER}),
    signing=frozenset({WALLET, OTHER}),
    clients=frozenset({CLIENT, DECOY}),
    log_in=None,
    checkpoint=None,
    of_targets={},
    of_clients={"bot": frozenset({CLIENT, WALLET})},
)


def compared(
    records: Iterable[dict[str, Any]], *reads: KeyRead, known: KnownKeys | None = None
) -> Reconciliation:
    """Over the 200 seconds around now."""
    recorded = Recorded()
    for each in (record("control", -100, event="stop"), *records, record("control", 100, event="stop")):
        recorded.add(json.dumps(each).encode())
    assert not recorded.unreadable
    log = VaultLog([*reads], len(reads), 0, NOW - 100 * SECOND, NOW + 100 * SECOND)
    return reconcile(log, recorded, known=known, slack_us=5 * SECOND)


@pytest.mark.parametrize(
    ("kind", "members", "cause"),
    [
        ("checkpoint", {}, "checkpoint"),
        ("outcome", {"operation": "auth.login", "code": "ok"}, "log-in"),
    ],
)
def test_an_older_record_without_an_id_is_matched_by_time(
    kind: str, members: dict[str, Any], cause: str
) -> None:
    old = record(kind, 0, **members)
    found = compared([old], read("a", 0, "transit/key", "sign"), read("b", 1, "transit/key", "sign"))
    assert found.explained == {cause: 1}
    assert [each.request_id for each in found.unrecorded] == ["b"]
    new = {
        **old,
        "request_id": None,
        "operation": members.get("operation"),
        "vault_request_id": "b",
        "vault_reads": [],
    }
    found = compared([new], read("a", 0, "transit/key", "sign"), read("b", 1, "transit/key", "sign"))
    assert (found.matched, found.explained) == (1, {})
    assert [each.request_id for each in found.unrecorded] == ["a"]


def test_an_older_record_of_a_clients_request_explains_its_secret() -> None:
    old = record("outcome", 0, operation="auth.check", code="ok", principal=BOT)
    found = compared([old], read("a", 0, CLIENT), read("b", 1, WALLET))
    assert found.explained == {"client's signature": 1}
    assert [each.request_id for each in found.unrecorded] == ["b"]


def test_a_start_of_an_older_service_explains_an_address_and_of_a_newer_one_does_not() -> None:
    start = record("control", -10, event="start")
    answered = record("outcome", 0, operation="wallet.list", code="ok")
    assert compared([start, answered], read("a", 0, WALLET)).explained == {"first address": 1}
    assert compared([start, {**answered, "vault_reads": []}], read("a", 0, WALLET)).explained == {}


def test_a_key_asked_for_ahead_explains_one_read_of_that_key_alone() -> None:
    ahead = [
        {"use": "secret", "path": CLIENT, "request_id": "s"},
        {"use": "ahead", "path": WALLET, "request_id": None},
    ]
    refused = record("request", 0, code="authentication_failed", operation="transfer.sign", vault_reads=ahead)
    reads = (read("s", 0, CLIENT), read("a", 0, OTHER), read("b", 0, WALLET), read("c", 1, WALLET))
    found = compared([refused], *reads)
    assert (found.matched, found.explained) == (1, {"asked for ahead": 1})
    assert [each.request_id for each in found.unrecorded] == ["a", "c"]


def test_a_failure_whose_record_names_the_secret_explains_nothing_else() -> None:
    named = [{"use": "secret", "path": CLIENT, "request_id": "s"}]
    refused = record("request", 0, code="authentication_failed", operation="auth.check", vault_reads=named)
    found = compared([refused], read("s", 0, CLIENT), read("a", 0, CLIENT))
    assert (found.matched, found.explained) == (1, {})
    assert [each.request_id for each in found.unrecorded] == ["a"]


def test_a_record_that_says_another_path_than_was_read_stands_for_nothing() -> None:
    named = [{"use": "secret", "path": CLIENT, "request_id": "s"}]
    answered = record("outcome", 0, code="ok", operation="auth.check", vault_reads=named)
    found = compared([answered], read("s", 0, WALLET))
    assert [each.read.path for each in found.misnamed] == [WALLET]
    assert [each.request_id for each in found.unrecorded] == ["s"]
    assert not found.agrees


def failed(reason: str, **members: Any) -> dict[str, Any]:
    return record(
        "request", 0, code="authentication_failed", operation="transfer.sign", reason=reason, **members
    )


NOBODYS = "no client has this API key"


@pytest.mark.parametrize("known", [None, KNOWN], ids=["by the logs", "with the configuration"])
@pytest.mark.parametrize("members", [{}, {"vault_reads": []}], ids=["older", "newer"])
def test_requests_without_credentials_explain_no_read_of_a_wallet(
    known: KnownKeys | None, members: dict[str, Any]
) -> None:
    """Anybody can send two of them in the second of a theft."""
    found = compared([failed(NOBODYS, **members)] * 2, read("a", 0, OTHER), read("b", 1, OTHER), known=known)
    assert (found.explained, found.agrees) == ({}, False)
    assert [each.request_id for each in found.unrecorded] == ["a", "b"]


def test_a_failure_in_an_older_record_explains_keys_of_the_client_that_it_names() -> None:
    reads = (read("c", 0, CLIENT), read("w", 0, WALLET))
    older = failed("client bot: the signature does not verify")
    assert compared([older], *reads, known=KNOWN).agrees
    assert compared([older], *reads).explained == {}
    assert (
        compared([failed("client other: the signature does not verify")], *reads, known=KNOWN).explained == {}
    )
    assert [each.request_id for each in compared([older], read("o", 0, OTHER), known=KNOWN).unrecorded] == [
        "o"
    ]
    assert compared([failed(NOBODYS)], read("d", 0, DECOY), known=KNOWN).agrees


def test_a_clients_secret_that_is_none_explains_its_own_read_alone() -> None:
    named = failed("client bot: there is no such field", vault_reads=[])
    assert compared([named], read("c", 0, CLIENT), known=KNOWN).explained == {"client's signature": 1}
    assert not compared([named], read("d", 0, DECOY), known=KNOWN).agrees
    assert not compared([failed(NOBODYS, vault_reads=[])], read("d", 0, DECOY), known=KNOWN).agrees
