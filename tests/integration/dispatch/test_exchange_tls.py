"""Only the host of the configuration, as its certificate shows: to anybody else not one byte of a request leaves."""

from pathlib import Path

import pytest

from tests.integration.dispatch.certificates import Authority, new_authority
from tests.integration.dispatch.raw_exchange import RawExchange, raw_exchange
from tests.integration.dispatch.test_exchange_sending import Signed
from vaultsigner.dispatch.exchange import PATIENCE, ExchangeAnswer, ExchangeHost, NotSent, Sent
from vaultsigner.dispatch.exchange_body import Patience
from vaultsigner.dispatch.exchange_session import exchange_session
from vaultsigner.signing.clock import SystemClock


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority()


async def asked(exchange: RawExchange, trusted: Authority | None, patience: Patience = PATIENCE) -> Sent:
    """What comes of a request to `localhost`, wherever the certificate says that this is."""
    exchange.host = "localhost"
    async with exchange_session(True if trusted is None else trusted.trusted()) as session:
        host = ExchangeHost(session, exchange, SystemClock(), patience)
        return await host.send(Signed(), changes=True)


async def test_a_good_certificate_is_good(authority: Authority, tmp_path: Path) -> None:
    async with raw_exchange(authority.serving("localhost", tmp_path)) as exchange:
        assert isinstance(await asked(exchange, authority), ExchangeAnswer)
        assert len(exchange.arrived) == 1


@pytest.mark.parametrize("name", ["elsewhere.example", "localhost.elsewhere.example"])
async def test_another_name_is_another_host(authority: Authority, tmp_path: Path, name: str) -> None:
    async with raw_exchange(authority.serving(name, tmp_path)) as exchange:
        assert await asked(exchange, authority) == NotSent(
            f"no connection to localhost:{exchange.port}: its certificate is not accepted"
        )
        assert exchange.arrived == []


async def test_an_authority_that_nobody_knows_is_none(authority: Authority, tmp_path: Path) -> None:
    async with raw_exchange(authority.serving("localhost", tmp_path)) as exchange:
        assert await asked(exchange, None) == NotSent(
            f"no connection to localhost:{exchange.port}: its certificate is not accepted"
        )
        assert exchange.arrived == []


async def test_what_speaks_no_tls_is_not_sent_anything() -> None:
    async with raw_exchange() as exchange:
        exchange.scheme = "https"
        result = await asked(exchange, None, Patience(connect=0.05))
        assert isinstance(result, NotSent)
        assert exchange.arrived == []
