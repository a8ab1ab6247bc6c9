"""`vaultsigner serve` with an AppRole: killed custody comes back by itself, and no other process has what it logs in with."""

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.adversarial.memory_search import ProcessMemory
from tests.integration.cli.program import Program
from tests.integration.custody.conftest import policy_digest
from tests.integration.custody.custody_process import connected, request_for
from tests.integration.custody.log_ins import (
    Drop,
    approle,
    give_wrapped_secret_id,
    logging_in,
    tokens_of,
)
from tests.integration.custody.minting import mint
from tests.patience import PATIENCE_SECONDS, until, wait_until
from tests.world import USERNAME, Vector, wallet_name
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.dev.processes import ProcessError
from vaultsigner.dev.service import Service, running_service

TOKEN = re.compile(rb"s\.[A-Za-z0-9]{24}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Desk:
    """The service, on an OpenBao of its own."""

    openbao: OpenBao
    service: Service
    secret_id: str
    drop: Drop

    def custody(self, other_than: int) -> int | None:
        """The custody process, once there is another than that."""
        try:
            found = self.service.custody_pid
        except ProcessError:
            return None
        return found if found != other_than else None

    async def signs(self, vector: Vector) -> bool:
        token = mint(self.openbao, self.service.installation.settings, USERNAME)
        async with connected(self.service.custody_socket) as client:
            request = request_for(vector, wallet_name(vector), token, policy=policy_digest())
            return bool((await client.sign_beacon(request)).signature.hex() == vector["signature"])


@pytest.fixture(params=[True, False], ids=["wrapped", "plain"])
def desk(
    tmp_path: Path, own_openbao: OpenBao, vectors: list[Vector], request: pytest.FixtureRequest
) -> Iterator[Desk]:
    auth = approle(tmp_path, wrapped=request.param)
    installation = logging_in(tmp_path / "vs", own_openbao, vectors[:1], auth)
    if request.param:
        secret_id = give_wrapped_secret_id(own_openbao, installation)
    else:
        secret_id = own_openbao.client.auth.approle.generate_secret_id("vaultsigner")["data"]["secret_id"]
        Drop(tmp_path / "secret-id").put(secret_id)
    with running_service(installation) as service:
        yield Desk(own_openbao, service, secret_id, Drop(tmp_path / "secret-id"))


async def test_killed_custody_needs_no_new_secret_id(desk: Desk, vectors: list[Vector]) -> None:
    assert await desk.signs(vectors[0])
    for _ in range(3):
        killed = desk.service.custody_pid
        os.kill(killed, signal.SIGKILL)
        await until(lambda killed=killed: desk.custody(killed), "custody is there again")  # type: ignore[misc]  # bound at once
        assert await desk.signs(vectors[0])
    (kept,) = tokens_of(desk.openbao, "approle")  # it went on with the token that it had
    os.kill(desk.service.custody_pid, signal.SIGTERM)
    await until(lambda: kept not in tokens_of(desk.openbao, "approle"), "that token ends with custody")
    await until(desk.service.is_ready, "the launcher has started another")
    assert await desk.signs(vectors[0])
    desk.service.stop()
    wait_until(lambda: not tokens_of(desk.openbao, "approle"), "nothing is left of it")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read another process's memory")
async def test_only_custody_has_the_token_and_the_secret_id(desk: Desk, vectors: list[Vector]) -> None:
    assert await desk.signs(vectors[0])
    service = desk.service
    memory = b"".join(ProcessMemory(service.custody_pid).regions().values())
    good = {token for token in set(TOKEN.findall(memory)) if _is_good(desk.openbao, token.decode())}
    assert len(good) == 1, "the control: custody's token is found in its memory"
    needles = {"secret id": desk.secret_id.encode(), "token": good.pop()}
    for pid in (service.launcher_pid, service.server_pid):
        assert ProcessMemory(pid).find(needles) == set()
        for place in ("cmdline", "environ"):
            seen = Drop(Path(f"/proc/{pid}/{place}")).raw
            assert not any(needle in seen for needle in needles.values())
    assert not any(needle in memory for name, needle in needles.items() if name == "secret id")
    log = Drop(service.log).raw
    assert not any(needle in log for needle in needles.values())


@pytest.mark.parametrize("desk", [True], ids=["wrapped"], indirect=True)
def test_check_beside_the_service_finds_the_secret_id_used_up_as_it_should_be(
    desk: Desk, tmp_path: Path
) -> None:
    assert desk.drop.gone
    file = desk.service.installation.config_file
    vaultsigner = Program(tmp_path)
    beside = vaultsigner.run("check", "--offline", "--config", str(file))
    assert beside.status == 0, beside
    (told,) = (line for line in beside.out.splitlines() if "secret id" in line)
    assert told.startswith("warn  Vault ")
    assert "is used up, as it should be: a service is ready" in told
    assert f"`vaultsigner vault setup --wrapped-secret-id-out {tmp_path / 'secret-id'}`" in told
    assert ": not tried" in beside.out
    desk.service.stop()
    alone = vaultsigner.run("check", "--offline", "--config", str(file))
    assert alone.status == 1
    assert "there is no secret id in" in alone.out


def test_readyz_says_why_there_is_no_token(
    tmp_path: Path, own_openbao: OpenBao, vectors: list[Vector]
) -> None:
    installation = logging_in(tmp_path / "vs", own_openbao, vectors[:1], approle(tmp_path))
    service = Service(installation)

    def problems() -> str:
        try:
            return requests.get(f"{service.ops_url}/readyz", timeout=PATIENCE_SECONDS).text
        except requests.ConnectionError:
            return ""

    try:
        service.launch()
        wait_until(
            lambda: "vault: denied: custody cannot log in to Vault by approle" in problems(), "it is told"
        )
        assert "vaultsigner vault setup --wrapped-secret-id-out" in problems()
        wrapping_token = give_wrapped_secret_id(own_openbao, installation)
        wait_until(service.is_ready, "custody takes it up without a restart")
        assert wrapping_token not in problems() + service.log.read_text()
    finally:
        service.stop()


def _is_good(openbao: OpenBao, token: str) -> bool:
    try:
        found = openbao.client.auth.token.lookup(token)["data"]
    except Exception:  # noqa: BLE001 - whatever hvac says of what is no token
        return False
    return bool(found["path"] == "auth/approle/login")
