"""An exchange of bare bytes, and what asks it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.integration.dispatch.raw_exchange import RawExchange, raw_exchange
from vaultsigner.dispatch.exchange import ExchangeHost
from vaultsigner.dispatch.exchange_session import exchange_session
from vaultsigner.signing.clock import SystemClock


@pytest.fixture
async def exchange() -> AsyncIterator[RawExchange]:
    """A running exchange."""
    async with raw_exchange() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """As the server has it."""
    async with exchange_session() as opened:
        yield opened


@pytest.fixture
def host(exchange: RawExchange, session: aiohttp.ClientSession) -> ExchangeHost:
    """Asks that exchange."""
    return ExchangeHost(session, exchange, SystemClock())
