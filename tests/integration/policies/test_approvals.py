"""Two people must agree: over HTTP, by the real processes, on two servers, and to nothing but the request they have seen."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.adversarial.desk import RECEIVER, private_key_wallet, running_desk, transfer
from tests.integration.signed.callers import ED25519, HMAC, NAMES, UNHURRIED, planned_clients
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.signing_client import Reply, SigningKey, signed_call
from tests.world import USERNAME, Answer, World, cheap_hash
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedUser
from vaultsigner.dev.service import Service

ONE = private_key_wallet("one")
HEADER, APPROVALS, SEND = "X-Vaultsigner-Approval", "/api/approvals", "/api/transfer/broadcast"
HMAC_BOT = NAMES["hmac_doc"]
COPIES = 16
POLICY = """\
version: 1
groups: {risk: [user:ann, user:bob, user:eve, "client:%s"]}
rules:
  - {id: small, effect: allow, operations: [transfer.*], when: {amount: {max: "1"}}}
  - id: large
    effect: allow
    operations: [transfer.*]
    when: {amount: {above: "1"}}
    approvals: {count: %s, of: [group:risk], within: 1h}
"""
_amounts = itertools.count(200_000_000)


def user(name: str, *roles: str) -> PlannedUser:
    """A user whose password is their name three times."""
    return PlannedUser(name, name * 3, {"one": EVERY_PERMISSION}, cheap_hash(name * 3), roles)


def new_world(directory: Path) -> Any:
    return running_desk(
        directory,
        ONE,
        policy=POLICY % (NAMES["ed25519_test"], 2),
        users=(*(user(name) for name in ("ann", "bob", "eve", "kim")), user("olga", "operator")),
        clients=planned_clients("one"),
        rate_limits=UNHURRIED,
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with new_world(tmp_path_factory.mktemp("approvals")) as running:
        for name in ("ann", "bob", "eve", "kim", "olga"):
            running.token(name, name * 3)
        running.token()
        yield running


def ask(
    world: World,
    who: str,
    method: str,
    path: str,
    body: object = None,
    *,
    approval: str | None = None,
    service: Service | None = None,
) -> Answer:
    """As a user, with an approval's id if there is one."""
    token = world.token() if who == USERNAME else world.token(who, who * 3)
    headers = {"Authorization": f"Bearer {token}"} | ({HEADER: approval} if approval else {})
    url = (service or world.service).url
    reply = requests.request(method, f"{url}{path}", headers=headers, json=body, timeout=PATIENCE_SECONDS)
    return Answer(reply.status_code, reply.json(), reply.headers)


def by_client(world: World, key: SigningKey, body: object, approval: str | None = None) -> Reply:
    call = signed_call(key, "POST", SEND, document=body)
    headers = {**call.headers, **({HEADER: approval} if approval else {})}
    return world.send(replace(call, headers=headers))


def vote(world: World, who: str, approval: str, word: str = "approve", **options: Any) -> Answer:
    return ask(world, who, "POST", f"{APPROVALS}/{approval}/{word}", **options)


def large(**members: object) -> dict[str, Any]:
    """A transfer of more than one coin; no two alike."""
    return transfer("one", next(_amounts), **members)


def opened(world: World, body: object, who: str = USERNAME) -> str:
    answer = ask(world, who, "POST", SEND, body)
    assert (answer.status, answer.body["code"]) == (202, "approval_required"), answer.body
    found: str = answer.body["approval"]["id"]
    return found


def granted(world: World, body: object, who: str = USERNAME) -> str:
    approval = opened(world, body, who)
    for name in ("ann", "bob"):
        assert vote(world, name, approval).status == 200
    return approval


def sent(world: World) -> int:
    """How many transactions the chain has taken."""
    return len(world.node.chain.executed)


def outcome(answer: Answer | Reply) -> tuple[int, str]:
    return answer.status, "ok" if answer.status == 200 else answer.body["code"]


def test_once_two_have_agreed_it_is_sent_and_sent_once(world: World) -> None:
    body, before = large(memo="invoice 42"), sent(world)
    approval = opened(world, body)
    shown = ask(world, "ann", "GET", f"{APPROVALS}/{approval}").body
    assert shown["request"]["items"] == [
        {"to_address": RECEIVER, "symbol": "BNB", "amount": body["msg"]["amount"]}
    ]
    assert (shown["request"]["memo"], shown["requested_by"]) == ("invoice 42", f"user:{USERNAME}")
    assert outcome(ask(world, USERNAME, "POST", SEND, body, approval=approval)) == (
        403,
        "approval_not_granted",
    )
    assert vote(world, "ann", approval, body={"comment": "called back"}).body["given"] == 1
    assert outcome(ask(world, USERNAME, "POST", SEND, body, approval=approval)) == (
        403,
        "approval_not_granted",
    )
    assert vote(world, "bob", approval).body["status"] == "granted"
    assert sent(world) == before
    done = ask(world, USERNAME, "POST", SEND, body, approval=approval)
    assert done.status == 200, done.body
    assert done.headers["X-Vaultsigner-Decision"].startswith("rule=large;")
    assert sent(world) == before + 1
    again = ask(world, USERNAME, "POST", SEND, body, approval=approval)
    assert outcome(again) == (403, "approval_not_granted")
    assert "used already" in again.body["message"]
    assert sent(world) == before + 1
    assert ask(world, "ann", "GET", f"{APPROVALS}/{approval}").body["status"] == "used"


def test_nothing_is_signed_before_two_have_agreed(world: World) -> None:
    before = sent(world)
    answer = ask(world, USERNAME, "POST", SEND, large())
    records = world.records(answer.request_id)
    assert [(each["kind"], each.get("code"), each.get("status")) for each in records] == [
        ("intent", None, None),
        ("outcome", "approval_required", 202),
    ]
    assert sent(world) == before
    assert ask(world, USERNAME, "POST", SEND, transfer("one")).status == 200
    assert sent(world) == before + 1


def test_it_is_good_for_no_other_request_and_for_nobody_else(world: World) -> None:
    body, before = large(), sent(world)
    approval = granted(world, body)
    other = {**body, "msg": {**body["msg"], "amount": "2.99999999"}}
    many = {
        "wallet_name": "one",
        "msg": {"transfers": [body["msg"], {**body["msg"], "symbol": "BUSD-BAF"}]},
    }
    tries: list[Answer | Reply] = [
        ask(world, USERNAME, "POST", SEND, other, approval=approval),
        ask(world, USERNAME, "POST", SEND, many, approval=approval),
        ask(world, USERNAME, "POST", SEND, {**body, "memo": "to me"}, approval=approval),
        ask(world, USERNAME, "POST", "/api/transfer/sign", body, approval=approval),
        ask(world, "kim", "POST", SEND, body, approval=approval),
        ask(world, "ann", "POST", SEND, body, approval=approval),
        by_client(world, HMAC, body, approval),
        ask(world, USERNAME, "POST", SEND, body, approval="0" * 32),
        ask(world, USERNAME, "POST", SEND, body, approval="x"),
    ]
    assert [outcome(each) for each in tries] == [(403, "approval_not_granted")] * len(tries)
    assert sent(world) == before
    assert ask(world, USERNAME, "POST", SEND, body, approval=approval).status == 200


def test_only_those_whom_the_rule_names_decide_and_never_on_their_own(world: World) -> None:
    body = large()
    approval = opened(world, body, "ann")
    assert outcome(vote(world, "ann", approval)) == (403, "no_permission")
    for outsider in ("kim", "olga", USERNAME):
        assert outcome(vote(world, outsider, approval)) == (404, "approval_not_found")
        # Whoever has a role sees everything that waits, and has no say for that.
        sees = outsider == "olga"
        asked = outcome(ask(world, outsider, "GET", f"{APPROVALS}/{approval}"))
        assert asked == ((200, "ok") if sees else (404, "approval_not_found"))
        listed = ask(world, outsider, "GET", APPROVALS).body["approvals"]
        assert (approval in [each["id"] for each in listed]) is sees
    assert world.ask("POST", f"{APPROVALS}/{approval}/approve", None, token=None).status == 401
    assert ask(world, "ann", "GET", f"{APPROVALS}/{approval}").body["votes"] == []
    assert vote(world, "bob", approval).status == 200
    assert outcome(vote(world, "bob", approval)) == (409, "approval_closed")
    assert outcome(ask(world, "ann", "POST", SEND, body, approval=approval)) == (403, "approval_not_granted")
    assert vote(world, "eve", approval).body["status"] == "granted"
    assert ask(world, "ann", "POST", SEND, body, approval=approval).status == 200


def test_one_no_is_the_end_of_it(world: World) -> None:
    body = large()
    approval = granted(world, body)
    assert vote(world, "eve", approval, "reject", body={"comment": "wrong account"}).body["status"] == (
        "rejected"
    )
    refused = ask(world, USERNAME, "POST", SEND, body, approval=approval)
    assert outcome(refused) == (403, "approval_not_granted")
    assert "rejected" in refused.body["message"]
    assert outcome(vote(world, "eve", approval)) == (409, "approval_closed")
    votes = [
        (each["details"]["by"], each["details"]["vote"], each["details"]["comment"])
        for each in world.records()
        if each.get("event") == "approval" and each["details"]["id"] == approval
    ]
    assert votes == [
        ("user:ann", "approve", None),
        ("user:bob", "approve", None),
        ("user:eve", "reject", "wrong account"),
    ]


def test_clients_ask_by_their_signatures_and_people_decide(world: World) -> None:
    body = large()
    call = signed_call(HMAC, "POST", SEND, document=body)
    reply = world.send(call)
    assert (reply.status, reply.body["code"]) == (202, "approval_required")
    assert outcome(world.send(call)) == (409, "replayed")
    approval = reply.body["approval"]["id"]
    assert by_client(world, HMAC, body).body["approval"]["id"] == approval
    path = f"{APPROVALS}/{approval}/approve"
    assert outcome(world.signed(HMAC, "POST", path)) == (403, "no_permission")
    voted = world.signed(ED25519, "POST", path, document={"comment": "a program in the group"})
    assert outcome(voted) == (404, "approval_not_found")
    assert vote(world, "ann", approval).body["given"] == 1
    assert vote(world, "eve", approval).body["status"] == "granted"
    assert by_client(world, HMAC, body, approval).status == 200


def test_of_many_at_once_on_two_servers_one_gets_through(world: World) -> None:
    body, before = large(), sent(world)
    approval = granted(world, body)
    with world.second_service() as second:
        ready = threading.Barrier(COPIES)

        def use(number: int) -> tuple[int, str]:
            ready.wait()
            service = second if number % 2 else None
            return outcome(
                ask(
                    world,
                    USERNAME,
                    "POST",
                    "/api/transfer/broadcast",
                    body,
                    approval=approval,
                    service=service,
                )
            )

        with ThreadPoolExecutor(COPIES) as pool:
            outcomes = Counter(pool.map(use, range(COPIES)))
    assert outcomes[200, "ok"] <= 1
    assert sent(world) - before == outcomes[200, "ok"] == 1, outcomes


def test_what_is_suspended_is_not_done_though_it_is_approved(world: World) -> None:
    body, before = large(), sent(world)
    approval = granted(world, body)
    suspended = {"kind": "wallet", "name": "one", "reason": "drill"}
    assert ask(world, "olga", "POST", "/api/suspensions", suspended).status == 200
    for tried in (
        ask(world, USERNAME, "POST", SEND, body, approval=approval),
        ask(world, USERNAME, "POST", SEND, large()),
        ask(world, USERNAME, "POST", "/api/transfer/sign", transfer("one")),
        ask(world, USERNAME, "POST", "/api/wallet/resync", {"wallet_name": "one"}),
        by_client(world, HMAC, transfer("one")),
    ):
        assert outcome(tried) == (403, "suspended")
    assert sent(world) == before
    assert ask(world, "olga", "DELETE", "/api/suspensions/wallet/one").status == 200
    assert ask(world, USERNAME, "POST", SEND, body, approval=approval).status == 200


def test_while_everything_is_suspended_operators_sign_nothing_either(world: World) -> None:
    assert ask(world, "olga", "POST", "/api/suspensions", {"kind": "all", "reason": "drill"}).status == 200
    assert outcome(ask(world, "olga", "POST", SEND, transfer("one"))) == (403, "suspended")
    assert ask(world, "olga", "DELETE", "/api/suspensions/all").status == 200
    assert ask(world, "olga", "POST", SEND, transfer("one")).status == 200


def test_a_stricter_rule_makes_what_was_granted_worthless_and_a_restart_does_not(tmp_path: Path) -> None:
    with new_world(tmp_path / "world") as world:
        body, other = large(), large()
        approval, second = granted(world, body), granted(world, other)
        world.service.stop()
        world.service.start()
        assert ask(world, USERNAME, "POST", SEND, body, approval=approval).status == 200
        file = world.installation.settings.policies / "policy.yml"
        file.write_text(POLICY % (NAMES["ed25519_test"], 3))

        def needed() -> object:
            reply = ask(world, USERNAME, "POST", SEND, large())
            return reply.status == 202 and reply.body["approval"]["needed"]

        wait_until(lambda: needed() == 3, "the stricter rule is in force", poll_seconds=0.1)
        assert outcome(ask(world, USERNAME, "POST", SEND, other, approval=second)) == (
            403,
            "approval_not_granted",
        )
