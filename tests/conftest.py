"""Fixtures that several packages share: real servers on loopback, and the golden vectors."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.nodes import running_beacon_node
from tests.postgres import PostgresServer, remove_original, running_postgres
from tests.world import World, running_world
from vaultsigner.dev.beacon_node import BeaconNode
from vaultsigner.dev.openbao import OpenBao, running_openbao
from vaultsigner.dev.ports import free_port as any_free_port

Vector = dict[str, Any]

# Hypothesis takes an example for a failure that takes a fifth of a second: a busy machine does that.
settings.register_profile(
    "patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

VECTORS = Path(__file__).parent / "vectors"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Twice as many as there are cores, for most tests wait most of the time; four at least, eight at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(8, max(4, 2 * cores))


def pytest_sessionstart() -> None:
    """A shell without job control starts what goes on behind it deaf to Ctrl-C, and all that it starts: tests press it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish() -> None:
    """Nothing of PostgreSQL is left behind."""
    remove_original()


@pytest.fixture(scope="session")
def vectors() -> list[Vector]:
    """Signed transactions on which two independent libraries agree; the file's `about` says where they are from."""
    loaded: list[Vector] = json.loads((VECTORS / "bnb_beacon.json").read_text())["vectors"]
    return loaded


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    return any_free_port()


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """One OpenBao for all tests that leave it as they found it."""
    with running_openbao(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture
def own_openbao(tmp_path: Path) -> Iterator[OpenBao]:
    """An OpenBao that a test may seal and break; a restart loses everything."""
    with running_openbao(tmp_path / "openbao") as server:
        yield server


@pytest.fixture
def durable_openbao(tmp_path: Path) -> Iterator[OpenBao]:
    """An OpenBao that a test may stop and start again; what it holds survives that. Two seconds slower."""
    with running_openbao(tmp_path / "openbao", durable=True) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests that leave it as they found it."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that a test may stop, start and break; what it holds survives that."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def beacon_node() -> Iterator[BeaconNode]:
    """A node of the test network."""
    with running_beacon_node() as node:
        yield node


@pytest.fixture
def mainnet_node() -> Iterator[BeaconNode]:
    """A node of the main network."""
    with running_beacon_node(chain_id="Binance-Chain-Tigris", address_prefix="bnb") as node:
        yield node


@pytest.fixture
def world(tmp_path: Path, vectors: list[Vector]) -> Iterator[World]:
    """A whole vaultsigner of the test's own. Tests that share one make it with `running_world` at their own scope."""
    with running_world(tmp_path / "world", vectors) as running:
        yield running
