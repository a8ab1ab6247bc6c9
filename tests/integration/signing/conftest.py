"""One running vaultsigner for the tests of a module."""

from collections.abc import Iterator

import pytest

from tests.world import Vector, World, running_world


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector]) -> Iterator[World]:
    """Holds every key of the vectors, on both networks."""
    with running_world(tmp_path_factory.mktemp("shared"), vectors) as running:
        yield running
