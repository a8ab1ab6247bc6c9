"""Every golden vector, byte for byte, through the real HTTP API, with its key in a real OpenBao."""

import json
from typing import Any

import pytest

from tests.conftest import VECTORS
from tests.world import Vector, World

ALL: list[Vector] = sorted(
    json.loads((VECTORS / "bnb_beacon.json").read_text())["vectors"],
    # Upwards: a resync to a lower number than the last accepted one waits for blocks that may be late.
    key=lambda vector: (vector["key_name"], vector["sequence"]),
)
MEMO_LIMIT_BYTES = 128
FITTING = [vector for vector in ALL if len(vector["memo"].encode()) <= MEMO_LIMIT_BYTES]
TOO_LONG = [vector for vector in ALL if vector not in FITTING]
ROUTES = {
    "new_order": ["order"],
    "cancel_order": ["cancel_order", "order/cancel"],
    "transfer": ["transfer"],
    "multi_transfer": ["transfer"],
    "freeze": ["freeze"],
    "unfreeze": ["unfreeze"],
}


def message(vector: Vector) -> dict[str, Any]:
    """The vector as a client would write it; several coins as a `transfers` list."""
    if vector["msg_type"] != "multi_transfer":
        msg: dict[str, Any] = dict(vector["api"]["msg"])
        return msg
    payments = [
        {"to_address": output["to_address"], "symbol": coin["denom"], "amount": coin["amount"]}
        for output in vector["msg"]["outputs"]
        for coin in output["coins"]
    ]
    return {"transfers": payments, "memo": vector["memo"]}


def paths(vector: Vector, verb: str) -> list[str]:
    return [f"/api/{route}/{verb}{slash}" for route in ROUTES[vector["msg_type"]] for slash in ("", "/")]


@pytest.mark.parametrize("vector", FITTING, ids=lambda vector: vector["id"])
def test_signing_gives_the_expected_bytes(shared: World, vector: Vector) -> None:
    wallet = shared.place(vector)
    for path in paths(vector, "sign"):
        answer = shared.post(path, {"wallet_name": wallet, "msg": message(vector)})
        assert (answer.status, answer.body) == (200, {"signed_msg": vector["signed_tx"]})
        outcome = [record for record in shared.records(answer.request_id) if record["kind"] == "outcome"]
        assert [record["signed_sha256"] for record in outcome] == [vector["sign_bytes_sha256"]]
        assert outcome[0]["vault_request_id"]


@pytest.mark.parametrize("vector", FITTING, ids=lambda vector: vector["id"])
def test_broadcasting_sends_the_expected_bytes_and_the_node_takes_them(shared: World, vector: Vector) -> None:
    wallet = shared.place(vector)
    chain = shared.nodes[vector["network"]].chain
    before = len(chain.received)
    answer = shared.post(paths(vector, "broadcast")[0], {"wallet_name": wallet, "msg": message(vector)})
    assert answer.status == 200, answer.body
    assert [item["hash"] for item in answer.body] == [vector["tx_hash"]]
    assert [(received.hex, received.refusal) for received in chain.received[before:]] == [
        (vector["signed_tx"], None)
    ]
    assert [record["kind"] for record in shared.records(answer.request_id)] == [
        "intent",
        "outcome",
        "dispatch",
    ]


@pytest.mark.parametrize("vector", FITTING, ids=lambda vector: vector["id"])
def test_the_words_of_the_old_documentation_mean_the_same(shared: World, vector: Vector) -> None:
    """Words for numbers, refid for order_id, denom for symbol, JSON numbers for text, the memo beside msg."""
    wallet = shared.place(vector)
    msg = message(vector)
    if vector["msg_type"] == "new_order":
        msg |= {"side": {1: "buy", 2: "SELL"}[msg["side"]], "order_type": "LIMIT"}
        msg |= {"time_in_force": {1: "GTE", 3: "ioc"}[msg["time_in_force"]]}
    if vector["msg_type"] == "cancel_order":
        msg["refid"] = msg.pop("order_id")
    if vector["msg_type"] in ("transfer", "freeze", "unfreeze"):
        msg["denom"] = msg.pop("symbol")
    body = {"wallet_name": wallet, "msg": msg, **({"memo": msg.pop("memo")} if "memo" in msg else {})}
    answer = shared.post(paths(vector, "sign")[0], body)
    assert (answer.status, answer.body) == (200, {"signed_msg": vector["signed_tx"]})


@pytest.mark.parametrize("vector", TOO_LONG, ids=lambda vector: vector["id"])
def test_a_memo_that_the_chain_refuses_is_not_signed(shared: World, vector: Vector) -> None:
    wallet = shared.place(vector)
    answer = shared.post("/api/transfer/sign", {"wallet_name": wallet, "msg": message(vector)})
    assert answer.status == 422
    assert answer.body["detail"][0]["loc"] == ["body", "transfer", "msg", "memo"]


def test_there_are_vectors_of_both_kinds() -> None:
    assert len(FITTING) >= 28
    assert TOO_LONG
