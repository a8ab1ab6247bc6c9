"""Services for the tests of a module: one by the machine's clock, one whose clock stands still."""

from collections.abc import Iterator

import pytest

from tests.integration.signed.callers import FROZEN_MS, UNHURRIED, planned_clients, planned_partner
from tests.world import Vector, World, planned_wallets, running_world, wallet_name


@pytest.fixture(scope="session")
def sample(vectors: list[Vector]) -> Vector:
    """A transfer without a memo, on the test network."""
    return next(vector for vector in vectors if vector["id"] == "transfer-001")


@pytest.fixture(scope="session")
def order(vectors: list[Vector], sample: Vector) -> Vector:
    """An order with another key on the same network."""
    return next(
        vector
        for vector in vectors
        if vector["msg_type"] == "new_order"
        and vector["network"] == sample["network"]
        and wallet_name(vector) != wallet_name(sample)
    )


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, sample: Vector, order: Vector) -> Iterator[World]:
    """By the machine's clock, with a client of every scheme and a partner."""
    wallets = [wallet.name for wallet in planned_wallets([sample, order])]
    with running_world(
        tmp_path_factory.mktemp("live"),
        [sample, order],
        clients=planned_clients(*wallets),
        partner=planned_partner(),
        rate_limits=UNHURRIED,
    ) as world:
        yield world


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory, sample: Vector, order: Vector) -> Iterator[World]:
    """The same at the time of the vectors."""
    wallets = [wallet.name for wallet in planned_wallets([sample, order])]
    with running_world(
        tmp_path_factory.mktemp("frozen"),
        [sample, order],
        clients=planned_clients(*wallets),
        partner=planned_partner(),
        rate_limits=UNHURRIED,
        frozen_at_ms=FROZEN_MS,
    ) as world:
        yield world
