"""The stock client of the old service, unmodified, against vaultsigner: every method it has, every vector it can express."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytest

from tests.integration.clients.binance_chain_client import BinanceChainClient, ClientError, logged_in_client
from tests.world import World, running_world, wallet_name
from vaultsigner.dev.beacon_transactions import decode

Vector = dict[str, Any]

CLASSES = {
    "new_order": "NewOrderMsg",
    "cancel_order": "CancelOrderMsg",
    "transfer": "TransferMsg",
    "freeze": "FreezeMsg",
    "unfreeze": "UnFreezeMsg",
}
METHODS = {"new_order": "order"}
RAREST_FIRST = ("transfer", "freeze", "cancel_order", "unfreeze", "new_order")


@dataclass(frozen=True, slots=True)
class Desk:
    """A client of either kind, logged in to a world of its own."""

    world: World
    client: BinanceChainClient


@pytest.fixture(scope="module", params=["sync", "async"])
def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector]
) -> Iterator[Desk]:
    with (
        running_world(tmp_path_factory.mktemp("world"), vectors) as world,
        logged_in_client(request.param, world.url) as client,
    ):
        yield Desk(world, client)


@pytest.fixture
def sample(vectors: list[Vector]) -> Vector:
    return next(vector for vector in vectors if vector["id"] == "transfer-001")


def message_of(vector: Vector) -> dict[str, Any]:
    return {"class": CLASSES[vector["msg_type"]], **vector["msg"]}


def method_of(vector: Vector) -> str:
    kind: str = vector["msg_type"]
    return METHODS.get(kind, kind)


def expressible(vectors: list[Vector]) -> list[list[Vector]]:
    """Those without a memo, which the client never sends; together what shares an account and a sequence.

    In rising order, because a resync that goes back gives the chain some seconds to catch up.
    """
    chosen = [vector for vector in vectors if vector["msg_type"] in CLASSES and not vector["memo"]]
    chosen.sort(
        key=lambda vector: (vector["sequence"], vector["address"], RAREST_FIRST.index(vector["msg_type"]))
    )
    groups = groupby(chosen, key=lambda vector: (vector["sequence"], vector["address"]))
    return [list(group) for _, group in groups]


def test_every_expressible_vector_is_signed_byte_for_byte_and_every_number_used_once(
    desk: Desk, vectors: list[Vector]
) -> None:
    groups = expressible(vectors)
    assert sum(map(len, groups)) == 20
    assert {group[0]["msg_type"] for group in groups} == set(CLASSES)
    for group in groups:
        wallet = desk.world.place(group[0])
        for vector in group:
            signed = desk.client.call(f"sign_{method_of(vector)}", message_of(vector), wallet)
            assert signed == {"signed_msg": vector["signed_tx"]}, vector["id"]
        vector = group[0]
        (answer,) = desk.client.call(f"broadcast_{method_of(vector)}", message_of(vector), wallet)
        assert (answer["hash"], answer["ok"]) == (vector["tx_hash"], True), vector["id"]
        received = desk.world.nodes[vector["network"]].chain.executed[-1]
        assert received.hex == vector["signed_tx"], vector["id"]


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("vote", {"class": "VoteMsg", "proposal_id": 42, "vote_option": 4}),
        (
            "transfer",
            {
                "class": "MultiTransferMsg",
                "to_address": "tbnb1w508d6qejxtdg4y5r3zarvary0c5xw7kkvpjw8",
                "transfers": [{"symbol": "BNB", "amount": "0.29"}, {"symbol": "ANN-457", "amount": "1E-8"}],
            },
        ),
    ],
)
def test_messages_without_a_vector_are_signed_to_the_chains_liking(
    desk: Desk, sample: Vector, method: str, message: dict[str, Any]
) -> None:
    chain = desk.world.node.chain
    before = len(chain.executed)
    wallet = desk.world.place({**sample, "sequence": 1000 + before})
    signed = desk.client.call(f"sign_{method}", message, wallet)["signed_msg"]
    (answer,) = desk.client.call(f"broadcast_{method}", message, wallet)
    (received,) = chain.executed[before:]
    assert received.hex == signed
    assert answer["hash"] == received.transaction_hash


def test_a_resync_brings_the_sequence_up_to_date(desk: Desk, sample: Vector) -> None:
    wallet = desk.world.place({**sample, "sequence": 2000})
    desk.world.node.chain.accounts[sample["address"]].sequence = 2007
    assert desk.client.call("wallet_resync", wallet=wallet) == {}
    signed = desk.client.call("sign_transfer", message_of(sample), wallet)["signed_msg"]
    assert decode(bytes.fromhex(signed), "tbnb").sequence == 2007


def test_wallet_info_tells_addresses_and_public_keys(
    desk: Desk, vectors: list[Vector], sample: Vector
) -> None:
    wallets = desk.client.call("wallet_info")
    told = {(wallet["address"], wallet["public_key"]) for wallet in wallets}
    assert told == {(vector["address"], vector["public_key"]) for vector in vectors}
    (one,) = [wallet for wallet in wallets if wallet["address"] == sample["address"]]
    assert desk.client.call("wallet_info", wallet=one["name"]) == one
    assert one["env"] == "TESTNET"
    assert sorted(one["permissions"]) == ["freeze", "resync", "trade", "transfer", "vote"]


def test_a_wrong_password_is_told_in_words(desk: Desk) -> None:
    """The old service's error bodies lacked `message`, so that its own client failed with a KeyError."""
    with (
        pytest.raises(ClientError, match=r"BinanceChainAPIException.*Incorrect email or password"),
        logged_in_client("sync", desk.world.url, password="wrong"),
    ):
        pass


def test_a_refusal_is_told_in_words(desk: Desk, sample: Vector) -> None:
    message = {**message_of(sample), "to_address": "bnb1w508d6qejxtdg4y5r3zarvary0c5xw7kcegkwk"}
    with (
        logged_in_client("sync", desk.world.url) as client,
        pytest.raises(ClientError, match="invalid_fields"),
    ):
        client.call("sign_transfer", message, wallet_name(sample))
