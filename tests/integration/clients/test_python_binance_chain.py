"""The stock client of the old service, unmodified, against vaultsigner: every method it has, every vector it can express."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.clients.binance_chain_client import BinanceChainClient, ClientError, logged_in_client
from tests.world import World, running_world

Vector = dict[str, Any]

CLASSES = {
    "new_order": "NewOrderMsg",
    "cancel_order": "CancelOrderMsg",
    "transfer": "TransferMsg",
    "freeze": "FreezeMsg",
    "unfreeze": "UnFreezeMsg",
}
METHODS = {"new_order": "order"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector]) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("world"), vectors) as running:
        yield running


@pytest.fixture(scope="module", params=["sync", "async"])
def client(world: World, request: pytest.FixtureRequest) -> Iterator[BinanceChainClient]:
    with logged_in_client(request.param, world.url) as logged_in:
        yield logged_in


@pytest.fixture(scope="module")
def expressible(vectors: list[Vector]) -> list[Vector]:
    """The client never sends a memo."""
    return [vector for vector in vectors if vector["msg_type"] in CLASSES and not vector["memo"]]


@pytest.fixture
def sample(vectors: list[Vector]) -> Vector:
    return next(vector for vector in vectors if vector["id"] == "transfer-001")


def message_of(vector: Vector) -> dict[str, Any]:
    return {"class": CLASSES[vector["msg_type"]], **vector["msg"]}


def method_of(vector: Vector) -> str:
    kind: str = vector["msg_type"]
    return METHODS.get(kind, kind)


def test_every_expressible_vector_is_signed_and_broadcast_byte_for_byte(
    world: World, client: BinanceChainClient, expressible: list[Vector]
) -> None:
    assert len(expressible) == 20
    for vector in expressible:
        wallet, method = world.place(vector), method_of(vector)
        signed = client.call(f"sign_{method}", message_of(vector), wallet)
        assert signed == {"signed_msg": vector["signed_tx"]}, vector["id"]
        (answer,) = client.call(f"broadcast_{method}", message_of(vector), wallet)
        received = world.nodes[vector["network"]].chain.executed[-1]
        assert (answer["hash"], answer["ok"]) == (vector["tx_hash"], True), vector["id"]
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
    world: World, client: BinanceChainClient, sample: Vector, method: str, message: dict[str, Any]
) -> None:
    wallet, before = world.place(sample), len(world.node.chain.executed)
    signed = client.call(f"sign_{method}", message, wallet)["signed_msg"]
    (answer,) = client.call(f"broadcast_{method}", message, wallet)
    (received,) = world.node.chain.executed[before:]
    assert received.hex == signed
    assert answer["hash"] == received.transaction_hash


def test_a_resync_brings_the_sequence_up_to_date(
    world: World, client: BinanceChainClient, sample: Vector
) -> None:
    wallet = world.place({**sample, "sequence": 9})
    world.node.chain.accounts[sample["address"]].sequence = sample["sequence"]
    assert client.call("wallet_resync", wallet=wallet) == {}
    signed = client.call("sign_transfer", message_of(sample), wallet)
    assert signed == {"signed_msg": sample["signed_tx"]}


def test_wallet_info_tells_addresses_and_public_keys(
    world: World, client: BinanceChainClient, vectors: list[Vector], sample: Vector
) -> None:
    wallets = client.call("wallet_info")
    told = {(wallet["address"], wallet["public_key"]) for wallet in wallets}
    assert told == {(vector["address"], vector["public_key"]) for vector in vectors}
    (one,) = [wallet for wallet in wallets if wallet["address"] == sample["address"]]
    assert client.call("wallet_info", wallet=one["name"]) == one
    assert one["env"] == "TESTNET"
    assert sorted(one["permissions"]) == ["freeze", "resync", "trade", "transfer", "vote"]


def test_a_wrong_password_is_told_in_words(world: World) -> None:
    """The old service's error bodies lacked `message`, so that its own client failed with a KeyError."""
    with (
        pytest.raises(ClientError, match=r"BinanceChainAPIException.*Incorrect email or password"),
        logged_in_client("sync", world.url, password="wrong"),
    ):
        pass


def test_a_refusal_is_told_in_words(world: World, sample: Vector) -> None:
    message = {**message_of(sample), "to_address": "bnb1w508d6qejxtdg4y5r3zarvary0c5xw7kcegkwk"}
    wallet = world.place(sample)
    with logged_in_client("sync", world.url) as client, pytest.raises(ClientError, match="invalid_fields"):
        client.call("sign_transfer", message, wallet)
