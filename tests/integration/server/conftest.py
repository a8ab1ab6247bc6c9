"""A server on a port of its own, and ways to talk to it that no HTTP client would let through."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.integration.server.recording_pipeline import RecordingPipeline
from tests.patience import PATIENCE_SECONDS
from vaultsigner.config.settings import ListenAddress, Partner, ServerSettings
from vaultsigner.server.app import create_app
from vaultsigner.server.connections import ConnectionRunner

ANYWHERE = ListenAddress("127.0.0.1", 0)
NO_PROXY = ServerSettings(listen=ANYWHERE, ops_listen=ANYWHERE, trusted_proxies=())
BEHIND_A_PROXY = ServerSettings(
    listen=ANYWHERE, ops_listen=ANYWHERE, trusted_proxies=(ip_network("127.0.0.0/8"),)
)
PARTNER = Partner("/web3", public_key=b"nobody looks at it here", key_bits=2048, tasks={})


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, which has to be JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Service:
    """A running server."""

    port: int
    pipeline: RecordingPipeline
    session: aiohttp.ClientSession

    async def request(self, method: str, target: str, **options: Any) -> Reply:
        """Ask through a well-behaved client."""
        url = f"http://127.0.0.1:{self.port}{target}"
        async with self.session.request(method, url, allow_redirects=False, **options) as response:
            return Reply(response.status, response.headers, await response.read())

    async def post(self, target: str, **options: Any) -> Reply:
        """POST, with an empty object unless told otherwise."""
        return await self.request("POST", target, **({"json": {}} | options))

    async def raw(self, data: bytes, *more: bytes, end: bool = True) -> bytes:
        """Send bytes as they are, each piece by itself; everything that comes back until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in (data, *more):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            if end:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    settings: ServerSettings, pipeline: RecordingPipeline, partner: Partner | None = None
) -> AsyncIterator[Service]:
    """Run the API application as the real process does."""

    @asynccontextmanager
    async def open_pipeline() -> AsyncIterator[RecordingPipeline]:
        yield pipeline

    runner = ConnectionRunner(create_app(settings, open_pipeline, partner), shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with aiohttp.ClientSession() as session:
            yield Service(site.port, pipeline, session)
    finally:
        await runner.cleanup()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A server that trusts no proxy."""
    async with serving(NO_PROXY, RecordingPipeline()) as running:
        yield running


@pytest.fixture
async def proxied_service() -> AsyncIterator[Service]:
    """A server whose clients all come through a trusted proxy."""
    async with serving(BEHIND_A_PROXY, RecordingPipeline()) as running:
        yield running


@pytest.fixture
async def partner_service() -> AsyncIterator[Service]:
    """A server with the partner family."""
    async with serving(NO_PROXY, RecordingPipeline(), PARTNER) as running:
        yield running


def split_reply(raw: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers in lower case, and the JSON body of a raw answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split(" ")[1]), headers, json.loads(body)
