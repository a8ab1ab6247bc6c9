"""What leaves is what was signed, byte for byte, once, and to the host of the configuration alone."""

import asyncio
from dataclasses import dataclass

import aiohttp
import pytest

import vaultsigner
from tests.integration.dispatch.raw_exchange import (
    Answerer,
    RawExchange,
    hang_up,
    raw_exchange,
    response,
    then_hang_up,
    then_stall,
)
from tests.patience import until
from vaultsigner.dispatch.exchange import ExchangeAnswer, ExchangeHost, NotSent, Unknown
from vaultsigner.dispatch.exchange_body import Patience
from vaultsigner.signing.clock import SystemClock

AGENT = f"vaultsigner/{vaultsigner.__version__}"
METHODS = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True)
class Signed:
    """A request as custody hands it over."""

    method: str = "POST"
    target: str = "/api/v3/order"
    headers: tuple[tuple[str, str], ...] = (("X-MBX-APIKEY", "key"),)
    body: bytes = b""


TARGETS = (
    "/api/v3/order?symbol=A%20B&note=%2B+%25&emoji=%F0%9F%9A%80&list=%5B%22A%22%2C%22B%22%5D&signature=a%3D%3D",
    "/api/v3/order?hex=%e2%82%ac&tilde=%7E~&letter=%41&slash=/%2F&empty=&=x&&a=1;b=2&a=1",
    "/api/v3/order?q=a?b&c='d'(e)*!:@,$[]",
    "/api/../v3//./order",
    "//elsewhere.example/api",
    "/@elsewhere.example/api",
)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("changes", [True, False])
async def test_the_target_is_sent_as_it_was_signed(
    exchange: RawExchange, host: ExchangeHost, target: str, method: str, changes: bool
) -> None:
    assert isinstance(await host.send(Signed(method, target), changes=changes), ExchangeAnswer)
    [arrived] = exchange.arrived
    assert arrived.line == f"{method} {target} HTTP/1.1".encode()


async def test_nothing_is_added_to_a_query(exchange: RawExchange, host: ExchangeHost) -> None:
    await host.send(Signed("GET", "/api/v3/account?timestamp=1&signature=ab"), changes=False)
    assert exchange.arrived[0].headers == [
        ("Host", f"127.0.0.1:{exchange.port}"),
        ("User-Agent", AGENT),
        ("Accept-Encoding", "gzip"),
        ("X-MBX-APIKEY", "key"),
    ]


@pytest.mark.parametrize(
    "body", [b"symbol=A%20B&x=%2b+&signature=a%3D%3D", b"\x00\xff\r\n\r\n", b'{"a": "\xf0\x9f\x9a\x80"}']
)
async def test_nothing_is_changed_in_a_body(exchange: RawExchange, host: ExchangeHost, body: bytes) -> None:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    await host.send(Signed("POST", headers=(("X-MBX-APIKEY", "key"), form), body=body), changes=True)
    [arrived] = exchange.arrived
    assert arrived.body == body
    assert arrived.headers == [
        ("Host", f"127.0.0.1:{exchange.port}"),
        ("User-Agent", AGENT),
        ("Accept-Encoding", "gzip"),
        ("X-MBX-APIKEY", "key"),
        form,
        ("Content-Length", str(len(body))),
    ]


@pytest.mark.parametrize(
    "target",
    ["@elsewhere.example/", ".elsewhere.example/", "", "/api/v3/order?a=1#b", "/api/v3/order?", "/a b"],
)
async def test_what_would_be_sent_otherwise_is_a_defect_and_goes_nowhere(
    exchange: RawExchange, host: ExchangeHost, target: str
) -> None:
    with pytest.raises(ValueError, match="can be sent as it is"):
        await host.send(Signed(target=target), changes=True)
    assert exchange.connections == 0


async def test_what_is_passed_through_brings_no_headers_of_its_own(
    exchange: RawExchange, host: ExchangeHost
) -> None:
    await host.pass_through("GET", "/api/v3/klines?s=%2b+'ü#\udcff", (("X-MBX-APIKEY", "key"),))
    await host.pass_through("GET", "/api/v3/klines?")
    [arrived, bare] = exchange.arrived
    assert bare.line == b"GET /api/v3/klines HTTP/1.1"
    assert arrived.line == b"GET /api/v3/klines?s=%2b+'%C3%BC%23%FF HTTP/1.1"
    assert [name for name, _ in arrived.headers] == ["Host", "User-Agent", "Accept-Encoding", "X-MBX-APIKEY"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("answer", [hang_up, then_hang_up(b"HTTP/1.1 2")])
async def test_what_may_have_arrived_is_unknown_and_never_sent_twice(
    exchange: RawExchange, host: ExchangeHost, method: str, answer: Answerer
) -> None:
    """On a new connection and, what is more, on one that was open: the library would ask again by itself."""
    exchange.says(answer)
    assert await host.send(Signed(method), changes=True) == Unknown(
        f"no usable answer from {host.host}: hung up"
    )
    assert len(exchange.arrived) == 1
    exchange.says(response(), answer)
    assert isinstance(await host.send(Signed(method), changes=True), ExchangeAnswer)
    assert isinstance(await host.send(Signed(method), changes=True), Unknown)
    assert [arrived.connection for arrived in exchange.arrived] == [1, 2, 2]


async def test_a_query_is_asked_once_more_where_the_connection_broke(
    exchange: RawExchange, host: ExchangeHost
) -> None:
    exchange.says(response(), hang_up, response(b'{"a":1}'))
    assert isinstance(await host.send(Signed("GET"), changes=False), ExchangeAnswer)
    answer = await host.send(Signed("GET"), changes=False)
    assert isinstance(answer, ExchangeAnswer)
    assert answer.body.first == b'{"a":1}'
    exchange.says(hang_up)
    assert isinstance(await host.send(Signed("GET"), changes=False), Unknown)
    assert len(exchange.arrived) == 5


async def test_nobody_there_is_not_sent(session: aiohttp.ClientSession) -> None:
    async with raw_exchange() as gone:
        pass
    host = ExchangeHost(session, gone, SystemClock())
    assert await host.send(Signed(), changes=True) == NotSent(
        f"no connection to {host.host}: connection refused"
    )


async def test_an_unknown_name_is_not_sent(session: aiohttp.ClientSession) -> None:
    host = ExchangeHost(session, RawExchange(port=80, host="nothing.invalid"), SystemClock())
    assert await host.send(Signed(), changes=True) == NotSent(
        "no connection to nothing.invalid:80: its host name is not known"
    )


async def test_no_free_connection_is_not_sent(exchange: RawExchange) -> None:
    arrived = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await writer.wait_closed()

    exchange.says(stall, response())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as narrow:
        waiting = asyncio.create_task(
            ExchangeHost(narrow, exchange, SystemClock()).send(Signed(), changes=True)
        )
        await arrived.wait()
        hurried = ExchangeHost(narrow, exchange, SystemClock(), Patience(connect=0.05))
        assert await hurried.send(Signed(), changes=True) == NotSent(
            f"no connection to {hurried.host}: timed out"
        )
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert len(exchange.arrived) == 1


async def test_no_answer_in_time_is_unknown(exchange: RawExchange, session: aiohttp.ClientSession) -> None:
    hurried = ExchangeHost(session, exchange, SystemClock(), Patience(first_byte=0.05))
    exchange.says(then_stall(b""))
    for changes in (True, False):
        assert await hurried.send(Signed("GET"), changes=changes) == Unknown(
            f"no usable answer from {hurried.host}: timed out"
        )
    await until(lambda: len(exchange.arrived) >= 2, "both have arrived")
    assert len(exchange.arrived) == 2


async def test_requests_to_two_exchanges_keep_a_connection_each(session: aiohttp.ClientSession) -> None:
    async with raw_exchange() as one, raw_exchange() as other:
        hosts = [ExchangeHost(session, each, SystemClock()) for each in (one, other)]
        for _ in range(3):
            for host in hosts:
                await host.send(Signed(), changes=True)
        assert [(each.connections, len(each.arrived)) for each in (one, other)] == [(1, 3), (1, 3)]


async def test_requests_at_once_have_a_connection_each_and_their_own_answers(
    exchange: RawExchange, host: ExchangeHost
) -> None:
    exchange.says(*(response(b'{"n":%d}' % number) for number in range(20)))
    answers = await asyncio.gather(*(host.send(Signed(), changes=True) for _ in range(20)))
    bodies = {answer.body.first for answer in answers if isinstance(answer, ExchangeAnswer)}
    assert bodies == {b'{"n":%d}' % number for number in range(20)}


async def test_an_answer_that_nobody_asked_for_is_not_the_next_ones(
    exchange: RawExchange, host: ExchangeHost
) -> None:
    exchange.says(response(b'{"n":1}') + response(b'{"n":"stray"}'), response(b'{"n":2}'))
    for expected in (b'{"n":1}', b'{"n":2}'):
        answer = await host.send(Signed(), changes=True)
        assert isinstance(answer, ExchangeAnswer)
        assert answer.body.first == expected


async def test_an_answer_that_comes_late_is_not_the_next_ones(
    exchange: RawExchange, host: ExchangeHost
) -> None:
    """It arrives while the connection is idle."""
    stray = asyncio.Event()

    async def twice(writer: asyncio.StreamWriter) -> None:
        writer.write(response(b'{"n":1}'))
        await stray.wait()
        writer.write(response(b'{"n":"stray"}'))

    exchange.says(twice, response(b'{"n":2}'))
    for expected in (b'{"n":1}', b'{"n":2}'):
        answer = await host.send(Signed(), changes=True)
        assert isinstance(answer, ExchangeAnswer)
        assert answer.body.first == expected
        stray.set()
        await asyncio.sleep(0.1)
    assert exchange.connections == 2
