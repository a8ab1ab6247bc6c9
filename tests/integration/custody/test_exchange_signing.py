"""Requests to exchanges leave custody complete and well signed, by each scheme, with secrets in KV."""

from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.integration.custody.exchange_proving import (
    BINANCE_KEY,
    BINANCE_ORDER,
    BINANCE_PAYLOAD,
    BINANCE_SIGNATURE,
    BINANCE_TIME_MS,
    EDWARDS,
    EXCHANGES,
    MODULAR,
    ORDER_PATH,
    ExchangeProving,
    denying,
    exchange_proving,
    form_of,
    kv_path,
    pem,
)
from tests.integration.custody.proving import NOW, OPEN_API, SIGNED_REQUEST_KEYS
from tests.signing_client import SignedCall, open_api_token
from vaultsigner.custody.protocol import AuthenticateRequest
from vaultsigner.domain.names import ExchangeName
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.exchange.sign_only import read_sign_only


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[ExchangeProving]:
    async with exchange_proving(tmp_path) as at_hand:
        yield at_hand


async def test_binances_own_example_is_signed_as_published(desk: ExchangeProving) -> None:
    desk.here.now_ms = BINANCE_TIME_MS
    answer = await desk.sign(await desk.proof())
    assert answer.signed.method == "POST"
    assert answer.signed.target == "/api/v3/order"
    assert answer.signed.body.decode() == f"{BINANCE_PAYLOAD}&signature={BINANCE_SIGNATURE}"
    assert dict(answer.signed.headers)["X-MBX-APIKEY"] == BINANCE_KEY
    assert (answer.timestamp_ms, answer.vault_request_id) == (BINANCE_TIME_MS, "r-1")


@pytest.mark.parametrize("scheme", SIGNED_REQUEST_KEYS)
@pytest.mark.parametrize("name", ["spot", "modular", "edwards"])
async def test_either_leg_has_a_scheme_of_its_own(desk: ExchangeProving, scheme: str, name: str) -> None:
    call = desk.call(path=f"/exchange/{name}/api/v3/order", key=SIGNED_REQUEST_KEYS[scheme])
    answer = await desk.sign(await desk.proof(call), call)
    payload, _, signature = answer.signed.body.decode().rpartition("&signature=")
    raw = unquote(signature)
    if name == "modular":
        MODULAR.public_key().verify(b64decode(raw), payload.encode(), PKCS1v15(), SHA256())
    elif name == "edwards":
        EDWARDS.public_key().verify(b64decode(raw), payload.encode())
    else:
        assert len(bytes.fromhex(raw)) == 32


async def test_nothing_of_the_clients_own_signature_goes_on(desk: ExchangeProving) -> None:
    call = desk.call((*BINANCE_ORDER, ("operation", "exchange.order")), recv_window_ms=7000)
    answer = await desk.sign(await desk.proof(call), call, clock_offset_ms=-120_000)
    sent = form_of(answer)
    assert list(sent) == [*dict(BINANCE_ORDER), "recvWindow", "timestamp", "signature"]
    assert (sent["recvWindow"], sent["timestamp"]) == ("7000", str(NOW - 120_000))
    assert answer.timestamp_ms == NOW - 120_000
    assert call.headers["X-MBX-APIKEY"] not in repr(answer.signed.headers)


async def test_a_query_stays_in_the_query(desk: ExchangeProving) -> None:
    parameters = (("symbol", "LTCBTC"), ("note", "a b+c%é😀&="))
    path = "/exchange/spot/api/v3/openOrders"
    call = desk.call(parameters, method="GET", path=path, place="query")
    proof = await desk.proof(call, "exchange.query")
    answer = await desk.sign(proof, call, operation="exchange.query")
    assert answer.signed.body == b""
    assert form_of(answer)["note"] == "a b+c%é😀&="


async def test_what_the_table_does_not_know_is_other(desk: ExchangeProving) -> None:
    call = desk.call((("a", "b"),), path="/exchange/spot/sapi/v1/unheard/of")
    answer = await desk.sign(await desk.proof(call, "exchange.other"), call, operation="exchange.other")
    assert answer.signed.target == "/sapi/v1/unheard/of"


async def test_a_json_body_is_covered_as_it_was_sent(desk: ExchangeProving) -> None:
    call = desk.call((("a", "b"),), path="/exchange/spot/sapi/v1/unheard/of", document={"x": [1, "é"]})
    answer = await desk.sign(await desk.proof(call, "exchange.other"), call, operation="exchange.other")
    assert answer.signed.body == call.body
    assert answer.signed.target.startswith("/sapi/v1/unheard/of?a=b&recvWindow=5000&timestamp=")


@pytest.mark.parametrize(
    "body",
    [
        b'{"method":"POST","path":"/api/v3/order","params":{"symbol":"LTCBTC","side":"BUY","type":"MARKET","quantity":1}}',
        b'{"ws":"order.place","params":{"symbol":"LTCBTC","side":"BUY","type":"MARKET","quantity":"1"}}',
    ],
)
async def test_what_is_signed_only_is_read_from_the_body(desk: ExchangeProving, body: bytes) -> None:
    call = desk.to_sign(body, SIGNED_REQUEST_KEYS["ed25519"])
    proof = await desk.proof(call)
    assert proof.ticket
    request = read_sign_only(body)
    answer = await desk.sign(proof, request=request)
    assert b"LTCBTC" in answer.signed.body


async def test_a_client_with_an_open_api_token_is_signed_for_at_its_own_path_alone(
    desk: ExchangeProving,
) -> None:
    path, body = ORDER_PATH, b"symbol=LTCBTC&side=BUY&type=MARKET&quantity=1"
    token = open_api_token(OPEN_API, "POST", path, "", body, ts=NOW // 1000)

    def question(path: str) -> AuthenticateRequest:
        call = SignedCall("POST", path, "", {}, body)
        return desk.here.request(call, "exchange.order", family="open_api", credential=token)

    proof = await desk.here.proved(question(path))
    answer = await desk.sign(proof, SignedCall("POST", path, "", {}, body))
    assert form_of(answer)["type"] == "MARKET"
    for other in ("/exchange/spot/api/v3/order/test", "/exchange/edwards/api/v3/order", "/api/order/sign"):
        refused = await desk.here.prove(question(other))
        assert isinstance(refused, Refusal)


async def test_the_secret_is_read_ahead_beside_the_clients_own(desk: ExchangeProving) -> None:
    proof = await desk.proof()
    reads = desk.here.custody.reader.reads
    await desk.sign(proof)
    assert desk.here.custody.reader.reads == reads
    assert desk.here.vault.asked.count(kv_path("spot")) == 1


async def test_no_secret_is_read_ahead_for_what_policy_denies(tmp_path: Path) -> None:
    async with exchange_proving(tmp_path, policies=denying("exchange.order")) as desk:
        proof = await desk.proof()
        with pytest.raises(CustodyError) as caught:
            await desk.sign(proof)
        assert caught.value.code == "policy_denied"
        assert kv_path("spot") not in desk.here.vault.asked


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("modular", "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"),
        ("modular", pem(EDWARDS)),
        ("edwards", pem(MODULAR)),
        ("edwards", "-----BEGIN PRIVATE KEY-----"),
        ("spot", ""),
        ("spot", ["x"]),
    ],
)
async def test_a_secret_of_another_scheme_is_told(desk: ExchangeProving, name: str, secret: object) -> None:
    desk.here.vault.fields[kv_path(name)] = {"secret": secret}
    call = desk.call(path=f"/exchange/{name}/api/v3/order")
    with pytest.raises(CustodyError) as caught:
        await desk.sign(await desk.proof(call), call)
    assert caught.value.code == "key_malformed"
    with pytest.raises(CustodyError) as caught:
        await desk.here.custody.exchange_signer.check(ExchangeName(name))
    assert caught.value.code == "key_malformed"


async def test_a_check_finds_every_secret_that_is_there(desk: ExchangeProving) -> None:
    for found in EXCHANGES:
        await desk.here.custody.exchange_signer.check(found)
    del desk.here.vault.fields[kv_path("spot")]
    for name, code in (("spot", "key_missing"), ("nowhere", "bad_question")):
        with pytest.raises(CustodyError) as caught:
            await desk.here.custody.exchange_signer.check(ExchangeName(name))
        assert caught.value.code == code
