"""The record over HTTP, from the real service: who may see it, that it is the record, and that looking is on it too."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.world import USERNAME, Answer, World, cheap_hash
from vaultsigner.audit.verifying.proofs import Root, check_proof
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedUser
from vaultsigner.domain.checkpoints import read_checkpoint
from vaultsigner.domain.signed_notes import read_verifier_key

WALLETS = (private_key_wallet("one"),)
POLICY = """version: 1
rules:
  - id: few-transfers
    effect: allow
    operations: [transfer.*]
    limits: [{count: 3, every: 1h, per: principal}]
  - id: with-ann
    effect: allow
    operations: [freeze.*]
    approvals: {count: 1, of: ["user:ann"], within: 1h}
"""
READING = (
    "/api/audit/summary",
    "/api/audit/records",
    "/api/audit/records.csv",
    "/api/audit/chains",
    "/api/audit/live",
    "/api/limits",
    "/api/audit/records/0123456789abcdef/1",
)


def planned(name: str, *roles: str) -> PlannedUser:
    """A user whose password is their name three times."""
    granted = {wallet.name: EVERY_PERMISSION for wallet in WALLETS}
    return PlannedUser(name, name * 3, granted, cheap_hash(name * 3), roles)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A trader, an operator and an auditor; three transfers were signed, two were too many, and one freeze waits."""
    with running_desk(
        tmp_path_factory.mktemp("audit_api"),
        *WALLETS,
        users=(planned("olga", "operator"), planned("eve", "auditor"), planned("ann")),
        policy=POLICY,
        audit={"checkpoint_every": 50},  # the minute's own may come later than the tests wait
    ) as world:
        statuses = [
            world.post("/api/transfer/sign", transfer("one", number)).status for number in range(1, 6)
        ]
        assert statuses == [200, 200, 200, 429, 429]
        frozen = {"msg": {"symbol": "BNB", "amount": 1}, "wallet_name": "one"}
        assert world.post("/api/freeze/sign", frozen).status == 202
        yield world


def ask(world: World, path: str, who: str = "eve") -> Answer:
    """As a user; what is no JSON is not looked at."""
    token = world.token() if who == USERNAME else world.token(who, who * 3)
    return world.ask("GET", path, None, token=token)


def opened(world: World, path: str, who: str = "eve") -> requests.Response:
    """The answer's head; the body is for whoever closes it."""
    headers = {"Authorization": f"Bearer {world.token(who, who * 3)}"}
    return world.session.get(f"{world.url}{path}", headers=headers, stream=True, timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("path", READING)
def test_only_auditors_and_operators_may_look(world: World, path: str) -> None:
    assert world.ask("GET", path, None, token=None).status == 401
    refused = ask(world, path, USERNAME)
    assert (refused.status, refused.body["code"]) == (403, "no_permission")
    [record] = world.records(refused.request_id)
    assert (record["kind"], record["code"], record["principal"]["name"]) == (
        "request",
        "no_permission",
        USERNAME,
    )


@pytest.mark.parametrize("who", ["eve", "olga"])
def test_records_are_those_on_the_disk_newest_first(world: World, who: str) -> None:
    written = world.records()
    answer = ask(world, "/api/audit/records?latest=1000", who)
    assert answer.status == 200
    told = answer.body["records"]
    assert (answer.body["next"], answer.body["unreadable"]) == (None, 0)
    assert told[-len(written) :] == sorted(
        written, key=lambda each: (each["time"], each["seq"]), reverse=True
    )
    [record] = world.records(answer.request_id)
    assert (record["kind"], record["code"], record["operation"]) == ("outcome", "ok", "audit.records")


def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    until = quote((datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    whole = ask(world, f"/api/audit/records?kind=outcome&until={until}&operation=transfer.*&latest=50").body[
        "records"
    ]
    assert len(whole) == 5
    found: list[Any] = []
    path = f"/api/audit/records?kind=outcome&until={until}&operation=transfer.*&latest=2"
    place = ""
    while True:
        page = ask(world, f"{path}{place}").body
        found += page["records"]
        if page["next"] is None:
            break
        place = f"&before={quote(page['next'])}"
    assert found == whole


def test_filters_are_those_of_the_command_line(world: World) -> None:
    for query, expected in (
        ("code=limit_exceeded", 2),
        ("rule=few-transfers&kind=intent", 5),
        ("principal=user:sam&operation=transfer.sign&code=ok", 3),
        ("target=wallet:one&kind=outcome", 6),
        ("amount_above=0.00000003&operation=transfer.*", 2),
        ("rule=nothing", 0),
    ):
        assert len(ask(world, f"/api/audit/records?{query}").body["records"]) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "rull=x",
        "rule=a&rule=b",
        "since=yesterday",
        "latest=0",
        "latest=1001",
        "before=x",
        "amount_above=NaN",
        "kind=%0a",
        "kind=foo",
        "operation=transfer",
        "amount_above=1e9999999",
        "amount_below=-1e9999999",
        "since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z",
        "before=2026-99-01T00:00:00.000000Z0123456789abcdef00000000000000000001",
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(world: World, query: str) -> None:
    refused = ask(world, f"/api/audit/records?{query}")
    assert (refused.status, refused.body["code"]) == (422, "invalid_fields")
    assert world.records(refused.request_id)[0]["code"] == "invalid_fields"


def test_a_summary_of_all_time_is_refused_and_of_nearly_all_is_told(world: World) -> None:
    path = "/api/audit/summary?buckets=500&since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z"
    refused = ask(world, path)
    assert (refused.status, refused.body["detail"][0]["loc"]) == (422, ["query", "until"])
    assert ask(world, path.replace("9999-", "9900-")).status == 200
    place = "9999-12-31T23:59:59.999999Z0123456789abcdef00000000000000000001"
    assert ask(world, f"/api/audit/records?before={place}").status == 200


def test_the_summary_counts_answers_and_not_those_who_look(world: World) -> None:
    for _ in range(2):
        summary = ask(world, "/api/audit/summary?buckets=24").body
        totals: Counter[str] = Counter()
        for bucket in summary["buckets"]:
            totals.update(allowed=bucket["allowed"], waiting=bucket["waiting"])
            totals.update(bucket["refused"])
        assert (len(summary["buckets"]), summary["bucket_seconds"]) == (24, 3600)
        assert totals["waiting"] == 1
        assert totals["limit_exceeded"] == summary["by"]["code"]["limit_exceeded"] == 2
        assert summary["by"]["operation"]["transfer.sign"] == 5
        assert summary["by"]["rule"] == {"few-transfers": 5, "with-ann": 1}
        assert summary["by"]["target"]["wallet:one"] == 6
        assert not any(name.startswith(("audit.", "limit.")) for name in summary["by"]["operation"])
        assert totals["allowed"] == summary["by"]["code"]["ok"]
    only = ask(world, "/api/audit/summary?operation=audit.*").body
    assert only["by"]["operation"]["audit.summary"] >= 2


def test_a_record_is_told_in_full_with_the_others_of_its_request(world: World) -> None:
    [refusal, *_] = ask(world, "/api/audit/records?code=limit_exceeded").body["records"]
    told = ask(world, f"/api/audit/records/{refusal['chain']}/{refusal['seq']}").body
    assert told["record"] == json.loads(told["line"]) == refusal
    assert sorted(each["kind"] for each in told["related"]) == ["intent", "outcome"]
    assert told["proof"] is not None or told["why"]
    for path in (
        f"{refusal['chain']}/999999",
        f"{'0' * 16}/1",
        "x/1",
        f"{refusal['chain']}/01",
        f"{refusal['chain']}/x",
    ):
        missing = ask(world, f"/api/audit/records/{path}")
        assert (missing.status, missing.body["code"]) == (404, "record_not_found")


def test_the_export_is_a_file_for_spreadsheets(world: World) -> None:
    with opened(world, "/api/audit/records.csv?kind=outcome&operation=transfer.sign") as response:
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert "attachment" in response.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(response.text)))
        request_id = response.headers["X-Request-Id"]
    assert Counter(row["code"] for row in rows) == {"ok": 3, "limit_exceeded": 2}
    assert [record["reason"] for record in world.records(request_id)] == ["an export of records"]


def test_how_chains_are(world: World) -> None:
    told = ask(world, "/api/audit/chains").body
    [chain] = told["chains"]
    assert (told["problem"], chain["own"], chain["files"]) == (None, True, 1)
    last = world.records()[-1]
    assert chain["chain"] == last["chain"]
    assert last["seq"] - 3 <= chain["records"] < last["seq"]


def test_a_proof_is_checked_with_what_the_service_tells_and_nothing_else(world: World) -> None:
    """That the keys are the right ones is for whoever noted them elsewhere."""
    [old, *_] = ask(world, "/api/audit/records?operation=transfer.sign&code=ok").body["records"]
    path = f"/api/audit/records/{old['chain']}/{old['seq']}"
    told = wait_until(lambda: (found := ask(world, path).body)["proof"] and found, "a checkpoint covers it")
    signed = read_checkpoint(told["checkpoint"])
    assert signed.verified_by([read_verifier_key(each) for each in told["keys"]]) is not None
    checkpoint = signed.checkpoint
    proved = check_proof(json.dumps(told["proof"]).encode(), Root(checkpoint.root, checkpoint.size))
    assert json.loads(proved.record or "") == old
    [chain] = ask(world, "/api/audit/chains").body["chains"]
    assert chain["checkpoint"]["size"] >= checkpoint.size


def test_how_full_limits_are(world: World) -> None:
    told = ask(world, "/api/limits").body
    assert told == {
        "limits": [
            {
                "rule": "few-transfers",
                "limit": "3 requests every 3600 s per principal",
                "subject": "user:sam",
                "used": "3",
                "most": "3",
                "unit": "requests",
                "until": None,
            }
        ],
        "left_out": 0,
    }


@pytest.mark.parametrize("who", ["eve", "olga"])
def test_reviewers_see_what_waits_and_have_no_vote_by_that(world: World, who: str) -> None:
    [waiting] = ask(world, "/api/approvals", who).body["approvals"]
    assert (waiting["requested_by"], waiting["may_approve"]) == (f"user:{USERNAME}", False)
    assert ask(world, f"/api/approvals/{waiting['id']}", who).body == waiting
    vote = world.ask("POST", f"/api/approvals/{waiting['id']}/approve", {}, token=world.token(who, who * 3))
    assert vote.status == 404


def test_new_records_come_live_and_the_stream_is_on_record(world: World) -> None:
    with opened(world, "/api/audit/live") as response:
        assert response.headers["Content-Type"] == "application/x-ndjson"
        lines = response.iter_lines()
        assert next(lines) == b"{}"
        done = world.get("/api/auth/check")
        seen: list[Any] = []
        while not any(each.get("request_id") == done.request_id for each in seen):
            told = json.loads(next(lines))
            seen += [told["record"]] if told else []
        request_id = response.headers["X-Request-Id"]
    assert [each for each in seen if each.get("request_id") == done.request_id] == world.records(
        done.request_id
    )
    world.get("/api/auth/check")
    wait_until(lambda: len(world.records(request_id)) == 2, "the stream's end is on record")
    begun, ended = (record["reason"] for record in world.records(request_id))
    assert begun == "a live stream begins"
    assert ended.startswith("a live stream ended: ")


def test_so_many_may_watch_and_no_more(world: World) -> None:
    with ExitStack() as stack:
        for _ in range(16):
            assert stack.enter_context(opened(world, "/api/audit/live")).status_code == 200
        refused = ask(world, "/api/audit/live")
        assert (refused.status, refused.body["code"]) == (429, "rate_limited")
        assert "Retry-After" in refused.headers
