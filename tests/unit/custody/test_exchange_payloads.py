"""The questions about exchanges and the Open API: what is written is read, and nothing else is."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.custody.exchange_payloads import read_sign_exchange
from vaultsigner.custody.exchange_protocol import FURTHEST_CLOCK_MS, ExchangeSignature, SignExchangeRequest
from vaultsigner.custody.open_api_payloads import read_open_api_decrypt, read_open_api_token
from vaultsigner.custody.open_api_protocol import OpenApiDecryptRequest, OpenApiTokenRequest
from vaultsigner.domain.names import ExchangeName, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.exchange.encoding import SignedExchangeRequest
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.open_api.calls import OpenApiCall

ORDER = ExchangeRequest("rest", "POST", "/api/v3/order", (("symbol", "LTCBTC"), ("side", "BUY")))
QUESTION = SignExchangeRequest(
    request_id=RequestId("r-1"),
    principal=Principal("client", "bot-1"),
    operation=Operation("exchange.order"),
    exchange=ExchangeName("main"),
    request=ORDER,
    clock_offset_ms=-120_000,
    ip="192.0.2.7",
    policy="sha256:x",
    ticket="t",
)
TOKEN = OpenApiTokenRequest(
    RequestId("r-1"),
    Principal("user", "sam"),
    Operation("open_api.token"),
    "mini-app",
    OpenApiCall("POST", "/a", "b=c", b"\xff\n"),
    "192.0.2.7",
    "sha256:x",
    access_token="a.b.c",
)
DECRYPT = OpenApiDecryptRequest(
    RequestId("r-1"),
    Principal("user", "sam"),
    Operation("open_api.decrypt"),
    "mini-app",
    "not base64 é",
    "192.0.2.7",
    "sha256:x",
    ticket="t",
)
NAMES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=8).filter(
    lambda name: name not in ("timestamp", "recvWindow", "signature", "operation")
)
WEBSOCKET_NAMES = st.from_regex(r"[a-z]{1,6}[A-Z]?", fullmatch=True).filter(
    lambda name: name.lower() != "apikey"
)
WEBSOCKET_VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(
    lambda text: "&" not in text
)


def read(question: Any) -> Any:
    readers = {
        SignExchangeRequest: read_sign_exchange,
        OpenApiTokenRequest: read_open_api_token,
        OpenApiDecryptRequest: read_open_api_decrypt,
    }
    return readers[type(question)](bytearray(question.payload()))


def pairs(names: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.lists(st.tuples(names, values), max_size=6, unique_by=lambda pair: pair[0]).map(tuple)


@pytest.mark.parametrize("question", [QUESTION, TOKEN, DECRYPT])
def test_a_question_is_read_as_it_was_asked(question: Any) -> None:
    assert read(question) == question


@given(
    pairs(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
    st.binary(max_size=20),
    st.integers(1, 60_000),
    st.integers(-FURTHEST_CLOCK_MS, FURTHEST_CLOCK_MS),
)
def test_every_rest_request_crosses_as_it_is(
    parameters: Any, body: bytes, recv_window_ms: int, offset: int
) -> None:
    request = replace(ORDER, parameters=parameters, json_body=body, recv_window_ms=recv_window_ms)
    question = replace(QUESTION, request=request, clock_offset_ms=offset)
    assert read(question) == question


@given(pairs(WEBSOCKET_NAMES, WEBSOCKET_VALUES), st.integers(1, 60_000))
def test_every_websocket_request_crosses_as_it_is(parameters: Any, recv_window_ms: int) -> None:
    request = ExchangeRequest("websocket", "order.place", "", parameters, b"", recv_window_ms)
    question = replace(QUESTION, request=request)
    assert read(question) == question


@pytest.mark.parametrize(
    "request_",
    [
        replace(ORDER, method="PATCH"),
        replace(ORDER, method="order.place"),
        replace(ORDER, path="api/v3/order"),
        replace(ORDER, path="/api/../sapi/v1/capital/withdraw/apply"),
        replace(ORDER, path="/api/v3/order?recvWindow=1"),
        replace(ORDER, path="/api/v3/order#"),
        replace(ORDER, path=""),
        replace(ORDER, parameters=(("symbol", "A"), ("symbol", "B"))),
        replace(ORDER, parameters=(("", "A"),)),
        replace(ORDER, parameters=(("timestamp", "1"),)),
        replace(ORDER, parameters=(("recvWindow", "60000"),)),
        replace(ORDER, parameters=(("signature", "00"),)),
        replace(ORDER, recv_window_ms=0),
        replace(ORDER, recv_window_ms=60_001),
        replace(ORDER, transport="websocket"),
        ExchangeRequest("websocket", "order.place", "/x", ()),
        ExchangeRequest("websocket", "order place", "", ()),
        ExchangeRequest("websocket", "order.place", "", (("symbol", "A&side=SELL"),)),
        ExchangeRequest("websocket", "order.place", "", (("a=b", "c"),)),
        ExchangeRequest("websocket", "order.place", "", (("apiKey", "x"),)),
        ExchangeRequest("websocket", "order.place", "", (("timestamp", "1"),)),
        ExchangeRequest("websocket", "order.place", "", (("symbol", "A"), ("symbol", "B"))),
        ExchangeRequest("websocket", "order.place", "", (), b"{}"),
        replace(ORDER, transport="carrier pigeon"),  # type: ignore[arg-type]  # what nobody's type checker stops on a wire
    ],
)
def test_a_request_that_no_caller_could_have_made_is_refused(request_: ExchangeRequest) -> None:
    with pytest.raises(CustodyError) as caught:
        read(replace(QUESTION, request=request_))
    assert caught.value.code == "bad_question"


@pytest.mark.parametrize(
    "changed",
    [
        {"clock_offset_ms": FURTHEST_CLOCK_MS + 1},
        {"clock_offset_ms": -FURTHEST_CLOCK_MS - 1},
        {"clock_offset_ms": "0"},
        {"clock_offset_ms": 1.5},
        {"clock_offset_ms": True},
        {"clock_offset_ms": None},
        {"access_token": "a.b.c"},
        {"ticket": None},
        {"ticket": 1},
        {"operation": None},
        {"exchange": ["main"]},
        {"ip": "example.com"},
        {"principal": {"kind": "partner", "name": "x"}},
        {"principal": {"kind": "user", "name": "x", "scheme": "token"}},
        {"request": []},
        {"request": {}},
        {"payload": "AAAA"},
    ],
)
def test_a_question_of_another_shape_is_refused(changed: dict[str, Any]) -> None:
    payload = {**json.loads(QUESTION.payload()), **changed}
    with pytest.raises(CustodyError) as caught:
        read_sign_exchange(bytearray(json.dumps(payload).encode()))
    assert caught.value.code == "bad_question"


@pytest.mark.parametrize("offset", ["-0", "00", "+1", "--1", "1e2", "-", "9" * 30])
def test_an_offset_has_one_spelling(offset: str) -> None:
    payload = QUESTION.payload().replace(b":-120000,", f":{offset},".encode())
    assert payload != QUESTION.payload()
    if offset == "-0":
        assert read_sign_exchange(bytearray(payload)).clock_offset_ms == 0
        return
    with pytest.raises(CustodyError):
        read_sign_exchange(bytearray(payload))


@pytest.mark.parametrize("name", sorted(json.loads(QUESTION.payload())))
def test_a_member_that_is_missing_is_refused(name: str) -> None:
    payload = json.loads(QUESTION.payload())
    del payload[name]
    with pytest.raises(CustodyError):
        read_sign_exchange(bytearray(json.dumps(payload).encode()))


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "get"},
        {"path": "a"},
        {"query": "a b"},
        {"query": "a\nb"},
        {"body": "not base64"},
        {"app": None},
        {"ciphertext": "x"},
        {"ticket": "t"},
        {"access_token": None},
    ],
)
def test_a_token_for_no_call_is_refused(changed: dict[str, Any]) -> None:
    payload = {**json.loads(TOKEN.payload()), **changed}
    with pytest.raises(CustodyError) as caught:
        read_open_api_token(bytearray(json.dumps(payload).encode()))
    assert caught.value.code == "bad_question"


def test_a_signed_request_crosses_as_it_is() -> None:
    headers = (("X-MBX-APIKEY", "key"), ("Content-Type", "application/x-www-form-urlencoded"))
    signed = SignedExchangeRequest("POST", "/api/v3/order", headers, b"\xff\x00")
    answer = ExchangeSignature(signed, "ab" * 32, 5, "v-1", "t")
    assert ExchangeSignature.from_document(json.loads(json.dumps(answer.document()))) == answer


def test_no_secret_stands_in_what_is_logged_of_a_question() -> None:
    shown = repr((QUESTION, replace(TOKEN, access_token="hunter2"), replace(DECRYPT, ciphertext="hunter2")))
    assert "hunter2" not in shown
    assert "'t'" not in shown
