"""One desk and one browser for all tests of the console; each test begins as a new person in a new tab."""

from collections.abc import Iterator

import pytest

from tests.integration.console.browser import Browser, running_browser
from tests.integration.console.desk import running_console, varied_day
from tests.world import World


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_console(tmp_path_factory.mktemp("console")) as running:
        varied_day(running)
        yield running


@pytest.fixture(scope="package")
def shared_browser(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running_browser(world.url, tmp_path_factory.mktemp("chromium") / "downloads") as running:
        yield running


@pytest.fixture
def browser(shared_browser: Browser) -> Iterator[Browser]:
    """A new tab's state; afterwards nothing was refused, and nobody else was asked for anything."""
    shared_browser.forget()
    shared_browser.violations()
    shared_browser.requested()
    yield shared_browser
    assert shared_browser.violations() == []
    outside = [
        each
        for each in shared_browser.requested()
        if not each.startswith((shared_browser.url, "data:", "blob:"))
    ]
    assert outside == []
