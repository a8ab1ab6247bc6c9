"""The bytes that are signed and sent, against Binance's published examples and against readers that are not ours."""

import hashlib
import hmac
import json
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.formats.exchange.encoding import SignedExchangeRequest, finish, prepare, without_signature
from vaultsigner.formats.exchange.requests import ExchangeRequest

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12).filter(
    lambda name: name not in ("recvWindow", "timestamp", "signature")
)
VALUES = st.text(st.characters(codec="utf-8"), max_size=40)
PARAMETERS = st.lists(st.tuples(NAMES, VALUES), max_size=8, unique_by=lambda pair: pair[0]).map(tuple)
REQUESTS = st.builds(
    ExchangeRequest,
    transport=st.just("rest"),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.sampled_from(["/api/v3/order", "/fapi/v1/batchOrders"]),
    parameters=PARAMETERS,
    json_body=st.sampled_from([b"", b'{"a": [1, "\xf0\x9f\x98\x80"]}']),
    recv_window_ms=st.integers(1, 60_000),
)


def order(**changed: str) -> tuple[tuple[str, str], ...]:
    parameters = {
        "symbol": "LTCBTC",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1",
        "price": "0.1",
    }
    return tuple({**parameters, **changed}.items())


def hmac_of(payload: bytes) -> str:
    return hmac.new(SECRET, payload, hashlib.sha256).hexdigest()


def test_published_examples_of_the_rest_api() -> None:
    """Spot REST API, SIGNED Endpoint examples (HMAC): ASCII, and percent-encoded before signing."""
    request = ExchangeRequest("rest", "POST", "/api/v3/order", order())
    unsigned = prepare(request, timestamp_ms=1499827319559, api_key=KEY)
    assert hmac_of(unsigned.payload) == "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    request = ExchangeRequest("rest", "POST", "/api/v3/order", order(symbol="１２３４５６"))
    unsigned = prepare(request, timestamp_ms=1499827319559, api_key=KEY)
    assert hmac_of(unsigned.payload) == "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"


def test_published_examples_of_the_websocket_api() -> None:
    """WebSocket API, SIGNED request example (HMAC)."""
    parameters = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01000000",
        "price": "52000.00",
    }
    request = ExchangeRequest("websocket", "order.place", "", tuple(parameters.items()), recv_window_ms=100)
    unsigned = prepare(request, timestamp_ms=1645423376532, api_key=KEY)
    assert hmac_of(unsigned.payload) == "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
    message = json.loads(finish(unsigned, "S").body)
    assert message == {
        "method": "order.place",
        "params": {
            **parameters,
            "apiKey": KEY,
            "recvWindow": 100,
            "timestamp": 1645423376532,
            "signature": "S",
        },
    }
    second = {
        **parameters,
        "symbol": "１２３４５６",
        "side": "BUY",
        "price": "0.10000000",
        "quantity": "1.00000000",
    }
    request = ExchangeRequest("websocket", "order.place", "", tuple(second.items()))
    unsigned = prepare(request, timestamp_ms=1645423376532, api_key=KEY)
    assert hmac_of(unsigned.payload) == "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"


def sent_form(signed: SignedExchangeRequest, request: ExchangeRequest) -> str:
    """The query or the form, wherever it is; the other place must hold nothing of it."""
    query, body = urlsplit(signed.target).query, signed.body
    if request.json_body:
        assert body == request.json_body
        return query
    assert not (query and body)
    return query or body.decode("ascii")


@given(REQUESTS)
def test_what_arrives_is_what_the_client_meant(request: ExchangeRequest) -> None:
    """Read by the standard library: names, values, order, and the signature last."""
    unsigned = prepare(request, timestamp_ms=1499827319559, api_key=KEY)
    form = sent_form(finish(unsigned, "ab+/=="), request)
    pairs = parse_qsl(form, keep_blank_values=True, strict_parsing=True, errors="strict")
    times = [("recvWindow", str(request.recv_window_ms)), ("timestamp", "1499827319559")]
    assert pairs == [*request.parameters, *times, ("signature", "ab+/==")]


@given(REQUESTS)
def test_payload_is_what_is_sent_but_for_the_signature(request: ExchangeRequest) -> None:
    unsigned = prepare(request, timestamp_ms=1, api_key=KEY)
    signed = finish(unsigned, "ab+/==")
    form, _, signature = sent_form(signed, request).rpartition("&")
    assert signature == "signature=ab%2B%2F%3D%3D"
    assert unsigned.payload == form.encode("ascii") + request.json_body
    assert signed.target.isascii()
    assert dict(signed.headers)["X-MBX-APIKEY"] == KEY


def test_characters_stand_as_rfc_3986_says() -> None:
    request = ExchangeRequest("rest", "GET", "/a", (("n", "a b+%&=/~-._*'é😀"),))
    payload = prepare(request, timestamp_ms=2, api_key=KEY).payload
    assert payload == b"n=a%20b%2B%25%26%3D%2F~-._%2A%27%C3%A9%F0%9F%98%80&recvWindow=5000&timestamp=2"


PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="&="), min_size=1, max_size=8)
MESSAGES = st.dictionaries(
    PLAIN, st.text(st.characters(codec="utf-8", exclude_characters="&"), max_size=12), max_size=6
)


@given(MESSAGES)
def test_what_a_websocket_signature_covers_has_one_reading(parameters: dict[str, str]) -> None:
    """Sorted, joined as it is: the message's own parameters, and nothing else, can be read back from it."""
    asked = {
        name: value for name, value in parameters.items() if name not in ("apiKey", "recvWindow", "timestamp")
    }
    request = ExchangeRequest("websocket", "order.place", "", tuple(asked.items()))
    unsigned = prepare(request, timestamp_ms=2, api_key=KEY)
    pairs = [text.partition("=") for text in unsigned.payload.decode("utf-8").split("&")]
    assert [name for name, _, _ in pairs] == sorted(name for name, _, _ in pairs)
    read = {name: value for name, _, value in pairs}
    assert read == {**asked, "apiKey": KEY, "recvWindow": "5000", "timestamp": "2"}
    sent = json.loads(finish(unsigned, "S").body)["params"]
    assert sent.pop("signature") == "S"
    assert {name: str(value) for name, value in sent.items()} == read


def test_numbers_of_a_websocket_message_are_typed_as_the_documentation_has_them() -> None:
    parameters = (
        ("orderId", "12"),
        ("workingStrategyId", "007"),
        ("computeCommissionRates", "true"),
        ("price", "1"),
    )
    request = ExchangeRequest("websocket", "order.test", "", parameters)
    message = json.loads(finish(prepare(request, timestamp_ms=2, api_key=KEY), "s").body)
    assert message["params"]["orderId"] == 12
    assert message["params"]["workingStrategyId"] == "007"
    assert message["params"]["computeCommissionRates"] is True
    assert message["params"]["price"] == "1"


def test_without_signature_has_the_key_and_nothing_more() -> None:
    request = ExchangeRequest("rest", "PUT", "/api/v3/userDataStream", (("listenKey", "a b"),))
    sent = without_signature(request, api_key=KEY)
    assert (sent.target, sent.body) == ("/api/v3/userDataStream", b"listenKey=a%20b")
    nothing = ExchangeRequest("rest", "POST", "/api/v3/userDataStream", ())
    assert without_signature(nothing, api_key=KEY) == SignedExchangeRequest(
        "POST", "/api/v3/userDataStream", (("X-MBX-APIKEY", KEY),), b""
    )
