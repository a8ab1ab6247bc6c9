"""A disk with no room left for the server: without its record no signature, no transaction and no refusal gets out."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.adversarial.desk import NewRecords, numbers, private_key_wallet, running_desk, transfer
from tests.patience import wait_until
from tests.world import Answer, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_desk(tmp_path_factory.mktemp("full"), private_key_wallet("desk")) as running:
        assert running.post("/api/transfer/broadcast", transfer("desk")).status == 200
        yield running


@contextmanager
def disk_full(world: World, room: int = 0) -> Iterator[None]:
    """The server's files cannot grow past the records' present size and `room` bytes."""
    size = max(path.stat().st_size for path in world.installation.audit_directory.rglob("*.jsonl"))
    pid = world.service.server_pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + room, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.fixture(autouse=True)
def recovers(world: World) -> Iterator[None]:
    """Once there is room again, the same process goes on, on a record that is whole."""
    pid = world.service.server_pid
    yield
    until_signed(world)
    assert world.post("/api/transfer/broadcast", transfer("desk")).status == 200
    assert world.service.is_ready()
    assert world.service.server_pid == pid
    assert world.records()


def until_signed(world: World) -> None:
    """Wait until signatures can be had again."""
    wait_until(
        lambda: world.post("/api/transfer/sign", transfer("desk")).status == 200,
        "signatures",
        poll_seconds=0.05,
    )


ASK: dict[str, Callable[[World], Answer]] = {
    "sign": lambda world: world.post("/api/transfer/sign", transfer("desk")),
    "broadcast": lambda world: world.post("/api/transfer/broadcast", transfer("desk")),
    "bad field": lambda world: world.post("/api/transfer/sign", transfer("desk", amount=0)),
    "unknown wallet": lambda world: world.get("/api/wallet/nobody"),
    "wallets": lambda world: world.get("/api/wallet"),
    "no token": lambda world: world.ask("GET", "/api/wallet", None, token=None),
    "bad log-in": lambda world: world.ask(
        "POST", "/api/auth/login", {"username": "a", "password": "b"}, token=None
    ),
    "unknown path": lambda world: world.get("/api/nothing"),
}


@pytest.mark.parametrize("what", ASK)
def test_without_room_for_the_record_nothing_is_answered(world: World, what: str) -> None:
    world.token()
    before, received, records = numbers(world), len(world.node.chain.received), NewRecords(world)
    with disk_full(world):
        for _ in range(3):
            answer = ASK[what](world)
            assert (answer.status, answer.body["code"]) == (503, "audit_unavailable"), answer
            assert answer.body.keys() == {"code", "message", "detail", "request_id"}
            assert "signed_msg" not in str(answer.body)
        assert not world.service.is_ready()
        assert records.look() == []
    assert len(world.node.chain.received) == received
    assert numbers(world) == before


def test_with_room_for_the_intent_alone_the_signature_is_dropped(world: World) -> None:
    """The record of the signature does not fit: what custody has signed is not given out and not sent."""
    [intent, outcome] = world.records(world.post("/api/transfer/sign", transfer("desk")).request_id)
    assert (intent["kind"], outcome["kind"]) == ("intent", "outcome")
    with disk_full(world, room=900):
        answer = world.post("/api/transfer/sign", transfer("desk"))
        assert (answer.status, answer.body["code"]) == (503, "audit_unavailable"), answer
    until_signed(world)  # which also ends the line that was written half
    assert [record["kind"] for record in world.records(answer.request_id)] == ["intent"]


def test_with_room_for_the_intent_alone_nothing_is_sent(world: World) -> None:
    before, received = numbers(world), len(world.node.chain.received)
    with disk_full(world, room=900):
        answer = world.post("/api/transfer/broadcast", transfer("desk"))
        assert answer.status == 503
        assert answer.body["code"] in ("audit_unavailable", "state_unavailable")  # the same disk
    until_signed(world)
    assert (numbers(world), len(world.node.chain.received)) == (before, received)
    assert not any(record.get("signed_sha256") for record in world.records(answer.request_id))
