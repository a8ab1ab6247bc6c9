"""kill -9 with requests under way: the next start says on the record which of them have no end."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.adversarial.bots import ask
from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.standstill import go_on, stop
from tests.world import World
from vaultsigner.dev.records import Record

BROADCAST, SIGN = "/api/transfer/broadcast", "/api/transfer/sign"


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_desk(
        tmp_path_factory.mktemp("interrupted"), private_key_wallet("one"), private_key_wallet("two")
    ) as running:
        for wallet in ("one", "two"):
            assert running.post(SIGN, transfer(wallet)).status == 200
        yield running


def killed(world: World, asked: dict[str, dict[str, object]], moment: Callable[[], bool]) -> None:
    """Ask, kill the server once the moment has come, and start it again. Nobody gets an answer."""
    token, custody = world.token(), world.service.custody_pid
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = [pool.submit(ask, world.url, path, body, token) for path, body in asked.items()]
        wait_until(moment, "the moment", poll_seconds=0.005)
        os.kill(world.service.server_pid, signal.SIGKILL)
        go_on(custody)
        world.service.stop()
        assert [answer.result().status for answer in answers] == [0] * len(asked)
    world.service.start()


def last_of(world: World, kind: str, operation: str) -> Record:
    """The last record of a kind and an operation."""
    return [each for each in world.records() if (each["kind"], each.get("operation")) == (kind, operation)][
        -1
    ]


def interrupted(world: World) -> list[Record]:
    """The records of crashes; each stands right before the start that told of it."""
    records = world.records()
    found = [number for number, record in enumerate(records) if record.get("event") == "interrupted"]
    assert all(records[number + 1].get("event") == "start" for number in found)
    return [records[number] for number in found]


def test_killed_while_the_node_has_it_the_dispatch_is_missing(world: World) -> None:
    world.node.faults.broadcast_delay_seconds = PATIENCE_SECONDS
    killed(world, {BROADCAST: transfer("one", 7)}, lambda: bool(world.node.chain.received))
    outcome = last_of(world, "outcome", "transfer.broadcast")
    wanted = {"request_id": outcome["request_id"], "operation": "transfer.broadcast", "missing": "dispatch"}
    (told,) = interrupted(world)
    assert (told["details"], told["policy"]) == ({"requests": [wanted], "more": 0}, None)
    assert outcome["transaction_hash"] == world.node.chain.received[-1].transaction_hash


def test_killed_before_they_were_signed_the_outcomes_are_missing(world: World) -> None:
    stop(world.service.custody_pid)
    asked = {BROADCAST: transfer("one", 7), SIGN: transfer("two", 7)}
    intents = len([each for each in world.records() if each["kind"] == "intent"])
    killed(
        world,
        asked,
        lambda: len([each for each in world.records() if each["kind"] == "intent"]) == intents + len(asked),
    )
    (told,) = interrupted(world)
    assert {(each["operation"], each["missing"]) for each in told["details"]["requests"]} == {
        ("transfer.broadcast", "outcome"),
        ("transfer.sign", "outcome"),
    }


def test_an_orderly_end_is_not_told_and_a_crash_only_once(world: World) -> None:
    world.service.kill()
    world.service.start()
    (told,) = interrupted(world)
    assert told["details"] == {"requests": [], "more": 0}
    world.service.stop()
    world.service.start()
    assert len(interrupted(world)) == 1
