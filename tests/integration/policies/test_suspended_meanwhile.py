"""What is suspended while Vault is being asked for the key stays in: its signature is dropped, its number is free again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.adversarial.desk import NewRecords, numbers, private_key_wallet, running_desk, transfer
from tests.patience import wait_until
from tests.standstill import standing_still
from tests.world import USERNAME, Answer, World, cheap_hash
from vaultsigner.dev.installation import PlannedUser

SUSPENSIONS = "/api/suspensions"
NOT_IN_TIME = ("vault_unavailable", "custody_unavailable")
"""Vault stood still for longer than custody waits: the machine was too busy for this attempt."""
ATTEMPTS = 10


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_desk(
        tmp_path_factory.mktemp("meanwhile") / "world",
        private_key_wallet("one"),
        users=(PlannedUser("olga", "olga" * 3, {}, cheap_hash("olga" * 3), ("operator",)),),
    ) as running:
        running.token("olga", "olga" * 3)
        assert running.post("/api/transfer/broadcast", transfer("one")).status == 200
        yield running


@contextmanager
def vault_standing_still(world: World) -> Iterator[None]:
    pid = world.openbao.pid
    assert pid is not None
    with standing_still(pid):
        yield


def suspend(world: World, kind: str, name: str) -> None:
    """By an operator, whose token needs no Vault."""
    body = {"kind": kind, "reason": "a drill"} | ({"name": name} if name else {})
    assert world.ask("POST", SUSPENSIONS, body, token=world.token("olga")).status == 200


def resume(world: World, kind: str, name: str) -> None:
    path = f"{SUSPENSIONS}/{kind}/{name}" if name else f"{SUSPENSIONS}/{kind}"
    assert world.ask("DELETE", path, None, token=world.token("olga")).status == 200


def suspended_meanwhile(world: World, path: str, kind: str, name: str) -> Answer | None:
    """The answer to a request whose suspension begins when its intent is on the record, and ends once it is answered.

    None where it was answered before the suspension was in force: then Vault was not asked any more.
    """
    records = NewRecords(world)
    with ThreadPoolExecutor(1) as pool:
        with vault_standing_still(world):
            asked = pool.submit(world.post, path, transfer("one"))
            wait_until(lambda: any(each["kind"] == "intent" for each in records.look()), "its intent")
            suspend(world, kind, name)
            in_time = not asked.done()
        answer = asked.result()
    resume(world, kind, name)
    return answer if in_time else None


@pytest.mark.parametrize("verb", ["sign", "broadcast"])
@pytest.mark.parametrize(("kind", "name"), [("wallet", "one"), ("user", USERNAME), ("all", "")])
def test_a_suspension_while_vault_is_asked_keeps_the_signature_in(
    world: World, verb: str, kind: str, name: str
) -> None:
    path, before, received = f"/api/transfer/{verb}", numbers(world), len(world.node.chain.received)
    attempts = (suspended_meanwhile(world, path, kind, name) for _ in range(ATTEMPTS))
    answer = next(
        each
        for each in attempts
        if each is not None and (each.status == 200 or each.body["code"] not in NOT_IN_TIME)
    )
    assert (answer.status, answer.body["code"]) == (403, "suspended"), answer
    assert "signed_msg" not in str(answer.body)
    told = [(each["kind"], each.get("code")) for each in world.records(answer.request_id)]
    assert told == [("intent", None), ("outcome", "suspended")]
    assert len(world.node.chain.received) == received
    assert numbers(world) == before, "no number is held"
    assert world.post(path, transfer("one")).status == 200
