"""kill -9 of the server process in the middle of broadcasts: after the restart no number is used for two transactions."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.adversarial.bots import Attempt, ask, sent_by, sequence_of, units_of
from tests.adversarial.desk import PREFIX, private_key_wallet, running_desk, transfer
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.standstill import go_on, stop
from tests.world import World
from vaultsigner.dev.beacon_faults import Fault

WALLETS = (private_key_wallet("one"), private_key_wallet("two"))
BROADCAST = "/api/transfer/broadcast"
UNITS = iter(range(1, 1_000_000))
"""Every transfer of this module pays another amount."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_desk(tmp_path_factory.mktemp("killed"), *WALLETS) as running:
        running.token()
        yield running


@pytest.fixture(autouse=True)
def one_number_one_transaction(world: World) -> Iterator[None]:
    """After each test: numbers without a gap, none for two transactions, every amount executed once at most."""
    yield
    for wallet in WALLETS:
        transactions = {(sequence_of(each), each.hex) for each in sent_by(world, wallet)}
        executed = [each for each in sent_by(world, wallet) if each.executed]
        assert [sequence_of(each) for each in executed] == list(range(len(executed)))
        assert len(transactions) == len({number for number, _ in transactions})
        assert len({units_of(each) for each in executed}) == len(executed)


def broadcast(world: World, units: int, wallet: str = "one") -> Attempt:
    """One transfer."""
    return ask(world.url, BROADCAST, transfer(wallet, units), world.token())


def killed_during_broadcast(world: World, units: int, moment: Callable[[], bool]) -> None:
    """Kill the server once the moment has come, and start everything anew. Nobody gets an answer."""
    with ThreadPoolExecutor(1) as pool:
        asked: Future[Attempt] = pool.submit(broadcast, world, units)
        wait_until(moment, "the moment", poll_seconds=0.005)
        restart_after_kill(world)
        assert asked.result().status == 0


def restart_after_kill(world: World, meanwhile: Callable[[World], None] = lambda _: None) -> None:
    """The launcher ends with the server; whatever supervises it starts it again."""
    custody = world.service.custody_pid
    os.kill(world.service.server_pid, signal.SIGKILL)
    go_on(custody)
    world.service.stop()
    meanwhile(world)
    world.service.start()


def held(world: World) -> list[str]:
    """What is held, by its status."""
    with state(world) as connection:
        return [status for (status,) in connection.execute("SELECT status FROM held")]


def let_lease_pass(world: World) -> None:
    """Half a minute later: whoever held the number when the server was killed is not waited for any more."""
    with state(world) as connection, connection:
        connection.execute("UPDATE held SET lease_until_ms = 0")


def let_lease_last(world: World) -> None:
    """Less than half a minute later, however long the start took here."""
    with state(world) as connection, connection:
        connection.execute("UPDATE held SET lease_until_ms = lease_until_ms + 3600000")


def state(world: World) -> closing[sqlite3.Connection]:
    """The database of a service that may be running."""
    return closing(
        sqlite3.connect(world.installation.directory / "state" / "vaultsigner.db", timeout=PATIENCE_SECONDS)
    )


def test_killed_before_it_was_signed_the_number_goes_to_the_next(world: World) -> None:
    lost, other = next(UNITS), next(UNITS)
    assert broadcast(world, next(UNITS)).status == 200
    stop(world.service.custody_pid)
    killed_during_broadcast(world, lost, lambda: held(world) == ["reserved"])
    let_lease_last(world)
    busy = broadcast(world, other)
    assert (busy.status, busy.body["code"], busy.headers["Retry-After"]) == (409, "wallet_busy", "1")
    let_lease_pass(world)
    assert broadcast(world, other).status == 200
    assert broadcast(world, lost).status == 200


def test_killed_after_the_node_took_it_the_same_request_learns_so(world: World) -> None:
    sent = next(UNITS)
    received = len(world.node.chain.received)
    world.node.faults.broadcast_delay_seconds = PATIENCE_SECONDS
    killed_during_broadcast(world, sent, lambda: len(world.node.chain.received) > received)
    world.node.faults.broadcast_delay_seconds = 0.0
    let_lease_last(world)
    assert (held(world), broadcast(world, sent).body["code"]) == (["sent"], "wallet_busy")
    let_lease_pass(world)
    again = broadcast(world, sent)
    assert again.status == 200
    assert again.body[0]["hash"] == world.node.chain.received[-1].transaction_hash
    assert len(world.node.chain.received) == received + 1
    assert broadcast(world, next(UNITS)).status == 200


def test_killed_after_it_got_lost_the_same_request_sends_the_same_bytes(world: World) -> None:
    sent, other = next(UNITS), next(UNITS)
    world.node.faults.arm(Fault.keeps_silent())
    received = len(world.node.chain.received)
    killed_during_broadcast(world, sent, lambda: len(world.node.chain.received) > received)
    let_lease_pass(world)
    refused = broadcast(world, other)
    assert (refused.status, refused.body["code"]) == (409, "sequence_held")
    assert broadcast(world, sent).status == 200
    first, second = world.node.chain.received[received:]
    assert first.hex == second.hex
    assert broadcast(world, other).status == 200


@pytest.mark.parametrize("executes", [True, False])
def test_killed_with_the_outcome_unknown_a_resync_settles_it(world: World, executes: bool) -> None:
    sent, other = next(UNITS), next(UNITS)
    world.node.faults.arm(Fault.keeps_silent(executes=executes))
    received = len(world.node.chain.received)
    killed_during_broadcast(world, sent, lambda: len(world.node.chain.received) > received)
    let_lease_pass(world)
    assert broadcast(world, other).body["code"] == "sequence_held"
    assert (
        ask(world.url, "/api/transfer/sign", transfer("one", other), world.token()).body["code"]
        == "sequence_held"
    )
    assert ask(world.url, "/api/wallet/resync", {"wallet_name": "one"}, world.token()).status == 200
    assert broadcast(world, other).status == 200
    assert [units_of(each) for each in world.node.chain.executed[-1:]] == [other]


def test_killed_at_any_moment_every_request_is_executed_once_in_the_end(world: World) -> None:
    """Bots that repeat what was not answered, unless it has been settled: at the end each amount has been paid once."""
    wanted = {wallet.name: [next(UNITS) for _ in range(25)] for wallet in WALLETS}
    world.node.faults.broadcast_delay_seconds = 0.01
    token = world.token()
    with ThreadPoolExecutor(len(WALLETS)) as pool:
        bots = [pool.submit(repeat, world, token, wallet, amounts) for wallet, amounts in wanted.items()]
        for pause in (0.2, 0.35):
            time.sleep(pause)
            restart_after_kill(world, let_lease_pass)
        attempts = sum(bot.result() for bot in bots)
    world.node.faults.broadcast_delay_seconds = 0.0
    assert attempts > sum(map(len, wanted.values()))
    for wallet in WALLETS:
        executed = [units_of(each) for each in sent_by(world, wallet) if each.executed]
        assert executed[-len(wanted[wallet.name]) :] == wanted[wallet.name]


def repeat(world: World, token: str, wallet: str, amounts: list[int]) -> int:
    """Each broadcast until it has worked; how many attempts that took."""
    attempts = 0
    for units in amounts:
        done = False
        while not done:
            attempts += 1
            attempt = ask(world.url, BROADCAST, transfer(wallet, units), token)
            assert attempt.status in (0, 200, 409, 503), attempt
            done = attempt.status == 200 or (attempt.status == 0 and settled(world, wallet, units))
            time.sleep(0.01)
    return attempts


def settled(world: World, wallet: str, units: int) -> bool:
    """Whether it was paid and all that was missing is the answer. Nobody else has the wallet: no number of it is held then."""
    (planned,) = (each for each in WALLETS if each.name == wallet)
    paid = any(each.executed and units_of(each) == units for each in sent_by(world, planned))
    with state(world) as connection:
        found = connection.execute("SELECT 1 FROM held WHERE address = ?", (planned.address(PREFIX),))
        return paid and found.fetchone() is None


def test_the_record_of_all_this_is_unbroken(world: World) -> None:
    """Every chain of every life verifies, and says of each transaction that reached the node that it was signed."""
    signed = {record.get("transaction_hash") for record in world.records() if record["kind"] == "outcome"}
    known = {received.transaction_hash for received in world.node.chain.executed}
    assert known <= signed


def test_no_process_outlives_a_killed_launcher(world: World) -> None:
    pids = (world.service.server_pid, world.service.custody_pid)
    world.service.kill()
    wait_until(lambda: not any(alive(pid) for pid in pids), "both processes end")
    world.service.start()


def alive(pid: int) -> bool:
    """Whether the process runs; one that waits for its parent to take note of its end does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 (gone files are an OSError either way)
        return stat.read().rpartition(")")[2].split()[0] != "Z"
