"""Forged questions about exchanges and the Open API, at the socket of the real process."""

import asyncio
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.custody.custody_process import CustodyProcess, connected, running_custody
from tests.integration.custody.exchange_proving import BINANCE_ORDER
from tests.integration.custody.exchange_world import KEPT_OUT, ExchangeWorld, exchange_world
from tests.unit.formats.exchange.asked import request
from tests.world import Vector
from vaultsigner.custody.frames import VERSION, QuestionCode, encode_frame
from vaultsigner.dev.openbao import running_openbao
from vaultsigner.domain.names import ExchangeName, Operation
from vaultsigner.errors import CustodyError
from vaultsigner.formats.exchange.meaning import meaning_of
from vaultsigner.formats.open_api.calls import OpenApiCall

QUERY = Operation("exchange.query")
HEADER = struct.Struct(">IBBQ")
CALL = OpenApiCall("GET", "/mp-api/v1/apps/heldoutApp01/access-token")
NAMES = ("hmac-transit", "hmac-kv", "rsa-transit", "rsa-kv", "ed25519-transit", "ed25519-kv")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector]) -> Iterator[ExchangeWorld]:
    directory = tmp_path_factory.mktemp("exchanges")
    with (
        running_openbao(directory / "openbao") as openbao,
        exchange_world(openbao, directory, vectors) as at_hand,
    ):
        yield at_hand


@pytest.fixture(scope="module")
def custody(world: ExchangeWorld) -> Iterator[CustodyProcess]:
    with running_custody(world.installation) as running:
        yield running


async def asked(socket_path: Path, code: int, payload: bytes) -> dict[str, Any]:
    """The answer to one question on a connection of its own."""
    reader, writer = await asyncio.open_unix_connection(str(socket_path))
    try:
        await frame_from(reader)  # its hello
        writer.write(encode_frame(code, 1, payload))
        return await frame_from(reader)
    finally:
        writer.close()


async def frame_from(reader: asyncio.StreamReader) -> dict[str, Any]:
    length, version, _, _ = HEADER.unpack(await reader.readexactly(HEADER.size))
    assert version == VERSION
    document: dict[str, Any] = json.loads(await reader.readexactly(length - HEADER.size + 4))
    return document


async def test_every_question_is_answered(world: ExchangeWorld, custody: CustodyProcess) -> None:
    async with connected(custody.socket_path) as client:
        answers = await asyncio.gather(*(client.sign_exchange(world.order(name)) for name in NAMES))
        assert {answer.signed.target for answer in answers} == {"/api/v3/order"}
        token = await client.open_api_token(world.token(CALL))
        assert token.token.count(".") == 2
        for name in NAMES:
            await client.check_exchange(ExchangeName(name))
        await client.check_open_api("mini-app")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"operation": "exchange.query"}, "bad_question"),
        ({"operation": "transfer.sign"}, "bad_question"),
        ({"exchange": "nowhere"}, "bad_question"),
        ({"principal": {"kind": "user", "name": KEPT_OUT}}, "no_permission"),
        ({"principal": {"kind": "client", "name": "sam"}}, "no_permission"),
        ({"access_token": "a.b.c"}, "invalid_token"),
        ({"access_token": None, "ticket": "forged"}, "custody_unavailable"),
        ({"access_token": None, "ticket": None}, "bad_question"),
        ({"ticket": "forged"}, "bad_question"),
        ({"policy": "sha256:another"}, "policy_mismatch"),
        ({"clock_offset_ms": 600_001}, "bad_question"),
        ({"clock_offset_ms": -600_001}, "bad_question"),
        ({"request": {}}, "bad_question"),
        ({"payload": "c3ltYm9s"}, "bad_question"),
        ({"ip": "nowhere"}, "bad_question"),
    ],
)
async def test_a_forged_question_is_refused(
    world: ExchangeWorld, custody: CustodyProcess, changed: dict[str, Any], code: str
) -> None:
    good = json.loads(world.order("hmac-kv").payload())
    answer = await asked(
        custody.socket_path, QuestionCode.SIGN_EXCHANGE, json.dumps({**good, **changed}).encode()
    )
    assert answer["error"]["code"] == code
    answer = await asked(custody.socket_path, QuestionCode.SIGN_EXCHANGE, json.dumps(good).encode())
    assert answer["ok"]["method"] == "POST"


async def test_a_request_too_large_for_an_answer_is_refused(
    world: ExchangeWorld, custody: CustodyProcess
) -> None:
    """Two bytes as they come are six as they go; an honest server does not ask for this."""
    asked = request("GET /api/v3/account", note="é" * 30_000)
    async with connected(custody.socket_path) as client:
        with pytest.raises(CustodyError) as caught:
            await client.sign_exchange(world.order("hmac-kv", operation=QUERY, request=asked))
    assert (caught.value.code, "too large" in str(caught.value)) == ("bad_question", True)


WITHDRAWAL = {"coin": "BTC", "address": "bc1qthief", "amount": "1"}


@pytest.mark.parametrize(
    ("path", "parameters", "also"),
    [
        ("/api/v3/account", WITHDRAWAL, "exchange.withdraw (POST /sapi/v1/capital/withdraw/apply)"),
        ("/sapi/v1/asset/transfer", {"type": "A", "asset": "B", "amount": "1"}, "exchange.transfer ("),
        ("/fapi/v1/order", {"symbol": "A", "side": "BUY", "orderId": "1"}, "exchange.amend ("),
        ("/api/v3/account", {"apiKey": "k"}, "exchange.other (session.logon)"),
    ],
)
async def test_a_query_that_is_good_for_more_is_refused(
    world: ExchangeWorld, custody: CustodyProcess, path: str, parameters: dict[str, str], also: str
) -> None:
    """A server in wrong hands would get what it needs for a withdrawal by asking for a query."""
    asked = request(f"GET {path}", **parameters)
    async with connected(custody.socket_path) as client:
        with pytest.raises(CustodyError) as caught:
            await client.sign_exchange(world.order("hmac-kv", operation=QUERY, request=asked))
    assert caught.value.code == "policy_denied"
    assert str(caught.value).startswith(f"what is signed would also be good for {also}")


@pytest.mark.parametrize(
    ("place", "parameters"),
    [
        ("GET /sapi/v1/margin/maxBorrowable", {"asset": "BTC"}),
        ("GET /api/v3/order", {"symbol": "BTCUSDT", "orderId": "1"}),
        ("GET /api/v3/account", {"unknown": "1"}),
        ("POST /fapi/v1/batchOrders", {"batchOrders": f"[{json.dumps(dict(BINANCE_ORDER))}]"}),
    ],
)
async def test_what_is_good_for_nothing_else_is_signed(
    world: ExchangeWorld, custody: CustodyProcess, place: str, parameters: dict[str, str]
) -> None:
    asked = request(place, **parameters)
    async with connected(custody.socket_path) as client:
        question = world.order("hmac-kv", operation=meaning_of(asked).operation, request=asked)
        assert (await client.sign_exchange(question)).signed.method == asked.method


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("parameters", [["symbol", "BTCUSDT"], ["symbol", "LTCBTC"]]),
        ("parameters", [["signature", "00"]]),
        ("parameters", [["symbol"]]),
        ("parameters", {"symbol": "LTCBTC"}),
        ("path", "/api/v3/../../sapi/v1/capital/withdraw/apply"),
        ("path", "/api/v3/order?side=SELL"),
        ("method", "POST /sapi"),
        ("transport", "carrier pigeon"),
        ("json_body", "{}"),
        ("recv_window_ms", 60_001),
        ("recv_window_ms", 0),
    ],
)
async def test_a_request_that_no_caller_can_ask_for_is_refused(
    world: ExchangeWorld, custody: CustodyProcess, member: str, value: object
) -> None:
    good = json.loads(world.order("hmac-kv").payload())
    good["request"][member] = value
    answer = await asked(custody.socket_path, QuestionCode.SIGN_EXCHANGE, json.dumps(good).encode())
    assert answer["error"]["code"] == "bad_question"


@pytest.mark.parametrize(
    "code",
    sorted(
        {*QuestionCode}
        - {*list(QuestionCode)[:9], QuestionCode.CHECKPOINT_KEYS}
        # It asks nothing in particular; any bytes are a log-in that fails.
        - {QuestionCode.METRICS, QuestionCode.LOG_IN_WITH_CERTIFICATE}
    ),
)
@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"{}", b"null", b'{"exchange":1}', b'{"app":null}', b"\xff"]
)
async def test_what_is_no_question_is_refused_and_the_next_one_answered(
    custody: CustodyProcess, code: QuestionCode, payload: bytes
) -> None:
    assert (await asked(custody.socket_path, code, payload))["error"]["code"] == "bad_question"
    assert "ok" in await asked(custody.socket_path, QuestionCode.HEALTH, b"{}")


async def test_whoever_is_kept_out_gets_no_token_and_no_plaintext(
    world: ExchangeWorld, custody: CustodyProcess
) -> None:
    async with connected(custody.socket_path) as client:
        for made in (
            client.open_api_token(world.token(CALL, user=KEPT_OUT)),
            client.open_api_decrypt(world.decryption("AAAA", user=KEPT_OUT)),
            client.sign_exchange(world.order("hmac-transit", user=KEPT_OUT)),
        ):
            with pytest.raises(CustodyError) as caught:
                await made
            assert caught.value.code == "no_permission"
