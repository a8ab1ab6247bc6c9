"""Log-in by AppRole on a real OpenBao: the secret id is unwrapped once, outlives a crash of custody, and is nobody else's."""

import asyncio
import hashlib
import time
from pathlib import Path

import pytest

from tests.integration.custody.custody_process import connected, until_down, until_up
from tests.integration.custody.log_ins import (
    Drop,
    approle,
    custody_of,
    give_wrapped_secret_id,
    log_lines,
    logging_in,
    operator_of,
    revoke_all,
    tokens_of,
    until_health,
    until_lines,
)
from tests.patience import PATIENCE_SECONDS, until, wait_until
from tests.world import Vector
from vaultsigner.dev.installation import Installation
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.errors import CustodyError


@pytest.fixture
def installation(tmp_path: Path, own_openbao: OpenBao, vectors: list[Vector]) -> Installation:
    """With an AppRole, and a wrapped secret id where custody looks for it."""
    made = logging_in(tmp_path / "vs", own_openbao, vectors[:1], approle(tmp_path))
    give_wrapped_secret_id(own_openbao, made)
    return made


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    """Where the secret id lies."""
    return Drop(tmp_path / "secret-id")


async def test_custody_signs_and_leaves_no_secret_behind(
    own_openbao: OpenBao, installation: Installation, drop: Drop, order: Vector
) -> None:
    """The very first question already waits for the log-in instead of failing."""
    wrapping_token = drop.text
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            assert (await client.sign_beacon(world.request(order))).signature.hex() == order["signature"]
            assert (await client.health()).token_ttl_seconds in range(3500, 3601)
        assert drop.gone, "spent"
        (log_in,) = log_lines(world, "logged_in")
        assert (log_in["method"], len(log_in["vault_request_id"])) == ("approle", 36)
        assert wrapping_token not in world.custody.log.read_text()
        (accessor,) = tokens_of(own_openbao, "approle")
        facts = own_openbao.client.auth.token.lookup_accessor(accessor)["data"]
        assert (facts["policies"], facts["period"], facts["orphan"]) == (["vaultsigner"], 3600, True)
    wait_until(lambda: not tokens_of(own_openbao, "approle"), "the token ends with custody")


async def test_after_a_crash_custody_goes_on_with_what_it_had(
    own_openbao: OpenBao, installation: Installation, drop: Drop, order: Vector
) -> None:
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            for _ in range(3):
                await client.sign_beacon(world.request(order))
                await until(lambda: drop.gone, "the secret id is unwrapped")
                world.custody.kill()
                await until_down(client)
                world.custody.start()
                await until_up(client)
            await client.sign_beacon(world.request(order))
            assert len(log_lines(world, "logged_in")) == 1, "the token outlived the crashes"
            world.custody.kill()
            await until_down(client)
            revoke_all(own_openbao, "approle")
            world.custody.start()
            await until_up(client)
            assert (await client.sign_beacon(world.request(order))).signature.hex() == order["signature"]
            assert len(log_lines(world, "logged_in")) == 2, "and so did the secret id"
            assert len(log_lines(world, "secret_id_unwrapped")) == 1


async def test_a_revoked_token_costs_no_signature(
    own_openbao: OpenBao, installation: Installation, order: Vector
) -> None:
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            await client.sign_beacon(world.request(order))
            for _ in range(2):
                await asyncio.sleep(1.1)  # custody trusts what it has just looked up
                revoke_all(own_openbao, "approle")
                answers = await asyncio.gather(*(client.sign_beacon(world.request(order)) for _ in range(20)))
                assert {answer.signature.hex() for answer in answers} == {order["signature"]}
        assert len(log_lines(world, "logged_in")) == 3


async def test_a_policy_that_lacks_a_line_is_no_reason_to_log_in_anew(
    own_openbao: OpenBao, installation: Installation, order: Vector
) -> None:
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            await client.sign_beacon(world.request(order))
            rules = 'path "auth/token/*" { capabilities = ["read", "update"] }'
            own_openbao.client.sys.create_or_update_policy("vaultsigner", rules)
            for _ in range(30):
                with pytest.raises(
                    CustodyError, match=r"refused custody's token .*vault setup --print"
                ) as caught:
                    await client.sign_beacon(world.request(order))
                assert caught.value.code == "vault_denied"
            assert (await client.health()).vault == "ok", "the token itself is good"
        assert len(log_lines(world, "logged_in")) == 1


async def test_somebody_else_unwrapped_it(
    own_openbao: OpenBao, installation: Installation, drop: Drop, order: Vector
) -> None:
    stolen = own_openbao.client.sys.unwrap(drop.text)["data"]["secret_id"]
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            health = await until_health(client, lambda health: health.vault == "denied")
            assert "ALARM" in (health.vault_problem or "")
            assert "somebody else unwrapped it" in (health.vault_problem or "")
            with pytest.raises(CustodyError, match="somebody else unwrapped it"):
                await client.sign_beacon(world.request(order))
            give_wrapped_secret_id(own_openbao, installation)
            await until_health(client, lambda health: health.vault == "ok" and health.token_ttl_seconds)
            await client.sign_beacon(world.request(order))
        assert stolen not in world.custody.log.read_text()
        assert len(log_lines(world, "secret_id_not_unwrapped")) == 1, "told once, not again and again"


async def test_a_secret_id_that_somebody_else_chose_is_not_unwrapped(
    own_openbao: OpenBao, installation: Installation, drop: Drop
) -> None:
    """Whoever can write the file could wrap anything: the creation path tells."""
    operator = operator_of(own_openbao)
    planted = [
        operator.write_wrapped("sys/wrapping/wrap", {"secret_id": "chosen"}, "5m"),
        operator.write_wrapped(
            "auth/approle/role/vaultsigner/custom-secret-id", {"secret_id": "chosen"}, "5m"
        ),
    ]
    drop.put(planted[0])
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            for number, token in enumerate(planted, 1):
                drop.put(token)
                await until_lines(world, "secret_id_not_unwrapped", number)
                assert own_openbao.client.sys.unwrap(token)["data"], "it is as it was"
            health = await until_health(client, lambda health: health.vault == "denied")
            assert "was not made by auth/approle/role/vaultsigner/secret-id" in (health.vault_problem or "")
        assert all("ALARM" in line["reason"] for line in log_lines(world, "secret_id_not_unwrapped"))


async def test_another_roles_secret_id_is_not_unwrapped(
    own_openbao: OpenBao, installation: Installation, drop: Drop
) -> None:
    operator = operator_of(own_openbao)
    operator.write("auth/approle/role/other", {"token_policies": ["vaultsigner"]})
    drop.put(operator.write_wrapped("auth/approle/role/other/secret-id", {}, "5m"))
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            health = await until_health(client, lambda health: health.vault == "denied")
    assert "ALARM" in (health.vault_problem or "")


async def test_a_token_near_its_end_is_replaced_without_a_gap(
    own_openbao: OpenBao, installation: Installation, order: Vector
) -> None:
    """A role without a period: tokens live 12 seconds and can be renewed to 18."""
    role = {"token_period": 0, "token_ttl": 12, "token_max_ttl": 18}
    operator_of(own_openbao).write("auth/approle/role/vaultsigner", role)
    signed = 0
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            while len(log_lines(world, "logged_in")) < 3:
                answer = await client.sign_beacon(world.request(order))
                assert answer.signature.hex() == order["signature"]
                signed += 1
                await asyncio.sleep(0.05)
        assert not log_lines(world, "token_refused")
        assert any(line["renewed"] for line in log_lines(world, "token_good"))
    assert signed > 20


async def test_a_token_that_was_replaced_does_not_live_on(
    own_openbao: OpenBao, installation: Installation, order: Vector
) -> None:
    """Whoever gives custody another secret id may want to be rid of the token, which somebody else may have."""
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            await client.sign_beacon(world.request(order))
            (old,) = tokens_of(own_openbao, "approle")
            give_wrapped_secret_id(own_openbao, installation)
            signed: set[str] = set()
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not log_lines(world, "token_revoked"):
                assert time.monotonic() < deadline, "the old token lives on"
                answers = await asyncio.gather(*(client.sign_beacon(world.request(order)) for _ in range(10)))
                signed |= {answer.signature.hex() for answer in answers}
            assert signed == {order["signature"]}, "and nobody has noticed"
            (new,) = tokens_of(own_openbao, "approle")
            assert new != old
            assert (await client.sign_beacon(world.request(order))).signature.hex() == order["signature"]


async def test_a_failing_log_in_backs_off_and_a_living_token_is_renewed_meanwhile(
    own_openbao: OpenBao, installation: Installation, order: Vector
) -> None:
    operator = operator_of(own_openbao)
    operator.write("auth/approle/role/vaultsigner", {"token_period": 12})
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            await client.sign_beacon(world.request(order))
            auth = world.installation.settings.vault.auth
            operator.write("auth/approle/role/vaultsigner/role-id", {"role_id": "another"})
            give_wrapped_secret_id(own_openbao, installation)  # has custody try
            await until(lambda: log_lines(world, "not_logged_in"), "the log-in fails")
            renewed = len(log_lines(world, "token_good"))
            await until(lambda: len(log_lines(world, "token_good")) >= renewed + 2, "the token is renewed")
            await client.sign_beacon(world.request(order))
            assert (await client.health()).vault == "ok"
            (failure,) = log_lines(world, "not_logged_in")
            assert "refuses the log-in by approle" in failure["problem"]
            assert auth.method == "approle"


async def test_a_plain_secret_id_is_read_for_every_log_in(
    tmp_path: Path, own_openbao: OpenBao, vectors: list[Vector], drop: Drop, order: Vector
) -> None:
    installation = logging_in(tmp_path / "vs", own_openbao, vectors[:1], approle(tmp_path, wrapped=False))
    secret_id = own_openbao.client.auth.approle.generate_secret_id("vaultsigner")["data"]["secret_id"]
    with custody_of(own_openbao, installation) as world:
        async with connected(world.custody.socket_path) as client:
            health = await until_health(client, lambda health: health.vault == "denied")
            assert "there is no secret id" in (health.vault_problem or "")
            drop.put("{}")
            await until_health(client, lambda health: "JSON document" in (health.vault_problem or ""))
            drop.put("of-nobody")
            await until_health(client, lambda health: "refuses the log-in" in (health.vault_problem or ""))
            drop.put(secret_id)
            await until_health(client, lambda health: health.vault == "ok" and health.token_ttl_seconds)
            await client.sign_beacon(world.request(order))
        log = world.custody.log.read_text()
    assert secret_id not in log
    assert "of-nobody" not in log
    assert hashlib.sha256(secret_id.encode()).hexdigest() not in log
