"""One desk for all tests that leave it as they found it, and both clients."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.integration.client.asking import Asking, asking
from tests.integration.client.desk import Desk, running_desk
from vaultsigner.client import Credentials

Ask = Callable[..., Asking]


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running_desk(tmp_path_factory.mktemp("client")) as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def ask(desk: Desk, kind: str) -> Iterator[Ask]:
    """A client with these credentials, closed at the end."""
    with ExitStack() as stack:

        def made(credentials: Credentials | None, **options: Any) -> Asking:
            return stack.enter_context(asking(kind, desk.url, credentials, **options))

        yield made
