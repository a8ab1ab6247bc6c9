"""What a broadcast leaves behind when the node says yes, no, nothing, or is not there: never one number for two transactions."""

import hashlib
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS, wait_until
from tests.world import Answer, World
from vaultsigner.dev.beacon_faults import Fault

WALLET = "sample-testnet"
ACCOUNT_NUMBER = 7
STARTS = itertools.count(100, 100)
"""Each test starts higher than the one before: a resync downwards waits for blocks that may be late."""
Body = dict[str, Any]


def transfer(amount: str, address: str) -> Body:
    return {"wallet_name": WALLET, "msg": {"symbol": "BNB", "amount": amount, "to_address": address}}


@pytest.fixture
def start() -> int:
    """The account's next number when the test begins."""
    return next(STARTS)


@pytest.fixture
def address(shared: World, start: int) -> Iterator[str]:
    """The wallet's address, at a known sequence, with a node in good order before and after."""
    found = str(shared.get(f"/api/wallet/{WALLET}").body["address"])
    shared.node.chain.received.clear()
    shared.node.chain.add_account(found, ACCOUNT_NUMBER, start)
    assert resync(shared).status == 200
    yield found
    shared.node.faults.every_query = None
    shared.node.faults.every_broadcast = None
    shared.node.faults.broadcast_delay_seconds = 0.0
    shared.node.chain.chain_id = "Binance-Chain-Ganges"


def resync(world: World) -> Answer:
    return world.post("/api/wallet/resync", {"wallet_name": WALLET})


def sequences(world: World) -> list[int]:
    """The numbers of all transactions that reached the node, whatever became of them."""
    return [received.transaction.sequence for received in world.node.chain.received if received.transaction]


def kinds(world: World, answer: Answer) -> list[str]:
    return [record["kind"] for record in world.records(answer.request_id)]


def test_numbers_follow_one_another(shared: World, address: str, start: int) -> None:
    for amount in ("1", "2", "3"):
        assert shared.post("/api/transfer/broadcast", transfer(amount, address)).status == 200
    assert sequences(shared) == [start, start + 1, start + 2]


def test_the_answer_is_the_nodes_own_list(shared: World, address: str) -> None:
    answer = shared.post("/api/transfer/broadcast", transfer("1", address))
    sent = shared.node.chain.received[0]
    assert answer.body == [
        {"code": 0, "data": "", "hash": sent.transaction_hash, "log": "Msg 0: ", "ok": True}
    ]
    assert answer.headers["X-Vaultsigner-Decision"].startswith("rule=within-permissions; policy=")


def test_signing_leaves_the_sequence_alone(shared: World, address: str) -> None:
    answers = {shared.post("/api/transfer/sign", transfer("1", address)).body["signed_msg"] for _ in range(3)}
    assert len(answers) == 1
    shared.post("/api/transfer/broadcast", transfer("1", address))
    assert shared.post("/api/transfer/sign", transfer("1", address)).body["signed_msg"] not in answers


@pytest.mark.parametrize("at_once", [24])
def test_broadcasts_at_the_same_time_take_turns(
    shared: World, address: str, start: int, at_once: int
) -> None:
    shared.token()
    with ThreadPoolExecutor(at_once) as pool:
        bodies = [transfer(f"0.{number + 1:08d}", address) for number in range(at_once)]
        answers = list(pool.map(lambda body: shared.post("/api/transfer/broadcast", body), bodies))
    assert [answer.status for answer in answers] == [200] * at_once
    assert sequences(shared) == list(range(start, start + at_once))


def test_a_refusal_is_told_with_the_nodes_reason_and_uses_no_number(
    shared: World, address: str, start: int
) -> None:
    shared.node.faults.arm(Fault.refuses("insufficient fund"))
    answer = shared.post("/api/transfer/broadcast", transfer("1", address))
    assert (answer.status, answer.body["code"]) == (502, "node_refused")
    assert "insufficient fund" in answer.body["message"]
    dispatch = shared.records(answer.request_id)[-1]
    assert (dispatch["result"], dispatch["answered"], dispatch["status"]) == ("refused", 502, 400)
    assert shared.post("/api/transfer/broadcast", transfer("2", address)).status == 200
    assert shared.node.chain.executed[-1].transaction is not None
    assert shared.node.chain.executed[-1].transaction.sequence == start


def test_a_sequence_that_somebody_else_used_is_caught_up_with(
    shared: World, address: str, start: int
) -> None:
    shared.node.chain.accounts[address].sequence = start + 5
    refused = shared.post("/api/transfer/broadcast", transfer("1", address))
    assert refused.body["code"] == "node_refused"
    assert shared.post("/api/transfer/broadcast", transfer("1", address)).status == 200
    assert shared.node.chain.executed[-1].transaction is not None
    assert shared.node.chain.executed[-1].transaction.sequence == start + 5


DROPPED_AFTER = Fault.drops_connection(executes=True)
DROPPED_BEFORE = Fault.drops_connection()
LOST = [
    pytest.param(DROPPED_AFTER, id="dropped-after-executing"),
    pytest.param(Fault.answers(503, "<html>", executes=True), id="503-after-executing"),
    pytest.param(Fault.answers(200, "{}", executes=True), id="senseless-after-executing"),
]
NOT_TAKEN = [
    pytest.param(DROPPED_BEFORE, id="dropped"),
    pytest.param(Fault.answers(502, "<html>"), id="502"),
    pytest.param(Fault.answers(200, "nonsense"), id="senseless"),
]


def unknown(world: World, address: str, fault: Fault) -> Answer:
    """A broadcast of 1 BNB whose outcome nobody knows."""
    world.node.faults.arm(fault)
    answer = world.post("/api/transfer/broadcast", transfer("1", address))
    assert (answer.status, answer.body["code"]) == (504, "outcome_unknown")
    assert kinds(world, answer) == ["intent", "outcome", "dispatch"]
    assert world.records(answer.request_id)[-1]["result"] == "unknown"
    return answer


@pytest.mark.parametrize("fault", LOST + NOT_TAKEN)
def test_another_transaction_never_gets_a_held_number(shared: World, address: str, fault: Fault) -> None:
    unknown(shared, address, fault)
    for verb in ("broadcast", "sign"):
        answer = shared.post(f"/api/transfer/{verb}", transfer("2", address))
        assert (answer.status, answer.body["code"]) == (409, "sequence_held")
        assert "/api/wallet/resync" in answer.body["message"]
    assert len({received.hex for received in shared.node.chain.received}) == 1


@pytest.mark.parametrize("fault", NOT_TAKEN)
def test_the_same_request_sends_the_same_bytes_again(shared: World, address: str, fault: Fault) -> None:
    unknown(shared, address, fault)
    again = shared.post("/api/transfer/broadcast", transfer("1", address))
    assert again.status == 200
    assert len({received.hex for received in shared.node.chain.received}) == 1
    assert len(shared.node.chain.executed) == 1


@pytest.mark.parametrize("fault", LOST)
def test_the_same_request_learns_that_it_had_arrived(
    shared: World, address: str, start: int, fault: Fault
) -> None:
    unknown(shared, address, fault)
    again = shared.post("/api/transfer/broadcast", transfer("1", address))
    assert again.status == 200
    assert again.body[0]["hash"] == shared.node.chain.executed[0].transaction_hash
    assert len(shared.node.chain.received) == 1
    assert shared.post("/api/transfer/broadcast", transfer("2", address)).status == 200
    assert sequences(shared) == [start, start + 1]


@pytest.mark.parametrize(("fault", "used"), [(DROPPED_AFTER, 1), (DROPPED_BEFORE, 0)])
def test_resync_settles_by_asking_the_node(
    shared: World, address: str, start: int, fault: Fault, used: int
) -> None:
    unknown(shared, address, fault)
    settled = resync(shared)
    assert (settled.status, settled.body) == (200, {})
    assert f"sequence {start + used}" in shared.records(settled.request_id)[-1]["reason"]
    assert shared.post("/api/transfer/broadcast", transfer("2", address)).status == 200
    assert sequences(shared)[-1] == start + used


def test_the_same_request_learns_that_it_had_arrived_though_its_block_is_late(
    shared: World, address: str
) -> None:
    shared.node.chain.block_seconds = 1.5
    try:
        unknown(shared, address, DROPPED_AFTER)
        assert shared.post("/api/transfer/broadcast", transfer("1", address)).status == 200
    finally:
        shared.node.chain.block_seconds = 0.0
    assert len(shared.node.chain.executed) == 1


def test_a_refused_second_copy_does_not_free_the_number_of_the_first(
    shared: World, address: str, start: int
) -> None:
    """A gateway's 429 must not make room for a second payment while the first one may still arrive."""
    unknown(shared, address, DROPPED_BEFORE)
    shared.node.faults.arm(Fault.answers(429, '{"message": "slow down"}'))
    again = shared.post("/api/transfer/broadcast", transfer("1", address))
    assert (again.status, again.body["code"]) == (504, "outcome_unknown")
    assert "slow down" in again.body["message"]
    assert shared.post("/api/transfer/broadcast", transfer("2", address)).body["code"] == "sequence_held"
    shared.node.chain.take(shared.node.chain.received[0].hex)  # the first copy arrives after all
    assert shared.post("/api/transfer/broadcast", transfer("1", address)).status == 200
    assert len(shared.node.chain.executed) == 1
    assert shared.post("/api/transfer/broadcast", transfer("2", address)).status == 200
    assert sequences(shared)[-1] == start + 1


def test_resync_does_not_take_a_block_that_is_late_for_a_number_that_is_free(
    shared: World, address: str, start: int
) -> None:
    shared.node.chain.block_seconds = 1.5
    try:
        unknown(shared, address, DROPPED_AFTER)
        assert resync(shared).status == 200
        assert shared.post("/api/transfer/broadcast", transfer("2", address)).status == 200
    finally:
        shared.node.chain.block_seconds = 0.0
    assert sequences(shared) == [start, start + 1]


def test_resync_without_a_node_leaves_the_number_held(shared: World, address: str) -> None:
    unknown(shared, address, DROPPED_BEFORE)
    shared.node.faults.every_query = Fault.answers(503, "{}")
    failed = resync(shared)
    assert (failed.status, failed.body["code"]) == (502, "node_unavailable")
    shared.node.faults.every_query = None
    assert shared.post("/api/transfer/broadcast", transfer("2", address)).body["code"] == "sequence_held"


def test_a_held_number_survives_a_restart(shared: World, address: str, start: int) -> None:
    unknown(shared, address, DROPPED_BEFORE)
    shared.service.stop()
    shared.service.start()
    assert shared.post("/api/transfer/broadcast", transfer("2", address)).body["code"] == "sequence_held"
    assert shared.post("/api/transfer/broadcast", transfer("1", address)).status == 200


@contextmanager
def broadcasting(shared: World, address: str) -> Iterator[threading.Thread]:
    """A broadcast that the node has and has not answered yet; at the end it is waited for."""
    received = len(shared.node.chain.received)
    slow = threading.Thread(target=shared.post, args=("/api/transfer/broadcast", transfer("1", address)))
    slow.start()
    try:
        wait_until(lambda: len(shared.node.chain.received) > received, "the node has it")
        yield slow
    finally:
        shared.node.faults.broadcast_delay_seconds = 0.0
        slow.join()


def test_a_node_that_is_slow_blocks_its_wallet_only(shared: World, address: str, start: int) -> None:
    shared.node.faults.broadcast_delay_seconds = PATIENCE_SECONDS
    other = {
        "wallet_name": "abandon12-testnet",
        "msg": {"symbol": "BNB", "amount": "1", "to_address": address},
    }
    shared.node.chain.add_account(str(shared.get("/api/wallet/abandon12-testnet").body["address"]), 1, 0)
    with broadcasting(shared, address) as slow:
        assert shared.post("/api/transfer/sign", other).status == 200
        assert slow.is_alive()
        shared.node.faults.broadcast_delay_seconds = 0.0


def test_signing_during_a_broadcast_waits_for_its_end(shared: World, address: str, start: int) -> None:
    shared.node.faults.broadcast_delay_seconds = PATIENCE_SECONDS
    with broadcasting(shared, address), ThreadPoolExecutor(1) as pool:
        during = pool.submit(shared.post, "/api/transfer/sign", transfer("2", address))
        assert wait([during], timeout=0.5).not_done
        shared.node.faults.broadcast_delay_seconds = 0.0
        signed = during.result()
    assert (
        signed.body["signed_msg"]
        == (shared.post("/api/transfer/sign", transfer("2", address)).body["signed_msg"])
    )


@pytest.mark.parametrize(
    ("query", "seen"), [("", True), ("?sync=true", True), ("?sync=0", False), ("?sync=False", False)]
)
def test_sync_is_honoured(shared: World, address: str, start: int, query: str, seen: bool) -> None:
    """Without sync the node does not say no; with it, it does. The amounts differ from what the account could hold."""
    shared.node.chain.accounts[address].sequence = start + 1
    answer = shared.post(f"/api/transfer/broadcast{query}", transfer("1", address))
    assert answer.status == (502 if seen else 200)


def test_a_node_of_another_chain_gives_no_sequence(shared: World, address: str, start: int) -> None:
    shared.service.stop()
    shared.node.chain.chain_id = "Binance-Chain-Tigris"
    shared.service.start()
    answer = resync(shared)
    assert (answer.status, answer.body["code"]) == (502, "node_unavailable")
    assert "Binance-Chain-Tigris" in answer.body["message"]


def test_an_address_without_an_account_cannot_sign(shared: World, address: str) -> None:
    del shared.node.chain.accounts[address]
    answer = resync(shared)
    assert (answer.status, answer.body["code"]) == (409, "account_not_found")


def test_a_memo_stands_in_the_record_as_its_digest(shared: World, address: str) -> None:
    body = transfer("1", address)
    answer = shared.post("/api/transfer/sign", {**body, "memo": "103-EXCHANGE-TAG"})
    intent = shared.records(answer.request_id)[0]["intent"]
    assert intent["memo_sha256"] == hashlib.sha256(b"103-EXCHANGE-TAG").hexdigest()
    plain = shared.post("/api/transfer/sign", body)
    assert "memo_sha256" not in shared.records(plain.request_id)[0]["intent"]
