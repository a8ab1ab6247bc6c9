"""The exchange stand-in is as real as the libraries that people trade with need it: each of them against it, nothing between."""

from typing import get_args

import pytest

from tests.exchanges import running_exchange
from tests.integration.clients.exchange_clients import (
    ENCODING,
    FIND_ODD,
    FUTURES_CALLS,
    LIBRARIES,
    MOVING,
    ODD,
    READING,
    STREAMING,
    TRADING,
    calls_of,
    drive,
    job,
    named,
)
from vaultsigner.dev.exchange.signatures import Scheme

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
UNSIGNED = ("/time", "/ping", "/exchangeInfo", "/ticker/price", "/userDataStream", "Pairs")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_trades_at_the_stand_in(library: str) -> None:
    """By HMAC, RSA and Ed25519, each at an exchange of its own; and a value with everything odd in it comes through."""
    odd = [FIND_ODD] if library in ENCODING else []
    groups = (READING, TRADING, MOVING, STREAMING, FUTURES_CALLS)
    calls = {scheme: calls_of(library, scheme, *groups) for scheme in SCHEMES}
    with running_exchange() as one, running_exchange() as two, running_exchange() as three:
        servers = (one, two, three)
        jobs = [
            job(server.url, scheme, calls[scheme] + odd)
            for server, scheme in zip(servers, SCHEMES, strict=True)
        ]
        for server, scheme, results in zip(servers, SCHEMES, drive(library, jobs), strict=True):
            told = named(calls[scheme], results[: len(calls[scheme])])
            found = [each for each in server.exchange.received if each.code == -2013]
            assert [each.meant.get("origClientOrderId") for each in found] == [ODD] * len(odd)
            assert all(
                "Order does not exist" in result["error"]["text"] for result in results[len(calls[scheme]) :]
            )
            assert told["create_order"] == {"order_id": "1000", "client_order_id": "x-U5D79M5B-mine"}
            assert told["cancel_order"] == {"order_id": told["replace_order"]["order_id"]}
            assert [order["order_id"] for order in told["order_list"]] == ["1002", "1003"]
            assert told["balances"]["BTC"] == "10.00000000"
            assert "BTCUSDT" in told["markets"]["spot"]
            exchange = server.exchange
            assert not exchange.spot.book.open_of("desk")
            assert [withdrawal.address for withdrawal in exchange.capital.withdrawals] == ["TAddress"]
            signed = [each for each in exchange.received if not each.path.endswith(UNSIGNED)]
            assert len(signed) >= 12
            assert all(each.verified for each in signed)
