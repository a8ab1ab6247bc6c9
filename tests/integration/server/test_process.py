"""The server as a process: what it says at start, what protects it, and how it ends."""

import asyncio
import json
import os
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True)
class Running:
    """A server process and what it said at start."""

    process: Process
    said: dict[str, Any]
    dumpable: str


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    """The slow server."""
    module = "tests.integration.server.slow_server"
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    dumpable = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
    line = await asyncio.wait_for(process.stderr.readline(), PATIENCE_SECONDS)
    try:
        yield Running(process, json.loads(line), dumpable.decode().strip())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_it_says_where_it_listens(running: Running) -> None:
    assert running.said["event"] == "listening"
    async with aiohttp.ClientSession() as session:
        async with session.get(running.said["url"] + "/") as reply:
            assert (reply.status, await reply.json()) == (200, {})
        async with session.get(running.said["ops_url"] + "/healthz") as reply:
            assert (reply.status, await reply.json()) == (200, {"status": "ok"})
        async with session.get(running.said["ops_url"] + "/readyz") as reply:
            assert reply.status == 503
            assert await reply.json() == {"status": "not ready", "problems": ["vault: sealed"]}


async def test_health_is_not_on_the_public_port(running: Running) -> None:
    async with aiohttp.ClientSession() as session, session.get(running.said["url"] + "/healthz") as reply:
        assert reply.status == 404


async def test_requests_in_flight_finish_when_it_is_told_to_stop(running: Running) -> None:
    assert running.process.stdout is not None
    async with aiohttp.ClientSession() as session:
        asking = asyncio.create_task(session.get(running.said["url"] + "/api/wallet"))
        assert await asyncio.wait_for(running.process.stdout.readline(), PATIENCE_SECONDS) == b"begun\n"
        running.process.terminate()
        async with await asking as reply:
            assert await reply.json() == ["finished"]
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(running.said["url"] + "/")
    assert await asyncio.wait_for(running.process.wait(), PATIENCE_SECONDS) == 0
    assert await running.process.stdout.read() == b"pipeline closed\n"


def core_limits(pid: int) -> list[str]:
    """The soft and the hard limit on core files."""
    limits = Path(f"/proc/{pid}/limits").read_text()
    [line] = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    return line.split()[4:6]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="core limits and dumpable are Linux's")
async def test_no_core_file_and_no_reader_of_its_memory(running: Running) -> None:
    assert core_limits(running.process.pid) == ["0", "0"]
    assert running.dumpable == "dumpable 0"


@pytest.mark.parametrize("text", ["", "users: 5\n", "wallets: [\n"])
async def test_a_configuration_that_is_wrong_stops_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yml").write_text(text)
    arguments = (
        "-m",
        "vaultsigner.server",
        "--config",
        str(tmp_path / "config.yml"),
        "--custody-socket",
        "none",
    )
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=PIPE)
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 1
    [line] = said.decode().splitlines()
    assert json.loads(line)["event"] == "cannot serve"
    assert "config.yml" in json.loads(line)["problem"]


async def test_it_does_not_start_where_passwords_would_stay_in_memory() -> None:
    """aiohttp's pure Python parser keeps pieces of what it was given."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.server.slow_server"),
        env={**os.environ, "AIOHTTP_NO_EXTENSIONS": "1"},
        stderr=PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 1
    assert b"without its C parser" in said


def test_open_files_are_raised_to_what_the_system_allows() -> None:
    code = (
        "import resource as r; from vaultsigner.server.process import *; "
        "r.setrlimit(r.RLIMIT_NOFILE, (64, 400)); first = connection_limit(); raise_file_limit(); "
        "print(first, connection_limit(), r.getrlimit(r.RLIMIT_NOFILE))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "48 300 (400, 400)"
