"""A standby that is promoted under a running service: 503 and the reason in /readyz, until an operator accepts; no restart."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.integration.signed.callers import HMAC, UNHURRIED, planned_clients
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.postgres import PostgresServer
from tests.signing_client import signed_call
from tests.unit.state.test_postgres_failover import promote_now
from tests.world import World
from vaultsigner.cli import main

SIGN, CHECK = "/api/transfer/sign", "/api/auth/check"


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory, own_postgres: PostgresServer) -> Iterator[World]:
    with running_desk(
        tmp_path_factory.mktemp("fail-over"),
        private_key_wallet("one"),
        state_url=own_postgres.url(),
        clients=planned_clients("one"),
        rate_limits=UNHURRIED,
    ) as running:
        running.token()
        yield running


def problems(world: World) -> str:
    """What /readyz says while it is not ready."""
    answer = world.session.get(f"{world.service.ops_url}/readyz", timeout=PATIENCE_SECONDS)
    assert answer.status_code == 503
    return json.dumps(answer.json())


def test_a_fail_over_closes_the_service_until_it_is_accepted(
    world: World, own_postgres: PostgresServer
) -> None:
    used = signed_call(HMAC, "GET", CHECK, recv_window_ms=60_000)
    assert world.send(used).status == 200
    assert world.post(SIGN, transfer("one")).status == 200
    pid = world.service.server_pid
    promote_now(own_postgres)
    wait_until(lambda: not world.service.is_ready(), "it is not ready")
    wait_until(lambda: "another server has taken over" in problems(world), "it says why")
    assert "vaultsigner state accept" in problems(world)
    wait_until(lambda: world.post(SIGN, transfer("one")).status == 503, "nothing is signed any more")
    assert world.send(used).status == 503
    assert "canary-of-the-tests" not in problems(world)
    config = ["--config", str(world.installation.config_file)]
    accepted = CliRunner().invoke(main, ["state", "accept", "--yes", *config])
    assert accepted.exit_code == 0, accepted.output
    wait_until(world.service.is_ready, "it is ready again")
    assert world.service.server_pid == pid
    assert world.send(used).status != 200, "it was used before the fail-over"
    wait_until(lambda: world.post(SIGN, transfer("one")).status == 200, "it signs again")
