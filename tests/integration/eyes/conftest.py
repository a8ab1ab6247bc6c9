"""The desk of these tests."""

from collections.abc import Iterator

import pytest

from tests.adversarial.canary_desk import Desk
from tests.integration.eyes.traffic import every_route, running_watched


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk that has served one request for each route."""
    with running_watched(tmp_path_factory.mktemp("eyes")) as desk:
        every_route(desk)
        yield desk
