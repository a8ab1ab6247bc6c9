"""Custody's own Vault token: kept alive by renewal, replaced when the file changes, and its state told in health."""

import asyncio
from collections.abc import Callable

from tests.integration.custody.conftest import CustodyWorld
from tests.integration.custody.custody_process import connected
from tests.patience import PATIENCE_SECONDS
from tests.patience import until as until_true
from tests.world import Vector
from vaultsigner.cli.vault_policy import least_policy
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import CustodyHealth

SHORT_SECONDS = 12
"""Custody takes a token up within a second and renews it after two thirds of its life, which leaves it time for both."""


def restart_with(world: CustodyWorld, token: str) -> None:
    world.token_path.write_text(token)
    world.custody.kill()
    world.custody.start()


def short_token(world: CustodyWorld) -> str:
    return world.openbao.create_token(
        least_policy(world.installation.settings), name="short", ttl=f"{SHORT_SECONDS}s"
    )


async def until(client: CustodyClient, good: Callable[[CustodyHealth], bool]) -> CustodyHealth:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            health = await client.health()
            if good(health):
                return health
            await asyncio.sleep(0.05)


def looked_up(world: CustodyWorld) -> int:
    """How often Vault has said that the token is good."""
    return world.custody.log.read_text().count("token_good")


async def test_a_short_token_is_renewed_before_it_ends(own_world: CustodyWorld, order: Vector) -> None:
    async with connected(own_world.custody.socket_path) as client:
        request = own_world.request(order)
        await until_true(lambda: looked_up(own_world), "the first token is looked up")
        known = looked_up(own_world)
        own_world.token_path.write_text(short_token(own_world))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while looked_up(own_world) < known + 3:  # after two renewals it would have ended
                await client.sign_beacon(request)
                await asyncio.sleep(0.2)
        health = await client.health()
        assert (health.vault, health.token_ttl_seconds in range(SHORT_SECONDS + 1)) == ("ok", True)


async def test_a_token_without_an_end_is_told_so(own_world: CustodyWorld, order: Vector) -> None:
    restart_with(own_world, own_world.openbao.root_token)
    async with connected(own_world.custody.socket_path) as client:
        await client.sign_beacon(own_world.request(order))
        await until_true(lambda: looked_up(own_world), "the token is looked up")
        assert (await client.health()).token_ttl_seconds is None


async def test_a_refused_token_shows_in_health_until_there_is_a_good_one(own_world: CustodyWorld) -> None:
    good = own_world.token_path.read_text()
    restart_with(own_world, "s.nobody-issued-this")
    async with connected(own_world.custody.socket_path) as client:
        health = await until(client, lambda health: health.vault == "denied")
        assert str(own_world.token_path) in (health.vault_problem or "")
        own_world.token_path.write_text(good)
        await until(client, lambda health: health.vault == "ok" and health.token_ttl_seconds is not None)
    log = own_world.custody.log.read_text()
    assert "token_refused" in log
    assert "s.nobody-issued-this" not in log
    assert good.strip() not in log
