"""What Binance Web3 may ask: the time, and which tasks a wallet's owner has completed by operations that were really settled."""

import json
from typing import Any

import pytest

from tests.integration.signed.callers import COMPLETION, PARTNER, RSA, TASKS, TIME
from tests.signing_client import Place, Reply, SignedCall, now_ms, partner_call, signed_call
from tests.world import Vector, World, wallet_name
from vaultsigner.dev.beacon_faults import Fault
from vaultsigner.formats.bnb_beacon.address import encode_address

ENVELOPE = {"code", "message", "data"}
STRANGER = "tbnb1w508d6qejxtdg4y5r3zarvary0c5xw7kkvpjw8"


def complete(
    world: World, address: str, task: object = None, *, place: Place = "query", **more: Any
) -> Reply:
    """Ask for a wallet's tasks."""
    parameters = {"walletAddress": address}
    if task is not None:
        parameters["task"] = task if isinstance(task, str) else json.dumps(task)
    method = "POST" if place == "form" else "GET"
    return world.send(partner_call(PARTNER, method, COMPLETION, parameters, place=place, **more))


def test_the_time_needs_no_signature(live: World) -> None:
    before = now_ms()
    reply = live.send(SignedCall("GET", TIME))
    assert (reply.status, reply.body["code"], set(reply.body)) == (200, "000000", ENVELOPE)
    assert before <= reply.body["data"] <= now_ms()


def test_a_frozen_services_time_is_the_clocks(frozen: World) -> None:
    assert frozen.clock
    reply = frozen.send(SignedCall("GET", TIME))
    assert reply.body["data"] == frozen.clock.milliseconds()


def test_a_transfer_completes_the_senders_and_the_recipients_task(
    live: World, sample: Vector, order: Vector
) -> None:
    sender, recipient = sample["address"], order["address"]
    assert completed(complete(live, sender)) == {}
    wallet = live.place(sample)
    document = {"wallet_name": wallet, "msg": {"to_address": recipient, "symbol": "BNB", "amount": "1"}}
    signed = live.post("/api/transfer/sign", document)
    assert signed.status == 200
    assert completed(complete(live, sender)) == {}, "signing alone completes nothing"
    live.node.faults.arm(Fault.refuses("no"))
    assert live.post("/api/transfer/broadcast", document).status == 502
    assert completed(complete(live, sender)) == {}, "a transfer that the node refused completes nothing"
    assert live.post("/api/wallet/resync", {"wallet_name": wallet}).status == 200
    assert live.post("/api/transfer/broadcast", document).status == 200
    assert completed(complete(live, sender)) == {"withdrawal": True}
    assert completed(complete(live, recipient)) == {"deposit": True}


def test_a_transfer_that_its_node_took_unseen_and_refuses_later_completes_nothing(
    live: World, sample: Vector
) -> None:
    """Without `sync` the node says 0 to anything."""
    wallet, recipient = live.place(sample), encode_address(bytes([7]) * 20, "tbnb")
    document = {"wallet_name": wallet, "msg": {"to_address": recipient, "symbol": "BNB", "amount": "2"}}
    live.node.chain.accounts[sample["address"]].sequence += 7
    reply = live.post("/api/transfer/broadcast?sync=false", document)
    assert (reply.status, reply.body[0]["code"]) == (200, 0)
    assert live.node.chain.received[-1].refusal is not None
    for _ in range(2):
        assert completed(complete(live, recipient)) == {}, "forged: the transfer never came into a block"
    assert live.post("/api/wallet/resync", {"wallet_name": wallet}).status == 200
    assert completed(complete(live, recipient)) == {}


def test_a_transfer_that_its_node_took_unseen_completes_a_task_once_it_stands_in_a_block(
    live: World, sample: Vector
) -> None:
    wallet, recipient = live.place(sample), encode_address(bytes([8]) * 20, "tbnb")
    document = {"wallet_name": wallet, "msg": {"to_address": recipient, "symbol": "BNB", "amount": "3"}}
    assert live.post("/api/transfer/broadcast?sync=false", document).status == 200
    live.node.chain.block_seconds = 3_600.0
    assert completed(complete(live, recipient)) == {}, "it is in no block yet"
    live.node.chain.block_seconds = 0.0
    live.node.faults.every_query = Fault.answers(503, "{}")
    assert completed(complete(live, recipient)) == {}, "nobody can tell"
    live.node.faults.every_query = None
    assert completed(complete(live, recipient)) == {"deposit": True}
    live.node.faults.every_query = Fault.answers(503, "{}")
    assert completed(complete(live, recipient)) == {"deposit": True}, "what was seen once stays so"
    live.node.faults.every_query = None


def test_an_order_completes_the_traders_task_and_only_those_asked_for_are_told(
    live: World, order: Vector
) -> None:
    wallet = live.place(order)
    answer = live.post("/api/order/broadcast", {"wallet_name": wallet, "msg": order["msg"]})
    assert answer.status == 200, answer.body
    address = order["address"]
    assert completed(complete(live, address, ["trade"]), only={"trade"}) == {"trade": True}
    assert completed(complete(live, address, ["withdrawal"]), only={"withdrawal"}) == {}
    assert completed(complete(live, address, []))["trade"]
    assert completed(complete(live, address, ""))["trade"]
    assert completed(complete(live, address, ["trade"], place="form"), only={"trade"}) == {"trade": True}


def completed(reply: Reply, only: set[str] | None = None) -> dict[str, bool]:
    """The tasks that are done; those that were asked for are all told."""
    assert reply.status == 200
    assert (set(reply.body), reply.body["code"]) == (ENVELOPE, "000000"), reply.body
    told: dict[str, bool] = reply.body["data"]
    assert set(told) == (only or set(TASKS)), told
    return {name: done for name, done in told.items() if done}


@pytest.mark.parametrize(
    "task", [["unheard-of"], ["deposit", "unheard-of"], "deposit", '{"deposit":1}', "[1]"]
)
def test_a_task_that_is_unknown_or_no_array_of_names_is_an_invalid_argument(
    live: World, task: object
) -> None:
    reply = complete(live, STRANGER, task)
    assert (reply.status, reply.body["code"]) == (200, "000006"), reply.body


def test_a_missing_wallet_is_an_invalid_argument(live: World) -> None:
    reply = live.send(partner_call(PARTNER, "GET", COMPLETION, {"task": "[]"}))
    assert (reply.status, reply.body["code"]) == (200, "000006")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_forms_verify_by_the_same_rule(live: World, method: str) -> None:
    call = partner_call(
        PARTNER, method, COMPLETION, {"walletAddress": STRANGER, "task": '["deposit"]'}, place="form"
    )
    reply = live.send(call)
    assert (reply.status, reply.body["code"]) == (200, "000000"), reply.body


def test_the_parameters_may_come_in_any_order(live: World) -> None:
    pairs = [("task", '["deposit"]'), ("walletAddress", STRANGER)]
    for chosen in (pairs, pairs[::-1]):
        assert live.send(partner_call(PARTNER, "GET", COMPLETION, chosen)).body["code"] == "000000"


def test_a_repeated_signature_is_an_invalid_signature(live: World) -> None:
    call = partner_call(PARTNER, "GET", COMPLETION, {"walletAddress": STRANGER})
    assert [live.send(call).body["code"] for _ in range(3)] == ["000000", "000003", "000003"]


def test_a_value_that_could_be_split_elsewhere_is_refused(live: World) -> None:
    """`walletAddress=x%26task=...` reads, once decoded, like two parameters."""
    call = partner_call(PARTNER, "GET", COMPLETION, {"walletAddress": f'{STRANGER}&task=["deposit"]'})
    assert live.send(call).body["code"] == "000006"


def test_somebody_elses_signature_is_an_invalid_signature(live: World) -> None:
    call = partner_call(RSA, "GET", COMPLETION, {"walletAddress": STRANGER})
    reply = live.send(call)
    assert (reply.status, reply.body["code"]) == (200, "000003")
    (record,) = live.records(reply.request_id)
    assert record["kind"] == "request"


def test_neither_a_clients_signature_nor_a_users_token_opens_the_partner_family(live: World) -> None:
    query = f"walletAddress={STRANGER}&timestamp={now_ms()}"
    with_token = SignedCall("GET", COMPLETION, query, {"Authorization": f"Bearer {live.token()}"})
    assert live.send(with_token).body["code"] == "000003"
    as_client = signed_call(RSA, "GET", COMPLETION, {"walletAddress": STRANGER})
    assert live.send(as_client).body["code"] == "000006", "there is no parameter `signature` in this family"


def test_the_envelope_is_for_everything_under_the_prefix(live: World) -> None:
    for call in (
        SignedCall("GET", "/web3/v1/unknown"),
        SignedCall("PATCH", COMPLETION),
        SignedCall("POST", TIME),
    ):
        reply = live.send(call)
        assert set(reply.body) == ENVELOPE, reply.body
        assert reply.body["code"] == "000006"


def test_the_wallets_of_others_are_not_told_apart_from_idle_ones(live: World, sample: Vector) -> None:
    assert wallet_name(sample)
    assert completed(complete(live, STRANGER.replace("w508", "w509"))) == {}
