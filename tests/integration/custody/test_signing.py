"""Custody's signatures are the vectors', whatever kind of key lies in Vault, and it makes none that it should not."""

import asyncio
import json
from typing import Any

import pytest

from tests.integration.custody.conftest import LIMITED_USER, CustodyWorld
from tests.integration.custody.custody_process import connected
from tests.integration.custody.minting import mint
from tests.world import USERNAME, Vector, wallet_name
from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.principals import Principal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.bnb_beacon.sign_document import MAX_MEMO_BYTES


def signable(vector: Vector) -> bool:
    """Custody signs no memo that the chain would refuse, and this installation's policy forbids to unfreeze."""
    return len(vector["memo"].encode()) <= MAX_MEMO_BYTES and vector["msg_type"] != "unfreeze"


async def test_every_vector_is_signed_byte_for_byte(
    client: CustodyClient, shared_world: CustodyWorld, vectors: list[Vector]
) -> None:
    chosen = [vector for vector in vectors if signable(vector)]
    assert len(chosen) >= 20
    answers = await asyncio.gather(*(client.sign_beacon(shared_world.request(vector)) for vector in chosen))
    for vector, answer in zip(chosen, answers, strict=True):
        assert answer.signature.hex() == vector["signature"], vector["id"]
        assert answer.public_key.hex() == vector["public_key"]
        assert answer.sign_bytes_sha256 == vector["sign_bytes_sha256"]
        assert len(answer.vault_request_id) == 36


async def test_public_keys_and_addresses(client: CustodyClient, vectors: list[Vector]) -> None:
    for vector in {wallet_name(vector): vector for vector in vectors}.values():
        answer = await client.public_key(wallet_name(vector))  # type: ignore[arg-type]  # a plain name will do in a test
        assert (answer.public_key.hex(), answer.address) == (vector["public_key"], vector["address"])


async def test_concurrent_signatures_share_reads(own_world: CustodyWorld, order: Vector) -> None:
    async with connected(own_world.custody.socket_path) as client:
        answers = await asyncio.gather(*(client.sign_beacon(own_world.request(order)) for _ in range(300)))
        assert {answer.signature.hex() for answer in answers} == {order["signature"]}
        reads = (await client.health()).vault_reads
        assert 300 // 64 <= reads < 150
        assert len({answer.vault_request_id for answer in answers}) == reads


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"principal": Principal("user", "nobody")}, "no_permission"),
        ({"principal": Principal("client", "sam")}, "no_permission"),
        ({"wallet": "no_such_wallet"}, "bad_question"),
        ({"operation": "order"}, "bad_question"),
        ({"operation": "order.approve"}, "bad_question"),
        ({"operation": "freeze.sign"}, "bad_question"),
        ({"memo": "x" * 129}, "bad_question"),
        ({"memo": "ü" * 65}, "bad_question"),
        ({"sequence": 2**63}, "bad_question"),
        ({"sequence": -1}, "bad_question"),
        ({"account_number": 10**30}, "bad_question"),
        ({"source": -1}, "bad_question"),
        ({"message_document": {}}, "bad_question"),
        ({"message_document": {"kind": "order"}}, "bad_question"),
        ({"message_document": {"kind": "order", "digest": "00" * 32}}, "bad_question"),
    ],
)
async def test_what_the_server_should_have_refused_is_refused_here_too(
    client: CustodyClient, shared_world: CustodyWorld, order: Vector, changes: dict[str, Any], code: str
) -> None:
    reads = (await client.health()).vault_reads
    with pytest.raises(CustodyError) as caught:
        await client.sign_beacon(shared_world.request(order, **changes))
    assert caught.value.code == code
    assert (await client.health()).vault_reads == reads, "the key was read for a request that is refused"


async def test_forged_request_without_permission_is_refused(
    client: CustodyClient, shared_world: CustodyWorld, vectors: list[Vector]
) -> None:
    """A server in an attacker's hands asks on behalf of a user who may only trade, with one wallet."""
    transfer = next(vector for vector in vectors if vector["id"] == "transfer-001")
    freeze = next(vector for vector in vectors if vector["id"] == "freeze-002")
    for vector in (transfer, freeze):
        with pytest.raises(CustodyError) as caught:
            await client.sign_beacon(shared_world.request(vector, user=LIMITED_USER))
        assert caught.value.code == "no_permission"


async def test_forged_principal_without_their_token_is_refused(
    client: CustodyClient, shared_world: CustodyWorld, order: Vector
) -> None:
    """The server's word on who asks counts for nothing: the token says it."""
    reads = (await client.health()).vault_reads
    settings = shared_world.installation.settings
    kims = shared_world.request(order, user=LIMITED_USER).access_token
    expired = mint(shared_world.openbao, settings, USERNAME, minutes=-1)
    of_an_old_password = mint(shared_world.openbao, settings, USERNAME, credential="0" * 16)
    for token, code in (
        ("", "invalid_token"),
        ("a.b.c", "invalid_token"),
        (expired, "invalid_token"),
        (of_an_old_password, "invalid_token"),
        (kims, "no_permission"),
    ):
        with pytest.raises(CustodyError) as caught:
            await client.sign_beacon(shared_world.request(order, access_token=token))
        assert caught.value.code == code
        assert not token or token not in str(caught.value)
    assert (await client.health()).vault_reads == reads


async def test_forged_request_against_policy_is_refused(
    client: CustodyClient, shared_world: CustodyWorld, vectors: list[Vector]
) -> None:
    unfreeze = next(vector for vector in vectors if vector["id"] == "unfreeze-001")
    with pytest.raises(CustodyError) as caught:
        await client.sign_beacon(shared_world.request(unfreeze))
    assert caught.value.code == "policy_denied"
    assert "no-unfreezing" in str(caught.value)


async def test_signature_is_bound_to_custodys_own_chain(
    client: CustodyClient, shared_world: CustodyWorld, order: Vector, vectors: list[Vector]
) -> None:
    """Nothing in a question names a chain: the same order for a wallet on another chain gives another signature."""
    mainnet = next(
        vector for vector in vectors if vector["network"] == "mainnet" and vector["msg_type"] == "new_order"
    )
    answer = await client.sign_beacon(shared_world.request(order, wallet_name(mainnet)))
    assert answer.signature.hex() != order["signature"]


async def test_questions_must_have_exactly_their_members(shared_world: CustodyWorld, order: Vector) -> None:
    good = json.loads(shared_world.request(order).payload())
    bad: list[bytes] = [b"", b"{}", b"[]", b"null", b"\xff", json.dumps({**good, "force": True}).encode()]
    bad += [json.dumps({k: v for k, v in good.items() if k != left_out}).encode() for left_out in good]
    bad += [json.dumps({**good, "sequence": value}).encode() for value in ("2", 2.0, True, None, [2])]
    bad += [
        json.dumps({**good, "principal": value}).encode()
        for value in ("user:sam", {"kind": "root", "name": "sam"}, {"kind": "user"})
    ]
    bad += [
        json.dumps(good).encode().replace(b'"memo": ""', b'"memo": "", "memo": "x"'),
        json.dumps(good).encode() + b"{}",
    ]
    async with connected(shared_world.custody.socket_path) as client:
        for payload in bad:
            request = shared_world.request(order)
            raw = _Raw(payload)
            with pytest.raises(CustodyError) as caught:
                await CustodyClient.sign_beacon(client, raw)  # type: ignore[arg-type]  # stands in for a request with another payload
            assert caught.value.code == "bad_question", payload
        assert (await client.sign_beacon(request)).signature.hex() == order["signature"]


class _Raw:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def payload(self) -> bytes:
        return self._data
