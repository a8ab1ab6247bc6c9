"""One desk for all tests that leave it as they found it."""

from collections.abc import Iterator

import pytest

from tests.integration.exchanges.desk import Desk, running_desk


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running_desk(tmp_path_factory.mktemp("exchanges")) as running:
        yield running
