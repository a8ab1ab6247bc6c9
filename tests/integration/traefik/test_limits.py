"""Who asks too often, or too much at once, is stopped by Traefik."""

import re
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.integration.traefik.conftest import Desk
from tests.traefik import Traefik, program, running_traefik

MANY = 400
BURST, A_SECOND = 100, 50
"""Log-ins of one address, as deploy/traefik has them."""
ROUNDED = 5
"""Traefik lets one wait that comes a moment too early."""


@pytest.fixture
def fresh(live: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traefik]:
    """One whose buckets are full."""
    ops = live.world.installation.settings.server.ops_listen.port
    directory = tmp_path_factory.mktemp("fresh") / "traefik"
    with running_traefik(directory, live.world.url, ops_port=ops) as running:
        yield running


def statuses(traefik: Traefik, path: str, count: int, source: str) -> list[bytes]:
    """One request behind the other on one connection."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Length: 2"]
    one = "\r\n".join([*lines, "", "{}"]).encode()
    last = "\r\n".join([*lines, "Connection: close", "", "{}"]).encode()
    answer = traefik.raw(one * (count - 1) + last, source=source)
    return re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer)


@pytest.mark.parametrize("path", ["/api/auth/nothing", "/api//auth/./nothing"])
def test_log_ins_from_one_address_are_held_back_and_others_are_not(fresh: Traefik, path: str) -> None:
    began = time.monotonic()
    told = statuses(fresh, path, MANY, "127.0.0.11")
    # However long it took: a machine that is busy asks more slowly, and more of it is let through.
    earned = BURST + A_SECOND * (time.monotonic() - began)
    assert len(told) == MANY
    assert set(told) <= {b"404", b"429"}
    assert told.count(b"404") <= earned + ROUNDED
    assert told[:50] == [b"404"] * 50, "the burst"
    assert statuses(fresh, path, 20, "127.0.0.12") == [b"404"] * 20
    assert statuses(fresh, "/api/nothing", 20, "127.0.0.11") == [b"404"] * 20


def test_the_containers_health_check_works_with_the_delivered_configuration(fresh: Traefik) -> None:
    command = [program(), "healthcheck", f"--configFile={fresh.directory / 'traefik.yml'}"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    fresh.process.stop()
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
