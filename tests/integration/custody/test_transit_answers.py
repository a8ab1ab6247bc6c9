"""What Transit answers is not trusted to be a signature, and its keys' types are asked for once a minute."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.custody.fake_vault import Conversation, FakeVault, answer, fake_vault
from vaultsigner.config.settings import TransitReference
from vaultsigner.custody.transit_signing import TYPE_KNOWN_SECONDS, TransitSigner
from vaultsigner.errors import CustodyError

KEY = TransitReference("transit", "main")
TYPE = {"data": {"type": "ed25519"}}
GOOD = {"request_id": "r-7", "data": {"signature": f"vault:v1:{b64encode(bytes(64)).decode()}"}}


class Transit:
    """Answers as told, one question a connection."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.type: object = TYPE
        self.signed: object = GOOD
        self.status = b"200 OK"

    async def converse(self, conversation: Conversation) -> None:
        """Serve one connection."""
        path = (await conversation.request()).split(b" ")[1].decode()
        self.asked.append(path)
        document, status = (self.type, b"200 OK") if "/keys/" in path else (self.signed, self.status)
        await conversation.send(answer(json.dumps(document).encode(), status, b"Connection: close\r\n"))


@pytest.fixture
def transit() -> Transit:
    return Transit()


@pytest.fixture
async def vault(transit: Transit, tmp_path: Path) -> AsyncIterator[FakeVault]:
    async with fake_vault(transit.converse, tmp_path) as at_hand:
        yield at_hand


async def test_the_type_is_asked_for_once_a_minute(transit: Transit, vault: FakeVault) -> None:
    now = [0.0]
    signer = TransitSigner(vault.pool, lambda: now[0])
    for seconds, types in ((0.0, 1), (0.0, 1), (TYPE_KNOWN_SECONDS - 1, 1), (1.0, 2), (0.0, 2)):
        now[0] += seconds
        made = await signer.sign(KEY, "ed25519", b"x")
        assert (made.signature, made.vault_request_id) == (bytes(64), "r-7")
        assert sum("/keys/" in path for path in transit.asked) == types
    assert transit.asked.count("/v1/transit/sign/main") == 5


@pytest.mark.parametrize(
    ("type_", "code"),
    [
        ({"data": {"type": "rsa-2048"}}, "key_malformed"),
        ({"data": {"type": "ecdsa-p256"}}, "key_malformed"),
        ({"data": {"type": ["ed25519"]}}, "key_malformed"),
        ({"data": {}}, "vault_unavailable"),
        ({"data": None}, "vault_unavailable"),
        ([], "vault_unavailable"),
    ],
)
async def test_no_other_type_will_do(transit: Transit, vault: FakeVault, type_: object, code: str) -> None:
    transit.type = type_
    signer = TransitSigner(vault.pool)
    for _ in range(2):
        with pytest.raises(CustodyError) as caught:
            await signer.sign(KEY, "ed25519", b"x")
        assert caught.value.code == code
    assert sum("/keys/" in path for path in transit.asked) == 2, "what was wrong is not remembered as right"


@pytest.mark.parametrize(
    "signed",
    [
        {},
        [],
        {"data": {}},
        {"data": {"hmac": GOOD["data"]}},
        {"data": {"signature": None}},
        {"data": {"signature": ""}},
        {"data": {"signature": b64encode(bytes(64)).decode()}},
        {"data": {"signature": f"vault:v1:{b64encode(bytes(63)).decode()}"}},
        {"data": {"signature": f"vault:v1:{b64encode(bytes(256)).decode()}"}},
        {"data": {"signature": f"vault:v1:x:{b64encode(bytes(64)).decode()}"}},
        {"data": {"signature": f"other:v1:{b64encode(bytes(64)).decode()}"}},
        {"data": {"signature": "vault:v1:not base64"}},
    ],
)
async def test_what_is_no_signature_goes_nowhere(transit: Transit, vault: FakeVault, signed: object) -> None:
    transit.signed = signed
    with pytest.raises(CustodyError) as caught:
        await TransitSigner(vault.pool).sign(KEY, "ed25519", b"x")
    assert caught.value.code == "vault_unavailable"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (b"400 Bad Request", "key_missing"),
        (b"403 Forbidden", "vault_denied"),
        (b"404 Not Found", "key_missing"),
        (b"500 Internal Server Error", "vault_unavailable"),
    ],
)
async def test_a_refusal_is_told(transit: Transit, vault: FakeVault, status: bytes, code: str) -> None:
    transit.status = status
    with pytest.raises(CustodyError) as caught:
        await TransitSigner(vault.pool).sign(KEY, "ed25519", b"x")
    assert caught.value.code == code


WAYS = {
    "hmac": ("hmac", "/v1/transit/hmac/main/sha2-256", "hmac", 32),
    "rsa": ("rsa-3072", "/v1/transit/sign/main/sha2-256", "signature", 384),
    "ed25519": ("ed25519", "/v1/transit/sign/main", "signature", 64),
}


@pytest.mark.parametrize("scheme", WAYS)
async def test_each_scheme_has_its_place(transit: Transit, vault: FakeVault, scheme: str) -> None:
    """The least policy grants these paths and no others."""
    type_, path, member, length = WAYS[scheme]
    transit.type = {"data": {"type": type_}}
    transit.signed = {"data": {member: f"vault:v2:{b64encode(bytes(length)).decode()}"}}
    made = await TransitSigner(vault.pool).sign(KEY, scheme, b"x")  # type: ignore[arg-type]  # the names of schemes are literals
    assert len(made.signature) == length
    assert sorted(transit.asked) == sorted(["/v1/transit/keys/main", path])
