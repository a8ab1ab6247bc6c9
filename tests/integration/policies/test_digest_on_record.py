"""Every record of a real run names the policies in force, whatever it is about: what is signed, refused, approved or stopped."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from tests.adversarial import raw_http
from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.integration.signed.callers import HMAC, UNHURRIED, planned_clients
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.signing_client import signed_call
from tests.world import PASSWORD, USERNAME, Answer, World, cheap_hash
from vaultsigner.dev.beacon_faults import Fault
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedUser
from vaultsigner.dev.records import Record
from vaultsigner.policy import load as load_policies

FIRST = """\
version: 1
rules:
  - {id: small, effect: allow, operations: [transfer.*], when: {amount: {max: "1"}}}
  - {id: counted, effect: allow, operations: [freeze.*], limits: [{count: 1, every: 1h, per: rule}]}
  - id: large
    effect: allow
    operations: [transfer.*]
    when: {amount: {above: "1", max: "10"}}
    approvals: {count: 1, of: [user:ann], within: 1h}
"""
SECOND = FIRST.replace('max: "10"', 'max: "11"').replace("counted", "counted-anew")
LARGE = 200_000_000
SIGN, SEND = "/api/transfer/sign", "/api/transfer/broadcast"
FREEZE = {"wallet_name": "one", "msg": {"symbol": "BNB", "amount": "1"}}

OF_REQUESTS = {
    *(("intent", None), ("outcome", "ok"), ("dispatch", "accepted"), ("dispatch", "refused")),
    *(("outcome", "policy_denied"), ("outcome", "limit_exceeded"), ("outcome", "approval_required")),
    ("outcome", "approval_not_granted"),
    *(("request", "malformed_body"), ("request", "invalid_fields"), ("request", "not_authenticated")),
    *(("request", "wallet_not_found"), ("request", "not_found"), ("request", "method_not_allowed")),
    *(("request", "malformed_request"), ("request", "bad_credentials"), ("request", "suspended")),
    *(("request", "authentication_failed"), ("request", "replayed"), ("request", "no_permission")),
    *(("control", "approval"), ("control", "suspend"), ("control", "resume")),
}


def user(name: str, *roles: str) -> PlannedUser:
    """A user whose password is their name three times."""
    return PlannedUser(name, name * 3, {"one": EVERY_PERMISSION}, cheap_hash(name * 3), roles)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_desk(
        tmp_path / "world",
        private_key_wallet("one"),
        policy=FIRST,
        users=(user("ann"), user("eve"), user("olga", "operator")),
        clients=planned_clients("one"),
        rate_limits=UNHURRIED,
    ) as running:
        yield running


def ask(world: World, who: str, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """As a user, or a stranger."""
    if who:
        token = world.token() if who == USERNAME else world.token(who, who * 3)
        headers["Authorization"] = f"Bearer {token}"
    found = requests.request(
        method, f"{world.url}{path}", headers=headers, json=body, timeout=PATIENCE_SECONDS
    )
    return Answer(found.status_code, found.json(), found.headers)


def ask_everything(world: World, amount: int) -> None:
    """Requests of every kind, and what goes wrong with them; each is answered before the next is sent."""
    sam = USERNAME
    for path in (SIGN, SEND):
        assert ask(world, sam, "POST", path, transfer("one")).status == 200
    world.node.faults.arm(Fault.refuses("insufficient fund"))
    assert ask(world, sam, "POST", SEND, transfer("one")).status == 502
    assert ask(world, sam, "POST", SIGN, transfer("one", 2 * 10**9)).status == 403
    assert [ask(world, sam, "POST", "/api/freeze/sign", FREEZE).status for _ in range(2)] == [200, 429]
    large = transfer("one", amount)
    approval = ask(world, sam, "POST", SEND, large).body["approval"]["id"]
    early = ask(world, sam, "POST", SEND, large, **{"X-Vaultsigner-Approval": approval})
    assert early.body["code"] == "approval_not_granted"
    assert ask(world, "eve", "POST", f"/api/approvals/{approval}/approve").status == 404
    assert ask(world, "ann", "POST", f"/api/approvals/{approval}/approve").status == 200
    assert ask(world, sam, "POST", SEND, large, **{"X-Vaultsigner-Approval": approval}).status == 200
    explained = {"operation": "transfer.sign", "target": "wallet:one", "item": {"amount": "1"}}
    for method, path, body in (
        ("GET", "/api/wallet", None),
        ("GET", "/api/wallet/one", None),
        ("POST", "/api/wallet/resync", {"wallet_name": "one"}),
        ("GET", "/api/approvals", None),
        ("POST", "/api/policy/explain", explained),
    ):
        assert ask(world, sam, method, path, body).status == 200
    stop_and_resume(world)
    ask_badly(world)


def stop_and_resume(world: World) -> None:
    suspension = {"kind": "user", "name": "eve", "reason": "a drill"}
    assert ask(world, "eve", "POST", "/api/suspensions", suspension).status == 403
    assert ask(world, "olga", "POST", "/api/suspensions", suspension).status == 200
    refused = requests.post(
        f"{world.url}/api/auth/login",
        json={"username": "eve", "password": "eve" * 3},
        timeout=PATIENCE_SECONDS,
    )
    assert refused.json()["code"] == "suspended"
    assert ask(world, "olga", "DELETE", "/api/suspensions/user/eve").status == 200


def ask_badly(world: World) -> None:
    ask(world, USERNAME, "POST", SIGN, transfer("one", to_address="nobody"))
    ask(world, USERNAME, "POST", SIGN, transfer("nowhere"))
    ask(world, "", "POST", SIGN, transfer("one"))
    ask(world, "", "GET", "/api/nothing")
    ask(world, "", "DELETE", "/api/wallet")
    for password, status in ((PASSWORD, 200), ("wrong", 400)):
        log_in = {"username": USERNAME, "password": password}
        assert ask(world, "", "POST", "/api/auth/login", log_in).status == status
    requests.post(
        f"{world.url}{SIGN}",
        data="{",
        headers={"Authorization": f"Bearer {world.token()}"},
        timeout=PATIENCE_SECONDS,
    )
    raw_http.exchange(world.url, b"NONSENSE\r\n\r\n")
    call = signed_call(HMAC, "GET", "/api/auth/check")
    assert [world.send(call).status for _ in range(2)] == [200, 409]
    other = signed_call(HMAC, "GET", "/api/auth/check")
    assert world.send(replace(other, query=f"x=1&{other.query}")).status == 401


def put(world: World, text: str) -> None:
    """New policies, in one step, to be read at once."""
    file = world.installation.settings.policies / "policy.yml"
    new = file.with_name(".new")
    new.write_text(text)
    new.replace(file)
    os.kill(world.service.launcher_pid, signal.SIGHUP)


def events(world: World) -> list[str]:
    return [record["event"] for record in world.records() if record["kind"] == "control"]


def newest_file(world: World) -> Path:
    """Where the next record goes; at midnight there are two."""
    return max(world.installation.audit_directory.rglob("*.jsonl"), key=lambda path: path.name)


@contextmanager
def disk_full(world: World) -> Iterator[None]:
    """The server's files cannot grow past the records' present size."""
    size = newest_file(world).stat().st_size
    pid = world.service.server_pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def tear(world: World) -> None:
    """Half a line at the end of the record, as a crash leaves it."""
    with newest_file(world).open("ab") as record:
        record.write(b'{"chain":')


def told(record: Record) -> tuple[str, str | None]:
    """What a record is about."""
    return record["kind"], record.get("code") or record.get("result") or record.get("event")


def check(records: list[Record], first: str) -> set[tuple[str, str | None]]:
    """That each record of a chain names what was in force then, by the reloads alone; what they were about.

    Args:
        first: digest of the set that the service started with.
    """
    in_force = first
    for record in records:
        if record.get("event") == "repaired":
            assert record["policy"] is None
            continue
        named = record["decision"]["policy"] if record["kind"] == "intent" else record["policy"]
        assert named == in_force, record
        if record.get("event") == "reload":
            assert record["details"]["from"] == in_force
            in_force = record["details"]["to"]
    return {told(record) for record in records}


def test_every_record_names_the_digest_in_force(world: World) -> None:
    directory = world.installation.settings.policies
    first = load_policies(directory).digest
    ask_everything(world, LARGE)
    missing = OF_REQUESTS - check(world.records(), first)
    assert not missing
    put(world, SECOND)
    wait_until(lambda: "reload" in events(world), "the files are in force")
    second = load_policies(directory).digest
    assert second != first
    reloaded = len(world.records())
    ask_everything(world, LARGE + 1)
    later = world.records()[reloaded:]
    assert not OF_REQUESTS - check(later, second)
    put(world, "nonsense")
    wait_until(lambda: "reload_refused" in events(world), "the files are refused")
    with disk_full(world):
        assert ask(world, "", "GET", "/api/nothing").body["code"] == "audit_unavailable"
    wait_until(lambda: ask(world, "", "GET", "/api/nothing").status == 404, "there is room for records")
    put(world, FIRST)
    wait_until(lambda: events(world).count("reload") == 2, "the files are in force")
    world.service.stop()
    tear(world)
    world.service.start()
    world.service.stop()
    found = world.records()
    seen = check(found, first)
    assert {
        ("control", name) for name in ("start", "stop", "recovered", "reload_refused", "repaired")
    } <= seen
    requests_told = {record["request_id"] for record in found if "request_id" in record}
    print(f"{len(found)} records of {len(requests_told)} requests name their policies")


def of_requests(world: World) -> list[Record]:
    """All but checkpoints, which come by themselves."""
    return [record for record in world.records() if record["kind"] != "checkpoint"]


def test_the_command_line_applies_no_policies_and_names_none(world: World) -> None:
    before = len(of_requests(world))
    for words in (("suspend", "user", "eve", "--reason", "a drill"), ("resume", "user", "eve")):
        command = [sys.executable, "-m", "vaultsigner", *words, "--config"]
        subprocess.run([*command, str(world.installation.config_file)], check=True, timeout=PATIENCE_SECONDS)
    added = [record for record in world.records() if record.get("event") in ("suspend", "resume")]
    assert len(added) == len(of_requests(world)) - before == 2
    assert [(record["kind"], record["policy"]) for record in added] == [("control", None)] * 2
