"""Checkpoints are signed by a key of their own, and only for a chain that grew from what was signed before."""

import time
from base64 import b64decode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.integration.custody.conftest import CustodyWorld
from tests.integration.custody.custody_process import connected
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.custody.checkpoint_protocol import CheckpointSigned, ProofNeeded, SignCheckpointRequest
from vaultsigner.custody.checkpoint_signing import MOST_CHAINS
from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.checkpoints import KEY_NAME, SignedCheckpoint
from vaultsigner.domain.merkle import Growth, Tree, leaf_hash
from vaultsigner.errors import CustodyError


def grown(first: int, second: int, *, another: bool = False) -> Growth:
    """A tree of `first` leaves, and what was added to it; `another` history has other leaves from the beginning."""
    base = Tree()
    for number in range(first):
        base.add(leaf_hash(b"%d %d" % (number, another)))
    growth = Growth(base)
    for number in range(first, second):
        growth.add(leaf_hash(b"%d %d" % (number, another)))
    return growth


def question(chain: str, growth: Growth) -> SignCheckpointRequest:
    tree = growth.tree
    head = f"{tree.size:064x}"
    return SignCheckpointRequest(chain, tree.size, tree.root(), head, growth.base_size, tuple(growth.path()))


async def signed(client: CustodyClient, request: SignCheckpointRequest) -> SignedCheckpoint:
    answer = await client.sign_checkpoint(request)
    assert isinstance(answer, CheckpointSigned)
    assert len(answer.vault_request_id) == 36
    return answer.signed


async def test_checkpoint_is_signed_with_the_key_of_the_configuration(
    client: CustodyClient, shared_world: CustodyWorld
) -> None:
    (key,) = await client.checkpoint_keys()
    note = await signed(client, question("00000000000000a0", grown(0, 7)))
    assert (note.checkpoint.chain, note.checkpoint.size) == ("00000000000000a0", 7)
    # By another library, with the key as an operator reads it from Vault.
    operator = OperatorVault(shared_world.openbao.address, shared_world.openbao.root_token)
    found = operator.read("transit/keys/audit-checkpoints")
    assert found is not None
    public_key = b64decode(found["keys"]["1"]["public_key"])
    text, _, line = str(note).rpartition("\n\n")
    _, name, encoded = line.rstrip("\n").split(" ")
    Ed25519PublicKey.from_public_bytes(public_key).verify(b64decode(encoded)[4:], f"{text}\n".encode())
    assert (name, public_key) == (KEY_NAME, key.public_key)
    assert not found["exportable"]


async def test_chain_that_grew_is_signed_again(client: CustodyClient) -> None:
    for growth in (grown(0, 7), grown(7, 9), grown(9, 200), grown(200, 200), grown(0, 200)):
        assert (
            await signed(client, question("00000000000000a1", growth))
        ).checkpoint.size == growth.tree.size


async def test_proof_from_the_last_state_is_wanted(client: CustodyClient) -> None:
    for growth in (grown(0, 7), grown(7, 20)):
        await signed(client, question("00000000000000a2", growth))
    for growth in (grown(7, 30), grown(0, 30)):
        assert await client.sign_checkpoint(question("00000000000000a2", growth)) == ProofNeeded(20)
    await signed(client, question("00000000000000a2", grown(20, 30)))


@pytest.mark.parametrize(
    "request_",
    [
        question("00000000000000a3", grown(0, 9, another=True)),
        replace(question("00000000000000a3", grown(0, 9)), head="0" * 64),
        question("00000000000000a3", grown(0, 8)),
        question("00000000000000a3", grown(9, 12, another=True)),
        replace(question("00000000000000a3", grown(9, 12)), path=()),
        replace(question("00000000000000a3", grown(9, 12)), root=bytes(32)),
        replace(question("00000000000000a3", grown(9, 12)), path=tuple(reversed(grown(9, 12).path()))),
    ],
    ids=("rewritten", "another-head", "shorter", "grown-elsewhere", "no-path", "another-root", "wrong-path"),
)
async def test_chain_written_anew_is_not_signed(
    client: CustodyClient, request_: SignCheckpointRequest
) -> None:
    await signed(client, question("00000000000000a3", grown(0, 9)))
    with pytest.raises(CustodyError) as caught:
        await client.sign_checkpoint(request_)
    assert caught.value.code == "checkpoint_forked"


@pytest.mark.parametrize(
    "change",
    [
        {"chain": "0" * 15},
        {"chain": "0" * 16 + "\n"},
        {"size": 0, "old_size": 0},
        {"old_size": 8},
        {"head": "F" * 64},
    ],
    ids=("short", "newline", "empty", "shrunk", "capitals"),
)
async def test_question_that_makes_no_sense_is_refused(
    client: CustodyClient, change: dict[str, object]
) -> None:
    request = question("00000000000000a4", grown(0, 7))
    with pytest.raises(CustodyError) as caught:
        await client.sign_checkpoint(replace(request, **change))  # type: ignore[arg-type]  # Of several types.
    assert caught.value.code == "bad_question"


async def test_after_a_restart_custody_goes_on(own_world: CustodyWorld) -> None:
    async with connected(own_world.custody.socket_path) as client:
        before = await signed(client, question("00000000000000a5", grown(0, 7)))
    own_world.custody.stop()
    own_world.custody.start()
    async with connected(own_world.custody.socket_path) as client:
        after = await signed(client, question("00000000000000a5", grown(7, 9)))
        assert before.verified_by(await client.checkpoint_keys()) == after.verified_by(
            await client.checkpoint_keys()
        )


async def test_custody_forgets_no_chain_for_the_sake_of_others(own_world: CustodyWorld) -> None:
    """Whoever names chains enough could otherwise have another history of a real one signed."""
    async with connected(own_world.custody.socket_path) as client:
        await signed(client, question("00000000000000a6", grown(0, 9)))
        for number in range(1, MOST_CHAINS):
            await signed(client, question(f"b{number:015x}", grown(0, 1)))
        with pytest.raises(CustodyError) as caught:
            await client.sign_checkpoint(question("f" * 16, grown(0, 1)))
        assert caught.value.code == "too_many_chains"
        with pytest.raises(CustodyError) as caught:
            await client.sign_checkpoint(question("00000000000000a6", grown(0, 9, another=True)))
        assert caught.value.code == "checkpoint_forked"
        await signed(client, question("00000000000000a6", grown(9, 11)))


async def test_time_of_a_chain_never_goes_back(client: CustodyClient) -> None:
    """Records' own times never do; a clock that was set back must not look like another history."""
    ahead_us = time.time_ns() // 1000 + 300_000_000
    first = await signed(client, replace(question("00000000000000a7", grown(0, 7)), not_before_us=ahead_us))
    later = await signed(client, question("00000000000000a7", grown(7, 9)))
    assert first.checkpoint.time_us == later.checkpoint.time_us == ahead_us
    far = replace(question("00000000000000a8", grown(0, 7)), not_before_us=ahead_us + 600_000_000)
    assert (await signed(client, far)).checkpoint.time_us < ahead_us
