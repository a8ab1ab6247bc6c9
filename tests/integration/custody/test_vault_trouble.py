"""Everything that can be wrong with Vault, the token or the secret: no signature, the right code, and back by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.custody.conftest import CustodyWorld, custody_world
from tests.integration.custody.custody_process import connected
from tests.patience import PATIENCE_SECONDS
from tests.world import Vector, wallet_name
from vaultsigner.cli.key_material import read_private_key
from vaultsigner.cli.vault_policy import least_policy
from vaultsigner.custody.client import CustodyClient
from vaultsigner.dev.installation import PlannedWallet
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.errors import CustodyError


async def code_of(question: Awaitable[Any]) -> str:
    """The code that a question fails with."""
    with pytest.raises(CustodyError) as caught:
        await question
    assert "Traceback" not in str(caught.value)
    return caught.value.code


async def until_signed(client: CustodyClient, world: CustodyWorld, order: Vector) -> None:
    """Ask until there is a signature."""
    request = world.request(order)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                answer = await client.sign_beacon(request)
            except CustodyError:
                await asyncio.sleep(0.02)
            else:
                assert answer.signature.hex() == order["signature"]
                return


async def test_sealed_and_unsealed(own_world: CustodyWorld, order: Vector) -> None:
    async with connected(own_world.custody.socket_path) as client:
        await client.sign_beacon(own_world.request(order))
        await asyncio.to_thread(own_world.openbao.seal)
        assert await code_of(client.sign_beacon(own_world.request(order))) == "vault_sealed"
        health = await client.health()
        assert (health.vault, "unseal" in (health.vault_problem or "")) == ("sealed", True)
        await asyncio.to_thread(own_world.openbao.unseal)
        await until_signed(client, own_world, order)
        assert (await client.health()).vault == "ok"


async def test_revoked_token_and_a_fresh_one(own_world: CustodyWorld, order: Vector) -> None:
    path = own_world.token_path
    async with connected(own_world.custody.socket_path) as client:
        await client.sign_beacon(own_world.request(order))
        own_world.openbao.revoke_token(path.read_text().strip())
        assert await code_of(client.sign_beacon(own_world.request(order))) == "vault_denied"
        fresh = own_world.openbao.create_token(least_policy(own_world.installation.settings), name="fresh")
        replacement = path.with_name("replacement")
        replacement.write_text(fresh)
        replacement.rename(path)
        await until_signed(client, own_world, order)


async def test_token_without_the_right_says_what_to_do(own_world: CustodyWorld, order: Vector) -> None:
    path = own_world.token_path
    path.write_text(
        own_world.openbao.create_token('path "secret/data/other" { capabilities = ["read"] }', name="other")
    )
    own_world.custody.kill()
    own_world.custody.start()
    async with connected(own_world.custody.socket_path) as client:
        with pytest.raises(CustodyError, match="vault setup --print") as caught:
            await client.sign_beacon(own_world.request(order))
        assert caught.value.code == "vault_denied"
        assert str(path) in str(caught.value)


async def test_custody_starts_without_a_token_and_takes_it_when_it_comes(
    own_world: CustodyWorld, order: Vector
) -> None:
    path = own_world.token_path
    token = path.read_text()
    path.unlink()
    own_world.custody.kill()
    own_world.custody.start()
    async with connected(own_world.custody.socket_path) as client:
        assert await code_of(client.sign_beacon(own_world.request(order))) == "vault_denied"
        health = await client.health()
        assert (health.vault, str(path) in (health.vault_problem or "")) == ("denied", True)
        path.write_text(token)
        await until_signed(client, own_world, order)


async def test_vault_stopped_and_started_again(
    durable_openbao: OpenBao, tmp_path: Path, vectors: list[Vector], order: Vector
) -> None:
    with custody_world(durable_openbao, tmp_path, vectors[:1]) as own_world:
        async with connected(own_world.custody.socket_path) as client:
            await asyncio.gather(*(client.sign_beacon(own_world.request(order)) for _ in range(100)))
            await asyncio.to_thread(durable_openbao.stop)
            assert await code_of(client.sign_beacon(own_world.request(order))) == "vault_unavailable"
            assert (await client.health()).vault == "unavailable"
            durable_openbao.launch()
            await asyncio.to_thread(durable_openbao.become_ready)
            await until_signed(client, own_world, order)


async def test_secret_gone_or_without_its_field(own_world: CustodyWorld, order: Vector, wallet: str) -> None:
    async with connected(own_world.custody.socket_path) as client:
        path = f"wallets/{wallet}"
        own_world.openbao.write_secret(path, {"privatekey": order["private_key"]})
        with pytest.raises(CustodyError, match="has no field private_key") as caught:
            await client.sign_beacon(own_world.request(order))
        assert caught.value.code == "key_missing"
        own_world.openbao.client.secrets.kv.v2.delete_latest_version_of_secret(path, mount_point="secret")
        assert await code_of(client.sign_beacon(own_world.request(order))) == "key_missing"
        own_world.openbao.delete_secret(path)
        with pytest.raises(CustodyError, match=f"vault:secret/{path}#private_key") as caught:
            await client.sign_beacon(own_world.request(order))
        assert caught.value.code == "key_missing"
        own_world.openbao.write_secret(path, {"private_key": order["private_key"]})
        await until_signed(client, own_world, order)


@pytest.mark.parametrize("spoil", [lambda key: key[:-1], lambda key: "0x" + key, lambda key: "x" * 64])
async def test_malformed_key_is_not_repeated(
    own_world: CustodyWorld, order: Vector, wallet: str, spoil: Callable[[str], str]
) -> None:
    spoilt = spoil(order["private_key"])
    own_world.openbao.write_secret(f"wallets/{wallet}", {"private_key": spoilt})
    async with connected(own_world.custody.socket_path) as client:
        with pytest.raises(CustodyError) as caught:
            await client.sign_beacon(own_world.request(order))
        assert caught.value.code == "key_malformed"
        assert spoilt not in str(caught.value)
        assert spoilt not in own_world.custody.log.read_text()


async def test_malformed_mnemonic(own_world: CustodyWorld, vectors: list[Vector]) -> None:
    vector = next(each for each in vectors if each["id"] == "new_order-005")
    name = wallet_name(vector)
    async with connected(own_world.custody.socket_path) as client:
        for words in (vector["mnemonic"].upper(), vector["mnemonic"].replace("about", "abandon"), "abandon"):
            own_world.openbao.write_secret(f"wallets/{name}", {"mnemonic": words})
            assert await code_of(client.sign_beacon(own_world.request(vector))) == "key_malformed"
        own_world.openbao.write_secret(f"wallets/{name}", {"mnemonic": vector["mnemonic"]})
        assert (await client.sign_beacon(own_world.request(vector))).signature.hex() == vector["signature"]


async def test_another_key_than_the_one_noted_at_import_is_refused(
    own_world: CustodyWorld, order: Vector, vectors: list[Vector], wallet: str
) -> None:
    """Whoever can write to Vault must not put their own key in the place of a desk's."""
    other = next(vector for vector in vectors if vector["private_key"] != order["private_key"])
    own_world.openbao.write_secret(f"wallets/{wallet}", {"private_key": other["private_key"]})
    async with connected(own_world.custody.socket_path) as client:
        with pytest.raises(CustodyError, match="noted") as caught:
            await client.sign_beacon(own_world.request(order))
        assert caught.value.code == "wrong_key"
        for words in (order["address"], other["address"], f"keys import {wallet} --replace"):
            assert words in str(caught.value)
        own_world.openbao.client.secrets.kv.v2.update_metadata(
            f"wallets/{wallet}", mount_point="secret", custom_metadata={"public_key": "0203"}
        )
        with pytest.raises(CustodyError, match="no readable address"):
            await client.sign_beacon(own_world.request(order))
        assert await code_of(client.public_key(wallet)) == "wrong_key"  # type: ignore[arg-type]  # a plain name will do


async def test_another_key_than_the_address_in_config_is_refused(
    own_openbao: OpenBao, tmp_path: Path, vectors: list[Vector], order: Vector
) -> None:
    other = next(vector for vector in vectors if vector["private_key"] != order["private_key"])
    key = read_private_key(order["private_key"])
    wallets = (
        PlannedWallet("right", key, address_in_config=order["address"]),
        PlannedWallet(
            "wrong",
            key,
            address_in_config=PlannedWallet("x", read_private_key(other["private_key"])).address("tbnb"),
        ),
    )
    with custody_world(own_openbao, tmp_path, vectors[:1], *wallets) as world:
        async with connected(world.custody.socket_path) as client:
            assert (await client.sign_beacon(world.request(order, "right"))).signature.hex() == order[
                "signature"
            ]
            with pytest.raises(CustodyError, match="address of wallet wrong") as caught:
                await client.sign_beacon(world.request(order, "wrong"))
            assert caught.value.code == "wrong_key"
