"""/readyz tells of each wallet that is not ready why, and neither reads keys for that nor turns the others away."""

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.integration.eyes.traffic import Scrape, scrape
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.world import World
from vaultsigner.cli.key_material import new_private_key
from vaultsigner.cli.vault_policy import least_policy
from vaultsigner.dev.installation import PlannedWallet
from vaultsigner.state import Suspension, open_state

POLICY = """\
version: 1
rules:
  - id: desk
    effect: allow
    targets: ["wallet:one", "wallet:two", "wallet:three", "wallet:four", "wallet:idle"]
  - id: once
    effect: allow
    targets: ["wallet:forgotten"]
    expires: 2020-01-01
  - id: exchanges-only
    effect: allow
    operations: ["exchange.*"]
    targets: ["wallet:forgotten"]
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    wallets: list[PlannedWallet] = [
        private_key_wallet(name) for name in ("one", "two", "three", "four", "forgotten")
    ]
    idle = private_key_wallet("idle", permissions=())
    with running_desk(
        tmp_path_factory.mktemp("ready"), *wallets, idle, policy=POLICY, audited_vault=True
    ) as running:
        yield running


def readyz(world: World) -> tuple[int, Any]:
    answer = requests.get(f"{world.service.ops_url}/readyz", timeout=PATIENCE_SECONDS)
    return answer.status_code, answer.json()


def reason(world: World, wallet: str) -> str | None:
    """Why a wallet is not ready; None where it is."""
    standing = readyz(world)[1]["wallets"][wallet]
    assert set(standing) == ({"ready"} if standing["ready"] else {"ready", "reason"})
    return None if standing["ready"] else str(standing["reason"])


def ready(world: World, wallet: str) -> float:
    return scrape(world.service).value("vaultsigner_target_ready", kind="wallet", name=wallet)


def scraped(world: World, metric: str, value: float) -> Scrape:
    """What is told once a metric has come to this value."""

    def found() -> list[Scrape]:
        told = scrape(world.service)
        return [told] if told.value(metric) == value else []

    return wait_until(found, f"{metric} is {value}", poll_seconds=0.1)[0]


def test_what_is_ready_is_said_to_be_and_no_key_is_read_for_it(world: World) -> None:
    status, told = readyz(world)
    assert (status, told["status"]) == (200, "ready")
    assert all(told["wallets"][name] == {"ready": True} for name in ("one", "two", "three", "four"))
    log = world.openbao.audit_log
    assert log is not None
    text = log.read_text()
    assert text.count('"path":"secret/subkeys/wallets/one"') >= 1
    assert '"path":"secret/data/wallets/one"' not in text[text.index("secret/subkeys/wallets/one") :]


def test_a_wallet_that_no_rule_allows_anything_for_is_not_ready(world: World) -> None:
    assert reason(world, "forgotten") == "no rule of policy allows anything for wallet:forgotten"
    assert reason(world, "idle") == "config.yml gives wallet idle no permissions"
    assert ready(world, "forgotten") == 0
    assert ready(world, "one") == 1


def test_a_key_that_is_gone_from_vault_is_noticed_without_a_use_and_so_is_its_return(world: World) -> None:
    fields = world.openbao.client.secrets.kv.v2.read_secret_version(
        "wallets/two", raise_on_deleted_version=True
    )["data"]["data"]
    world.openbao.delete_secret("wallets/two")
    found = wait_until(lambda: reason(world, "two") or "", "it is noticed", poll_seconds=0.5)
    assert found.startswith("Vault has nothing at vault:secret/wallets/two#private_key")
    assert (readyz(world)[0], reason(world, "one")) == (200, None)
    world.openbao.write_secret("wallets/two", {"other": "x"})
    wait_until(lambda: "has no field private_key" in (reason(world, "two") or ""), "the field is missed")
    wait_until(lambda: ready(world, "two") == 0, "it is counted", poll_seconds=0.1)
    world.openbao.write_secret("wallets/two", fields)
    wait_until(lambda: reason(world, "two") is None, "it is back", poll_seconds=0.2)


def test_a_key_that_is_another_one_is_told_after_its_use(world: World) -> None:
    fields = world.openbao.client.secrets.kv.v2.read_secret_version(
        "wallets/three", raise_on_deleted_version=True
    )["data"]["data"]
    other = new_private_key().text
    world.openbao.write_secret("wallets/three", {**fields, "private_key": other})
    assert world.post("/api/transfer/sign", transfer("three")).status == 503
    found = reason(world, "three") or ""
    assert "holds the key of" in found
    assert other not in found
    world.openbao.write_secret("wallets/three", fields)
    assert world.post("/api/transfer/sign", transfer("three")).status == 200
    assert reason(world, "three") is None


def test_what_is_suspended_is_not_ready(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def change(stop: bool) -> None:
        async with open_state(world.installation.settings.state_url) as state:
            if stop:
                await state.suspend(Suspension("wallet", "four", "drill", "test", 1))
            else:
                await state.resume("wallet", "four")

    monkeypatch.chdir(world.installation.directory)
    asyncio.run(change(True))
    wait_until(lambda: reason(world, "four") == "wallet four is suspended", "it is told", poll_seconds=0.1)
    assert readyz(world)[0] == 200
    asyncio.run(change(False))
    wait_until(lambda: reason(world, "four") is None, "it is over", poll_seconds=0.1)


def test_with_vault_sealed_no_wallet_is_ready_and_all_say_why(world: World) -> None:
    world.openbao.seal()
    try:
        wait_until(lambda: readyz(world)[0] == 503, "it is noticed", poll_seconds=0.1)
        told = readyz(world)[1]
        assert told["problems"] == ["vault: sealed"]
        assert {each["reason"] for each in told["wallets"].values()} == {"vault: sealed"}
        found = scraped(world, "vaultsigner_ready", 0)
        assert found.value("vaultsigner_component_ready", component="vault") == 0
        assert found.value("vaultsigner_component_ready", component="state") == 1
    finally:
        world.openbao.unseal()
    wait_until(lambda: readyz(world)[0] == 200, "it is over")


def test_a_token_that_may_not_look_makes_nothing_unready(world: World) -> None:
    """Of an installation that was set up before there was anything to look at."""
    rules = "\n\n".join(
        block for block in least_policy(world.installation.settings).split("\n\n") if "/subkeys/" not in block
    )
    token_file = world.installation.settings.vault.auth.path  # type: ignore[union-attr]  # worlds have a token file
    token = world.openbao.create_token(rules, name="old")
    before = token_file.read_text()
    world.service.stop()
    try:
        token_file.write_text(token)
        world.service.start()
        assert reason(world, "one") is None
        assert world.post("/api/transfer/sign", transfer("one")).status == 200
    finally:
        world.service.stop()
        token_file.write_text(before)
        world.service.start()


def test_while_custody_is_away_the_rest_is_told(world: World) -> None:
    starts = scrape(world.service).value("vaultsigner_custody_starts_total")
    custody = world.service.custody_pid
    os.kill(custody, signal.SIGSTOP)
    try:
        found = scraped(world, "vaultsigner_custody_up", 0)
        assert found.series("vaultsigner_custody_up")
        assert found.series("vaultsigner_audit_chain_head")
        assert found.series("vaultsigner_limit_used_ratio") == []
        assert not found.series("vaultsigner_vault_requests_total")
    finally:
        os.kill(custody, signal.SIGKILL)
    scraped(world, "vaultsigner_custody_starts_total", starts + 1)
    wait_until(lambda: readyz(world)[0] == 200, "it is ready")
