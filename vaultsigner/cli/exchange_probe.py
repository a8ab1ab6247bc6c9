"""Whether the exchanges of a configuration answer, and what their clocks say; nothing is signed for that."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from vaultsigner.cli.exchange_clocks import ExchangeHostFinding
from vaultsigner.config.settings import Exchange
from vaultsigner.dispatch.exchange import ExchangeAnswer, ExchangeHost
from vaultsigner.dispatch.exchange_session import exchange_session
from vaultsigner.dispatch.exchange_verdicts import server_time_in
from vaultsigner.formats.exchange.meaning import time_path
from vaultsigner.signing.clock import SystemClock

WAIT_SECONDS = 5.0
_PRODUCTS = ("api", "fapi", "dapi", "eapi")


async def ask_exchanges(
    exchanges: Iterable[Exchange], wait_seconds: float = WAIT_SECONDS
) -> tuple[ExchangeHostFinding, ...]:
    """Ask each address once, all at the same time.

    Args:
        wait_seconds: for how long, whatever is slow.
    """
    at: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        at[exchange.base_url].append(exchange)
    async with exchange_session() as session:
        return tuple(await asyncio.gather(*(_ask(session, found, wait_seconds) for found in at.values())))


def time_paths(base_url: str) -> tuple[str, ...]:
    """The endpoints that tell the time, first the one that the host's name speaks of: each product has its own."""
    host = urlsplit(base_url).netloc
    ranked = sorted(_PRODUCTS, key=lambda product: product == "api" or product not in host)
    return tuple(path for product in ranked if (path := time_path(f"/{product}/")) is not None)


async def _ask(
    session: aiohttp.ClientSession, there: list[Exchange], wait_seconds: float
) -> ExchangeHostFinding:
    first, names = there[0], tuple(exchange.name for exchange in there)
    host = ExchangeHost(session, first, SystemClock())
    try:
        async with asyncio.timeout(wait_seconds):
            offset_ms, problem = await _clock_of(host, time_paths(first.base_url))
    except TimeoutError:
        offset_ms, problem = None, f"no answer within {wait_seconds:g} s"
    return ExchangeHostFinding(first.base_url, names, offset_ms, problem)


async def _clock_of(host: ExchangeHost, paths: tuple[str, ...]) -> tuple[int | None, str | None]:
    """The offset in milliseconds, or why there is none."""
    statuses = []
    for path in paths:
        answer = await host.pass_through("GET", path)
        if not isinstance(answer, ExchangeAnswer):
            return None, answer.reason
        answer.body.close()
        if answer.status == HTTPStatus.OK and server_time_in(answer.body.first) is not None:
            return await host.clock_offset_ms(path), None
        statuses.append(answer.status)
    return None, f"it tells the time at none of {', '.join(paths)} (status {', '.join(map(str, statuses))})"
