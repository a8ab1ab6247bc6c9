"""Asking exchanges for the time, each address once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from tests.exchanges import running_exchange
from tests.unit.cli.sample import sample_exchange
from vaultsigner.cli.exchange_probe import ask_exchanges, time_paths
from vaultsigner.config.settings import Exchange
from vaultsigner.dev.exchange.server import ExchangeServer


@pytest.fixture
def standing() -> Iterator[ExchangeServer]:
    with running_exchange() as server:
        yield server


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """An address that takes connections and never says anything."""

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def exchange_at(base_url: str, name: str = "main") -> Exchange:
    return replace(sample_exchange(name, "transit:transit/main"), base_url=base_url)


@pytest.mark.parametrize("skew_ms", [0, 3_600_000, -3_600_000])
async def test_it_tells_how_far_the_clock_is_off(standing: ExchangeServer, skew_ms: int) -> None:
    standing.exchange.skew(skew_ms)
    (found,) = await ask_exchanges([exchange_at(standing.url), exchange_at(standing.url, "other")], 60)
    assert (found.exchanges, found.problem) == (("main", "other"), None)
    assert found.clock_offset_ms is not None
    assert abs(found.clock_offset_ms - skew_ms) < 600_000
    assert {asked.target for asked in standing.exchange.received} == {"/api/v3/time"}


async def test_one_that_is_not_there_is_told_beside_one_that_is(standing: ExchangeServer) -> None:
    gone, there = await ask_exchanges([exchange_at("http://127.0.0.1:1"), exchange_at(standing.url)], 60)
    assert gone.clock_offset_ms is None
    assert (gone.problem or "").startswith("no connection to 127.0.0.1:1: ")
    assert there.problem is None


async def test_one_that_never_answers_is_not_waited_for(silent: str) -> None:
    (found,) = await ask_exchanges([exchange_at(silent)], 0.2)
    assert (found.clock_offset_ms, found.problem) == (None, "no answer within 0.2 s")


@pytest.mark.parametrize(
    ("base_url", "first"),
    [
        ("https://api.binance.com", "/api/v3/time"),
        ("https://testnet.binance.vision", "/api/v3/time"),
        ("https://fapi.binance.com", "/fapi/v1/time"),
        ("https://demo-dapi.binance.com", "/dapi/v1/time"),
        ("http://127.0.0.1:8080", "/api/v3/time"),
    ],
)
def test_each_product_has_a_time_endpoint_of_its_own(base_url: str, first: str) -> None:
    paths = time_paths(base_url)
    assert paths[0] == first
    assert len(set(paths)) == len(paths) == 4
