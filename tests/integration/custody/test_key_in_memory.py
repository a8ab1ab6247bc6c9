"""Custody's whole memory, searched from outside after real signatures: no key, no mnemonic, no password."""

import asyncio
import hashlib
import json
import os

import pytest

from tests.adversarial.memory_search import ProcessMemory, forms_of_key, forms_of_text
from tests.integration.custody.conftest import CustodyWorld
from tests.integration.custody.custody_process import connected
from tests.world import USERNAME, Vector
from vaultsigner.errors import CustodyError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may read another process's memory")

SIGNATURES = 200
WRONG_PASSWORD = "a wrong password that nobody has written anywhere"


def by_id(vectors: list[Vector], name: str) -> Vector:
    return next(vector for vector in vectors if vector["id"] == name)


def key_forms(vector: Vector) -> dict[str, bytes]:
    return forms_of_key(vector["key_name"], bytes.fromhex(vector["private_key"]))


def mnemonic_forms(vector: Vector) -> dict[str, bytes]:
    seed = hashlib.pbkdf2_hmac("sha512", vector["mnemonic"].encode(), b"mnemonic", 2048)
    words = vector["mnemonic"].split(" ")
    return {
        **forms_of_text("words", vector["mnemonic"]),
        "four words": " ".join(words[4:8]).encode(),
        **forms_of_key("seed", seed),
        **key_forms(vector),
    }


def found_in(world: CustodyWorld, needles: dict[str, bytes]) -> set[str]:
    return ProcessMemory(world.custody.pid).find(needles)


async def test_the_search_sees_custodys_memory(shared_world: CustodyWorld) -> None:
    """The control: what custody does hold is found in it, so a key would be, too."""
    async with connected(shared_world.custody.socket_path) as client:
        await client.health()
        token = shared_world.token_path.read_bytes().strip()
        assert found_in(shared_world, {"token": token}) == {"token"}


async def test_no_key_is_left_after_signatures(shared_world: CustodyWorld, order: Vector) -> None:
    async with connected(shared_world.custody.socket_path) as client:
        for _ in range(SIGNATURES // 20):
            await asyncio.gather(*(client.sign_beacon(shared_world.request(order)) for _ in range(20)))
        assert found_in(shared_world, key_forms(order)) == set()


async def test_no_mnemonic_is_left_after_signatures(
    shared_world: CustodyWorld, vectors: list[Vector]
) -> None:
    vector = by_id(vectors, "cancel_order-005")
    async with connected(shared_world.custody.socket_path) as client:
        for _ in range(10):
            await client.sign_beacon(shared_world.request(vector))
        assert found_in(shared_world, mnemonic_forms(vector)) == set()


async def test_no_key_is_left_after_errors(own_world: CustodyWorld, order: Vector, wallet: str) -> None:
    """A kept exception keeps its frames, and those what they held."""
    other = "8" + order["private_key"][:63]
    spoilt = other[:-1] + "g"
    async with connected(own_world.custody.socket_path) as client:
        for text in (other, spoilt, other + "\n", [other], {"private_key": other}, other + '"'):
            own_world.openbao.write_secret(f"wallets/{wallet}", {"private_key": text})  # type: ignore[dict-item]  # Vault takes any JSON
            for _ in range(3):
                with pytest.raises(CustodyError):
                    await client.sign_beacon(own_world.request(order))
        needles = {
            **forms_of_key("other", bytes.fromhex(other)),
            "spoilt": spoilt.encode(),
            "part": other[:40].encode(),
        }
        assert found_in(own_world, needles) == set()


async def test_no_password_is_left_after_log_ins(shared_world: CustodyWorld) -> None:
    async with connected(shared_world.custody.socket_path) as client:
        for name in (USERNAME, "nobody"):
            body = json.dumps({"username": name, "password": WRONG_PASSWORD}).encode()
            await client.log_in(bytearray(body))
            await client.log_in(bytearray(body[:-1]))
        assert found_in(shared_world, forms_of_text("password", WRONG_PASSWORD)) == set()
