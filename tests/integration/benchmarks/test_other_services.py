"""What the service is measured beside serves like it, and leaves out that one thing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.eyes.traffic import scrape
from tests.signing_client import HmacKey, Reply, signed_call
from tests.world import World, running_world
from vaultsigner.dev.installation import PlannedClient, install
from vaultsigner.dev.service import PRODUCT, Service, running_service

NAIVE, UNMEASURED = ("-m", "benchmarks.naive"), ("-m", "benchmarks.unmeasured")
BOT = HmacKey("vs_test_bench", "a secret of the benchmark's, for tests alone")
COUNTED = (
    "vaultsigner_requests_total",
    "vaultsigner_request_step_duration_seconds_count",
    "vaultsigner_custody_request_duration_seconds_count",
    "vaultsigner_vault_requests_total",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    client = PlannedClient("bench", BOT.api_key, "hmac", {}, BOT.secret)
    with running_world(tmp_path_factory.mktemp("benchmarks"), [], clients=(client,)) as running:
        yield running


@contextmanager
def beside(world: World, directory: Path, program: tuple[str, ...]) -> Iterator[Service]:
    """Another service of the same desk."""
    installation = install(directory / "other", world.openbao, world.plan, planting=False)
    with running_service(installation, program=program) as service:
        yield service


def check(world: World, service: Service, key: HmacKey) -> Reply:
    return world.send(signed_call(key, "GET", "/api/auth/check"), service=service)


@pytest.mark.parametrize("program", [NAIVE, UNMEASURED])
def test_it_knows_its_clients_and_refuses_everybody_else(
    world: World, tmp_path: Path, program: tuple[str, ...]
) -> None:
    with beside(world, tmp_path, program) as service:
        assert check(world, service, BOT).status == 200
        assert check(world, service, HmacKey(BOT.api_key, "not the secret at all")).status == 401
        assert check(world, service, HmacKey("vs_test_nobody", BOT.secret)).status == 401


@pytest.mark.parametrize(("program", "counts"), [(PRODUCT, True), (UNMEASURED, False)])
def test_only_ours_counts(world: World, tmp_path: Path, program: tuple[str, ...], counts: bool) -> None:
    with beside(world, tmp_path, program) as service:
        assert check(world, service, BOT).status == 200
        scraped = scrape(service)
        assert [scraped.value(name) > 0 for name in COUNTED] == [counts] * len(COUNTED)
