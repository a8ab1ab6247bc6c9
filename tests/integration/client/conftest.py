"""One desk for all tests that leave it as they found it, and both clients."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.client.asking import Asking, asking
from tests.integration.client.desk import Desk, running_desk
from tests.patience import wait_until
from vaultsigner.client import Credentials, OpenApiKey

Ask = Callable[..., Asking]


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running_desk(tmp_path_factory.mktemp("client")) as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@dataclass(slots=True)
class Seconds:
    """Times in Open API tokens are whole seconds: two clients that ask alike in one of them have one token for two requests."""

    used: int = 0

    def wait_for_another(self) -> None:
        wait_until(lambda: int(time.time()) > self.used, "the next second")


@pytest.fixture(scope="package")
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def ask(desk: Desk, kind: str, seconds: Seconds) -> Iterator[Ask]:
    """A client with these credentials, closed at the end."""
    with ExitStack() as stack:

        def made(credentials: Credentials | None, **options: Any) -> Asking:
            if isinstance(credentials, OpenApiKey):
                seconds.wait_for_another()
            return stack.enter_context(asking(kind, desk.url, credentials, **options))

        yield made
    seconds.used = int(time.time())
