"""The exchange stand-in over the wire: HTTP, its WebSocket API, and everything that can be made to go wrong."""

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from yarl import URL

from tests.exchanges import KEY_OF, KEYS, account_of
from tests.patience import until
from tests.unit.dev.exchange.asking import LIMIT_ORDER, NOW_MS, raw, signed
from vaultsigner.dev.exchange import faults
from vaultsigner.dev.exchange.requests import RawRequest
from vaultsigner.dev.exchange.server import ExchangeServer, run_exchange
from vaultsigner.dev.exchange.signatures import websocket_payload

ORDER = "POST /api/v3/order"
ACCOUNT = "GET /api/v3/account"
Document = dict[str, Any]


@pytest.fixture
async def server() -> AsyncIterator[ExchangeServer]:
    accounts = [account_of(name) for name in KEY_OF.values()]
    async with run_exchange(accounts) as running:
        running.exchange.freeze(NOW_MS)
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as opened:
        yield opened


def send(
    session: aiohttp.ClientSession, server: ExchangeServer, request: RawRequest
) -> "aiohttp.client._RequestContextManager":
    return session.request(
        request.method,
        URL(server.url + request.target, encoded=True),
        headers=dict(request.headers),
        data=request.body,
        allow_redirects=False,
    )


def asked(endpoint: str) -> RawRequest:
    method, path = endpoint.split()
    return signed(method, path, LIMIT_ORDER if endpoint == ORDER else {})


async def test_an_order_and_its_record(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    request = asked(ORDER)
    async with send(session, server, request) as response:
        document = await response.json()
        assert (response.status, document["status"]) == (200, "NEW")
        assert response.headers["X-MBX-USED-WEIGHT-1M"] == "1"
        assert response.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    (received,) = server.exchange.received
    assert (received.target, received.body, received.verified) == (request.target, b"", True)
    assert received.header("Host") == server.url.removeprefix("http://")


async def test_bytes_arrive_as_they_were_sent(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    """Nothing on the way normalises an encoding, which would spoil the signature."""
    request = signed("GET", "/api/v3/exchangeInfo")
    target = "/api/v3/order?a=%7E~%2B+%c3%a9&b&=c&&d='"
    async with send(session, server, RawRequest("GET", target, request.headers, b"")):
        pass
    assert server.exchange.received[-1].target == target


async def test_a_form_body(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    in_query = asked(ORDER)
    form = in_query.query.decode()
    request = raw("POST", "/api/v3/order", "", form, kind="application/x-www-form-urlencoded")
    async with send(session, server, request) as response:
        assert response.status == 200
    assert server.exchange.received[-1].body == form.encode()


ANSWERED = [
    (faults.rate_limited(9), 429, -1003, False),
    (faults.banned(120), 418, -1003, False),
    (faults.outcome_unknown(), 408, -1007, True),
    (faults.outcome_unknown(-1006, 400, executes=False), 400, -1006, False),
    (faults.refuses(-1021, "no"), 400, -1021, False),
    (faults.unavailable(503), 503, None, True),
    (faults.unavailable(502, executes=False), 502, None, False),
    (faults.redirects("http://127.0.0.1:1/x"), 302, None, False),
]


@pytest.mark.parametrize(("fault", "status", "code", "executed"), ANSWERED)
async def test_answers_that_are_not_the_true_one(
    session: aiohttp.ClientSession,
    server: ExchangeServer,
    fault: faults.Fault,
    status: int,
    code: int | None,
    *,
    executed: bool,
) -> None:
    server.faults.arm(ORDER, fault)
    async with send(session, server, asked(ORDER)) as response:
        text = await response.text()
        assert response.status == status
        assert code is None or json.loads(text)["code"] == code
        wait = {429: "9", 418: "120"}.get(status)
        assert response.headers.get("Retry-After") == wait
        assert response.headers.get("Location") == ("http://127.0.0.1:1/x" if status == 302 else None)
    (received,) = server.exchange.received
    assert (received.executed, received.status, received.fault) == (executed, status, fault.name)
    assert received.verified is True
    assert bool(server.exchange.spot.book.orders) is executed
    async with send(session, server, asked(ORDER)) as response:
        assert response.status == 200  # faults are for once


async def test_a_fault_does_not_hide_a_refusal(
    session: aiohttp.ClientSession, server: ExchangeServer
) -> None:
    """What the exchange would not do it has not done, whatever was armed."""
    server.faults.arm(ORDER, faults.unavailable(503))
    async with send(session, server, signed("POST", "/api/v3/order", timestamp=1)) as response:
        assert response.status == 400
    assert server.exchange.received[-1].code == -1021


async def test_a_fault_may_last(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    server.faults.always(ACCOUNT, faults.rate_limited())
    for _ in range(3):
        async with send(session, server, asked(ACCOUNT)) as response:
            assert response.status == 429
    server.faults.always(ACCOUNT, None)
    async with send(session, server, asked(ACCOUNT)) as response:
        assert response.status == 200


async def test_a_large_answer(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    server.faults.arm(ACCOUNT, faults.large(10_000_000))
    async with send(session, server, asked(ACCOUNT)) as response:
        body = await response.read()
    assert len(body) == 10_000_000
    assert json.loads(body)["filler"].startswith("0123456789")


async def test_compressed_answers_and_a_bomb(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    server.faults.arm(ACCOUNT, faults.compresses(), faults.gzip_bomb(50_000_000))
    async with send(session, server, asked(ACCOUNT)) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(await response.read()))["canTrade"] is True
    async with send(session, server, asked(ACCOUNT)) as response:
        packed = await response.read()
        assert len(packed) < 100_000
        assert len(gzip.decompress(packed)) in range(49_900_000, 50_000_001)


async def test_a_cookie(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    server.faults.arm(ACCOUNT, faults.sets_cookie("a=b"))
    async with send(session, server, asked(ACCOUNT)) as response:
        assert response.headers["Set-Cookie"] == "a=b"
        assert (await response.json())["canTrade"] is True


@pytest.mark.parametrize("executes", [True, False])
async def test_a_cut_before_an_answer(
    session: aiohttp.ClientSession, server: ExchangeServer, *, executes: bool
) -> None:
    server.faults.arm(ORDER, faults.cuts_before_answer(executes=executes))
    with pytest.raises(aiohttp.ClientError):
        async with send(session, server, asked(ORDER)):
            pass
    assert bool(server.exchange.spot.book.orders) is executes
    assert server.exchange.received[-1].status == 0


async def test_a_cut_in_the_middle(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    server.faults.arm(ORDER, faults.cuts_in_the_middle())
    async with send(session, server, asked(ORDER)) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert server.exchange.spot.book.orders


async def test_a_trickle_is_the_whole_answer(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    server.faults.arm(ACCOUNT, faults.trickles(0.001, 50))
    async with send(session, server, asked(ACCOUNT)) as response:
        assert (await response.json())["canTrade"] is True


@pytest.mark.parametrize("fault", [faults.keeps_silent(), faults.stalls(10)])
async def test_silence_lasts_until_the_caller_gives_up(
    session: aiohttp.ClientSession, server: ExchangeServer, fault: faults.Fault
) -> None:
    server.faults.arm(ORDER, fault)

    async def whole() -> None:
        async with send(session, server, asked(ORDER)) as response:
            await response.read()

    asking = asyncio.create_task(whole())
    await until(lambda: server.exchange.received, "it has arrived")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asking, 0.5)
    assert server.exchange.received[-1].executed


def websocket_request(method: str, parameters: Document, key_name: str = "ed25519_test") -> Document:
    """Signed with the vectors' Ed25519 key."""
    key = load_pem_private_key(KEYS["ed25519_test"]["private_key"].encode(), None)
    assert isinstance(key, Ed25519PrivateKey)
    whole = parameters | {"apiKey": KEYS[key_name]["api_key"], "timestamp": NOW_MS}
    signature = base64.b64encode(key.sign(websocket_payload(whole))).decode()
    return {"id": "1", "method": method, "params": whole | {"signature": signature}}


async def test_the_websocket_api(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    async with session.ws_connect(f"{server.url}/ws-api/v3") as socket:

        async def talk(message: Document) -> Document:
            await socket.send_json(message)
            answer: Document = await socket.receive_json()
            return answer

        unsigned = {"id": 2, "method": "account.status", "params": {"timestamp": NOW_MS}}
        assert (await talk(unsigned))["error"]["code"] == -2014
        placed = await talk(websocket_request("order.place", {**LIMIT_ORDER, "recvWindow": 100}))
        assert (placed["id"], placed["status"], placed["result"]["status"]) == ("1", 200, "NEW")
        other = websocket_request("order.place", dict(LIMIT_ORDER))
        other["params"]["quantity"] = "0.6"
        assert (await talk(other))["error"]["code"] == -1022
        late = websocket_request("session.logon", {})
        server.exchange.freeze(NOW_MS + 5_001)
        assert (await talk(late))["error"]["code"] == -1021
        server.exchange.freeze(NOW_MS)
        logged_on = await talk(late)
        assert logged_on["result"]["apiKey"] == KEYS["ed25519_test"]["api_key"]
        assert (await talk(unsigned))["result"]["canTrade"] is True
        assert (await talk({"method": "nonsense"}))["error"]["code"] == -1020
        assert (await talk({"id": 3}))["error"]["code"] == -1135
    verified = [(each.target, each.verified, each.executed) for each in server.exchange.received]
    assert verified[:4] == [
        ("account.status", None, False),
        ("order.place", True, True),
        ("order.place", False, False),
        ("session.logon", True, False),
    ]
    assert server.exchange.received[1].meant == LIMIT_ORDER
    assert len(server.exchange.spot.book.orders) == 1


async def test_only_ed25519_keys_log_on(session: aiohttp.ClientSession, server: ExchangeServer) -> None:
    async with session.ws_connect(f"{server.url}/ws-api/v3") as socket:
        await socket.send_json(websocket_request("session.logon", {}, "hmac_doc"))
        assert (await socket.receive_json())["error"]["code"] == -4056
