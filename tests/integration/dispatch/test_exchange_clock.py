"""The exchange's clock, by its own time endpoint."""

import time

import pytest

from tests.integration.dispatch.raw_exchange import Answerer, RawExchange, hang_up, response
from vaultsigner.dispatch.exchange import ExchangeHost

PATH = "/fapi/v1/time"


async def test_the_offset_is_measured_and_remembered(exchange: RawExchange, host: ExchangeHost) -> None:
    before = time.time_ns() // 1_000_000
    exchange.says(response(b'{"serverTime":%d}' % (before + 180_000)))
    offset = await host.clock_offset_ms(PATH)
    after = time.time_ns() // 1_000_000
    assert offset is not None
    assert 180_000 - (after - before) <= offset <= 180_000
    assert await host.clock_offset_ms(PATH) == offset
    assert [arrived.line for arrived in exchange.arrived] == [b"GET /fapi/v1/time HTTP/1.1"] * 2
    assert exchange.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        hang_up,
        response(b"{}"),
        response(b'{"serverTime":"1"}'),
        response(b'{"serverTime":1700000000000}', "429 Too Many Requests"),
        response(b'{"serverTime":1700000000000}' + b" " * 100_000),
        response(b"<html>"),
    ],
)
async def test_what_tells_no_time_tells_none(
    exchange: RawExchange, host: ExchangeHost, answer: bytes | Answerer
) -> None:
    exchange.says(answer)
    assert await host.clock_offset_ms(PATH, fresh=True) is None
