"""The record beside the audit log of a real OpenBao: what agrees, a key read behind the service's back, a forged record."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.integration.signed.callers import HMAC, UNHURRIED, planned_clients
from tests.patience import wait_until
from tests.signing_client import HmacKey
from tests.world import PASSWORD, USERNAME, World
from vaultsigner.audit.chain import Head, read_line, seal
from vaultsigner.audit.files.chain_files import find_chains
from vaultsigner.dev.records import read_records

ROOT = Path(__file__).parents[3]
SLACK = ("--slack", "0.5")
LOG_IN = {"username": USERNAME, "password": PASSWORD}
STRANGER = HmacKey(HMAC.api_key, "another secret")
CHECKPOINT_EVERY = 20
APART_SECONDS = 1.2
"""More than twice the slack: nothing that the service did explains what somebody else does then."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service that did a bit of everything, with OpenBao's audit log beside it."""
    with running_desk(
        tmp_path_factory.mktemp("reconcile"),
        private_key_wallet("one"),
        private_key_wallet("two"),
        private_key_wallet("three"),
        clients=planned_clients("one"),
        rate_limits=UNHURRIED,
        audited_vault=True,
        audit={"checkpoint_every": CHECKPOINT_EVERY},
    ) as world:
        world.token()
        for number in range(1, 4):
            assert world.post("/api/transfer/sign", transfer("one", number)).status == 200
        assert world.post("/api/transfer/broadcast", transfer("two", 9)).status == 200
        assert world.get("/api/wallet/two").status == 200
        time.sleep(APART_SECONDS)
        assert world.signed(HMAC, "GET", "/api/auth/check").status == 200
        assert world.signed(HMAC, "POST", "/api/transfer/sign", document=transfer("one", 7)).status == 200
        assert world.signed(HMAC, "POST", "/api/transfer/sign", document=transfer("two", 7)).status == 404
        wait_until(lambda: any(each["kind"] == "checkpoint" for each in world.records()), "a checkpoint")
        yield world


@pytest.fixture
def evidence(shared: World, tmp_path: Path) -> tuple[Path, Path]:
    """Copies of both logs, some time after the last that happened."""
    time.sleep(APART_SECONDS)
    return copied(shared, tmp_path)


def copied(world: World, directory: Path) -> tuple[Path, Path]:
    """OpenBao's log and the chains, each with something at its end that moves its time on."""
    world.openbao.client.auth.token.lookup_self()
    world.get("/api/auth/check")
    world.openbao.client.auth.token.lookup_self()
    assert world.openbao.audit_log is not None
    shutil.copy(world.openbao.audit_log, directory / "vault.log")
    shutil.copytree(world.installation.audit_directory, directory / "audit")
    return directory / "vault.log", directory / "audit"


def run(log: Path, records: Path, *options: str) -> tuple[int, Any]:
    """The command's exit status and what it says as JSON."""
    command = (
        "-m",
        "vaultsigner",
        "audit",
        "reconcile",
        "--vault-log",
        str(log),
        *SLACK,
        *options,
        "--json",
        str(records),
    )
    done = subprocess.run(
        [sys.executable, *command],
        cwd=log.parent,
        env=_environment(),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def for_people(log: Path, records: Path) -> "subprocess.CompletedProcess[str]":
    """The command without --json."""
    return subprocess.run(
        [sys.executable, "-m", "vaultsigner", "audit", "reconcile", "--vault-log", str(log), str(records)],
        cwd=log.parent,
        env=_environment(),
        capture_output=True,
        check=False,
        text=True,
    )


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}


def test_what_the_service_did_agrees(shared: World, evidence: tuple[Path, Path]) -> None:
    status, told = run(*evidence)
    assert (status, told["agrees"]) == (0, True), told
    records = list(read_records(evidence[1]))
    uses = Counter(read["use"] for each in records for read in each.get("vault_reads", ()))
    assert uses == {"public_key": 2, "secret": 3}
    signed = [each for each in records if each.get("signed_sha256")]
    log_ins = [each for each in records if each.get("operation") == "auth.login"]
    # Another minute's may be signed after the first of the two was copied.
    checkpoints = [each for each in records if each["kind"] == "checkpoint" and each["time"] <= told["until"]]
    assert (len(signed), len(log_ins)) == (5, 1)
    assert all(each["vault_request_id"] for each in (*signed, *log_ins, *checkpoints))
    assert told["key_reads"] == told["matched"] == sum(uses.values()) + 6 + len(checkpoints)
    assert told["explained_by_time"] == {}


def test_with_the_configuration_it_agrees_as_well(shared: World, evidence: tuple[Path, Path]) -> None:
    status, told = run(*evidence, "--config", str(shared.installation.config_file))
    assert (status, told["agrees"]) == (0, True), told
    assert told["key_reads"] == told["matched"]
    assert told["of_another_key"] == []


def stolen(world: World) -> Any:
    """A client of Vault with a token that can do what the service's can."""
    client: Any = world.openbao.client
    made = client.auth.token.create(policies=["vaultsigner"], no_default_policy=True)
    client.token = made["auth"]["client_token"]
    return client


def read_of(world: World, wallet: str) -> str:
    """Read a wallet's key with a stolen token; Vault's id of the request."""
    found = stolen(world).secrets.kv.v2.read_secret_version(
        f"wallets/{wallet}", mount_point="secret", raise_on_deleted_version=True
    )
    return str(found["request_id"])


def signed_by_transit(world: World, key: str) -> str:
    """Have Transit sign with a stolen token; Vault's id of the request."""
    found = stolen(world).secrets.transit.sign_data(key, hash_input="Zm9yZ2Vk", mount_point="transit")
    return str(found["request_id"])


def unrecorded(world: World, directory: Path, *options: str) -> set[str]:
    """Vault's ids of what no record explains, now."""
    time.sleep(APART_SECONDS)
    status, told = run(*copied(world, directory), *options)
    assert (status == 0) is told["agrees"]
    return {each["request_id"] for each in told["without_record"]}


CONFIGURED = pytest.mark.parametrize(
    "configured", [False, True], ids=["by the logs", "with the configuration"]
)


def options_for(world: World, configured: bool) -> tuple[str, ...]:
    return ("--config", str(world.installation.config_file)) if configured else ()


@CONFIGURED
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_signature_with_a_stolen_token_beside_a_log_in_is_found(
    shared: World, tmp_path: Path, configured: bool, first: bool
) -> None:
    """The log-in does not stand for it, whichever of the two comes first."""
    before = [signed_by_transit(shared, "access-tokens")] if first else []
    assert shared.ask("POST", "/api/auth/login", LOG_IN, token=None).status == 200
    found = before or [signed_by_transit(shared, "access-tokens")]
    told = unrecorded(shared, tmp_path, *options_for(shared, configured))
    named = {each.get("vault_request_id") for each in shared.records()}
    assert set(found) <= told
    assert not told & named


@CONFIGURED
def test_a_signature_with_a_stolen_token_beside_a_checkpoint_is_found(
    shared: World, tmp_path: Path, configured: bool
) -> None:
    before = signed_by_transit(shared, "audit-checkpoints")
    known = sum(each["kind"] == "checkpoint" for each in shared.records())
    for _ in range(CHECKPOINT_EVERY):
        shared.get("/api/auth/check")
    wait_until(
        lambda: sum(each["kind"] == "checkpoint" for each in shared.records()) > known, "a new checkpoint"
    )
    after = signed_by_transit(shared, "audit-checkpoints")
    told = unrecorded(shared, tmp_path, *options_for(shared, configured))
    assert {before, after} <= told
    assert not told & {each.get("vault_request_id") for each in shared.records()}


@CONFIGURED
def test_a_failed_signature_hides_no_key_read(shared: World, tmp_path: Path, configured: bool) -> None:
    """Anybody who can reach the service can have it refuse a request, in the very second of a theft."""
    assert shared.signed(STRANGER, "GET", "/api/auth/check").status == 401
    theft = read_of(shared, "one")
    assert theft in unrecorded(shared, tmp_path, *options_for(shared, configured))


@CONFIGURED
def test_a_key_asked_for_ahead_hides_no_read_of_another(
    shared: World, tmp_path: Path, configured: bool
) -> None:
    """What a refused request asked for and left unread has no id; its record says which key it was."""
    time.sleep(APART_SECONDS)
    assert shared.signed(STRANGER, "POST", "/api/transfer/sign", document=transfer("one", 7)).status == 401
    theft = read_of(shared, "two")
    refused = [each for each in shared.records() if each.get("code") == "authentication_failed"][-1]
    ahead = [read for read in refused["vault_reads"] if read["use"] == "ahead"]
    assert ahead == [{"use": "ahead", "path": "secret/data/wallets/one", "request_id": None}]
    assert theft in unrecorded(shared, tmp_path, *options_for(shared, configured))


@CONFIGURED
def test_an_address_that_nobody_asked_for_hides_no_key_read(
    shared: World, tmp_path: Path, configured: bool
) -> None:
    """The service has started, and could have asked for it."""
    theft = read_of(shared, "three")
    assert theft in unrecorded(shared, tmp_path, *options_for(shared, configured))


def test_a_record_does_not_pass_with_the_read_of_another_wallet(
    shared: World, evidence: tuple[Path, Path]
) -> None:
    """A signature for one wallet, whose record names what was read for another."""
    log, records = evidence
    [chain] = find_chains(records)
    path = chain.files[-1].path
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    ours, theirs = (
        next(each for each in lines if each.get("signed_sha256") and each["wallet"] == name)
        for name in ("one", "two")
    )
    own = ours["vault_request_id"]
    ours["vault_request_id"] = theirs["vault_request_id"]
    path.write_bytes(b"".join(json.dumps(each).encode() + b"\n" for each in lines))
    status, told = run(log, records, "--config", str(shared.installation.config_file))
    assert status == 1
    [found] = told["of_another_key"]
    assert (found["seq"], found["target"]) == (ours["seq"], "wallet:one")
    assert found["read"] == "secret/data/wallets/two"
    assert own in {each["request_id"] for each in told["without_record"]}


@pytest.mark.parametrize("by_its_token", [False, True], ids=["by root", "with the service's own token"])
def test_a_key_read_behind_the_services_back_is_listed(
    shared: World, tmp_path: Path, by_its_token: bool
) -> None:
    time.sleep(APART_SECONDS)
    client: Any = stolen(shared) if by_its_token else shared.openbao.client
    client.secrets.kv.v2.read_secret_version(
        "wallets/one", mount_point="secret", raise_on_deleted_version=True
    )
    time.sleep(APART_SECONDS)
    status, told = run(*copied(shared, tmp_path))
    assert (status, told["agrees"], told["without_key_read"]) == (1, False, [])
    found = told["without_record"][-1]
    assert (found["path"], found["use"]) == ("secret/data/wallets/one", "read")
    assert found["policies"] == (["vaultsigner"] if by_its_token else ["root"])


def test_a_signature_by_transit_behind_the_services_back_is_listed(shared: World, tmp_path: Path) -> None:
    """A checkpoint that is in no chain would be one over other records."""
    time.sleep(APART_SECONDS)
    shared.openbao.client.secrets.transit.sign_data(
        "audit-checkpoints", hash_input="Zm9yZ2Vk", mount_point="transit"
    )
    time.sleep(APART_SECONDS)
    status, told = run(*copied(shared, tmp_path))
    assert status == 1
    assert ("transit/audit-checkpoints", "sign") in {
        (each["path"], each["use"]) for each in told["without_record"]
    }


def test_a_forged_record_is_listed(evidence: tuple[Path, Path]) -> None:
    log, records = evidence
    [chain] = find_chains(records)
    path = chain.files[-1].path
    lines = path.read_bytes().splitlines(keepends=True)
    real = next(json.loads(line) for line in lines if b'"signed_sha256":"' in line)
    at = len(lines) - 3
    head: Head = read_line(lines[at])[0]
    forged = {**real, "vault_request_id": "00000000-0000-0000-0000-000000000000"}
    for member in ("hash", "prev", "seq", "time", "chain", "v"):
        del forged[member]
    line, _ = seal(forged, head, head.time_us)
    path.write_bytes(b"".join([*lines[: at + 1], line, *lines[at + 1 :]]))
    status, told = run(log, records)
    assert status == 1
    [found] = told["without_key_read"]
    assert (found["vault_request_id"], found["seq"]) == (forged["vault_request_id"], head.seq + 1)


def test_a_record_that_was_taken_out_leaves_its_key_read_behind(evidence: tuple[Path, Path]) -> None:
    log, records = evidence
    before = run(log, records)[1]["without_record"]
    [chain] = find_chains(records)
    path = chain.files[-1].path
    lines = path.read_bytes().splitlines(keepends=True)
    gone = next(
        line
        for line in lines
        if b'"vault_request_id":"' in line and b'"operation":"transfer.broadcast"' in line
    )
    path.write_bytes(b"".join(line for line in lines if line != gone))
    status, told = run(log, records)
    assert status == 1
    record = json.loads(gone)
    address = [read["request_id"] for read in record["vault_reads"]]
    assert {each["request_id"] for each in told["without_record"] if each not in before} == {
        record["vault_request_id"],
        *address,
    }
    assert len(address) == 1


def test_several_files_some_compressed_and_for_people(evidence: tuple[Path, Path]) -> None:
    log, records = evidence
    whole = run(log, records)[1]
    lines = log.read_bytes().splitlines(keepends=True)
    old, new = log.parent / "vault.log.1.gz", log.parent / "vault.log.0"
    old.write_bytes(gzip.compress(b"".join(lines[:40])))
    new.write_bytes(b"".join(lines[40:]) + b"half a li")
    status, told = run(new, records, "--vault-log", str(old))
    assert (status, told["unreadable"]) == (1, {"vault_log": 1, "records": 0})
    assert {**told, "unreadable": None} == {**whole, "unreadable": None}
    done = for_people(log, records)
    assert f"key reads in Vault's log, {whole['matched']} of them named by a record" in done.stdout


def test_logs_of_different_times_have_nothing_to_say(evidence: tuple[Path, Path]) -> None:
    log, records = evidence
    log.write_text(
        '{"time":"2020-01-01T00:00:00Z","type":"request","request":{"id":"x","path":"sys/health"}}\n'
    )
    status, told = run(log, records)
    assert (status, told["key_reads"]) == (1, 0)
    assert told["records_outside"] > 5
    done = for_people(log, records)
    assert "no time that both logs cover" in done.stdout
    assert "Vault's log covers 2020-01-01T00:00:00.000000Z to 2020-01-01T00:00:00.000000Z; the" in done.stdout


def test_a_file_that_is_no_log_of_vault_is_told(evidence: tuple[Path, Path]) -> None:
    log, records = evidence
    [chain] = find_chains(records)
    log.write_bytes(b"".join(chain.files[-1].path.read_bytes().splitlines(keepends=True)[:3]))
    done = for_people(log, records)
    assert done.returncode == 1
    assert f"{log}: none of its 3 lines is an entry of Vault's audit log" in done.stderr
