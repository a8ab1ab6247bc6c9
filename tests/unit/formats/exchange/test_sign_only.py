"""Bodies of `POST /api/exchange/{name}/sign`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.sign_only import read_sign_only

ORDER = {"method": "POST", "path": "/api/v3/order"}


def read(text: str) -> ExchangeRequest:
    found = read_sign_only(text.encode())
    assert isinstance(found, ExchangeRequest), found
    return found


def read_document(**members: JsonValue) -> ExchangeRequest:
    return read(json.dumps(members))


def refusal(text: str) -> Refusal:
    found = read_sign_only(text.encode())
    assert isinstance(found, Refusal), found
    return found


def problems(**members: JsonValue) -> dict[str, tuple[str, str]]:
    """Where: message and type."""
    found = refusal(json.dumps(members))
    assert found.code == "invalid_fields"
    assert isinstance(found.detail, list)
    said: dict[str, tuple[str, str]] = {}
    for entry in found.detail:
        assert isinstance(entry, dict)
        assert isinstance(entry["loc"], list)
        said[".".join(map(str, entry["loc"]))] = (str(entry["msg"]), str(entry["type"]))
    return said


def test_params_become_texts() -> None:
    found = read(
        '{"method": "POST", "path": "/fapi/v1/batchOrders", "params": {"text": "a b", "number": 1.50, "exponent": 1E+2, '
        '"true": true, "false": false, "list": [1.0, "ü\\"", {"a": null}], "object": {"b": [true, 2]}, "empty": []}}'
    )
    assert found == ExchangeRequest(
        "rest",
        "POST",
        "/fapi/v1/batchOrders",
        (
            ("text", "a b"),
            ("number", "1.50"),
            ("exponent", "1E+2"),
            ("true", "true"),
            ("false", "false"),
            ("list", '[1.0,"ü\\"",{"a":null}]'),
            ("object", '{"b":[true,2]}'),
            ("empty", "[]"),
        ),
    )


JSON = st.recursive(
    st.booleans() | st.text(st.characters(codec="utf-8")) | st.integers(),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inside, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=4))
def test_lists_and_objects_are_the_same_json_to_another_reader(value: JsonValue) -> None:
    found = read_document(**ORDER, params={"value": value})
    assert json.loads(dict(found.parameters)["value"]) == value


@given(st.dictionaries(st.sampled_from(["a", "b c", "ü", "&="]), st.text(st.characters(codec="utf-8"))))
def test_query_form_and_params_mean_the_same(pairs: dict[str, str]) -> None:
    from urllib.parse import urlencode  # noqa: PLC0415 - the other reader belongs to this test alone

    sent = read_document(**ORDER, params={**pairs})
    assert read_document(**ORDER, query=urlencode(pairs)) == sent
    assert read_document(**ORDER, body=urlencode(pairs)) == sent
    assert sent.parameters == tuple(pairs.items())


def test_json_body_is_kept_byte_for_byte_beside_parameters() -> None:
    body = ' {"a" : 1.0, "ü": "\U0001f600"}\n'
    for place in ({"params": {"b": "1"}}, {"query": "b=1"}):
        found = read_document(**ORDER, body=body, **place)
        assert (found.json_body, found.parameters) == (body.encode(), (("b", "1"),))


@pytest.mark.parametrize(
    "members",
    [
        {"params": {"a": "1"}, "query": "b=1"},
        {"params": {"a": "1"}, "body": "b=1"},
        {"query": "a=1", "body": "b=1"},
    ],
)
def test_parameters_in_two_places_are_refused(members: dict[str, JsonValue]) -> None:
    ((_, kind),) = problems(**ORDER, **members).values()
    assert kind == "value_error.ambiguous"


def test_empty_places_do_not_count() -> None:
    assert read_document(**ORDER, params={}, query="", body="a=1").parameters == (("a", "1"),)


@pytest.mark.parametrize(
    "name", ["timestamp", "signature", "apiKey", "Timestamp", "APIKEY", " signature", "apikey\t"]
)
@pytest.mark.parametrize("place", ["params", "query", "body"])
def test_what_vaultsigner_sets_is_refused(name: str, place: str) -> None:
    """With an apiKey of the caller's a signature for REST would be one that logs on to the WebSocket API."""
    if place == "params":
        said = problems(**ORDER, params={name: "1"})
    else:
        said = problems(**ORDER, **{place: f"{name.replace(' ', '%20').replace(chr(9), '%09')}=1"})
    assert "value_error.set_by_vaultsigner" in {kind for _, kind in said.values()}


@pytest.mark.parametrize(
    ("given_window", "window"),
    [(1, 1), (60_000, 60_000), ("5000", 5000), ("6000.346", 6000), (1.5, 1)],
)
def test_recv_window_counts_and_is_no_parameter(given_window: JsonValue, window: int) -> None:
    found = read(f'{{"method": "GET", "path": "/a", "params": {{"recvWindow": {json.dumps(given_window)}}}}}')
    assert (found.recv_window_ms, found.parameters) == (window, ())
    assert read_document(method="GET", path="/a").recv_window_ms == 5000


@pytest.mark.parametrize("window", [0, 60_001, "-1", "1e3", "", "5000.0000", "05", True, "0.5", " 5"])
def test_other_windows_are_refused(window: JsonValue) -> None:
    assert "body.params.recvWindow" in problems(**ORDER, params={"recvWindow": window})


def test_everything_wrong_is_told_at_once() -> None:
    said = problems(method="get", path="api", params={"a": None, "apiKey": "x"}, parms={"b": "1"})
    assert set(said) == {"body.parms", "body.path", "body.params.a", "body.params.apiKey"}
    assert "write params" in said["body.parms"][0]


def test_missing_members() -> None:
    assert set(problems()) == {"body.method", "body.path"}
    assert set(problems(method="GET")) == {"body.path"}


@pytest.mark.parametrize("name", ["method", "path", "query", "body"])
@pytest.mark.parametrize("value", [None, 1, True, [], {}])
def test_texts_must_be_texts(name: str, value: JsonValue) -> None:
    assert problems(**{**ORDER, name: value})[f"body.{name}"][1] == "type_error.str"


@pytest.mark.parametrize("value", [None, 1, "a=1", []])
def test_params_must_be_an_object(value: JsonValue) -> None:
    assert problems(**ORDER, params=value)["body.params"][1] == "type_error.dict"


def test_too_many_parameters_are_refused() -> None:
    many: JsonValue = {f"p{number}": "1" for number in range(257)}
    assert problems(**ORDER, params=many)["body.params"][1] == "value_error.many"
    query = "&".join(f"p{number}=1" for number in range(257))
    assert refusal(json.dumps({**ORDER, "query": query})).code == "malformed_parameters"


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", '"a"', '{"method": "GET", "method": "PUT"}', "{} {}"]
)
def test_no_json_object(text: str) -> None:
    assert refusal(text).code in ("malformed_body", "invalid_fields")


@pytest.mark.parametrize("query", ["a=%", "a=%zz", "a=%e9", "?a=1", "a=" + "1" * 16_384])
def test_malformed_queries(query: str) -> None:
    assert refusal(json.dumps({**ORDER, "query": query})).code == "malformed_parameters"


@pytest.mark.parametrize("query", ["a=1&a=2", "=1", "a%0a=1"])
def test_malformed_names(query: str) -> None:
    assert problems(**ORDER, query=query)["body.query"][1] == "value_error.name"


def test_strange_names_are_not_repeated() -> None:
    secret = "-----BEGIN PRIVATE KEY-----"
    assert secret not in json.dumps(
        refusal(json.dumps({**ORDER, secret: "1", "params": {secret: None}})).detail
    )


def test_websocket() -> None:
    found = read(
        '{"ws": "order.place", "params": {"symbol": "１２３", "price": "0.10", "orderId": 12, "recvWindow": 100}}'
    )
    assert found == ExchangeRequest(
        "websocket",
        "order.place",
        "",
        (("symbol", "１２３"), ("price", "0.10"), ("orderId", "12")),
        b"",
        100,
    )
    assert read('{"ws": "v2/account.status"}').parameters == ()


@pytest.mark.parametrize("name", ["timestamp", "signature", "apiKey"])
def test_what_vaultsigner_sets_is_refused_for_websocket_too(name: str) -> None:
    assert f"body.params.{name}" in problems(ws="order.place", params={name: "1"})


@pytest.mark.parametrize("params", [{"a": "1&b=2"}, {"a&b": "1"}, {"a=b": "1"}])
def test_websocket_texts_with_two_readings_are_refused(params: JsonValue) -> None:
    """`a=1&b=2` would be signed for {"a": "1&b=2"} and for {"a": "1", "b": "2"} alike."""
    assert problems(ws="order.place", params=params)["body.params"][1] == "value_error.ambiguous"


@pytest.mark.parametrize(
    "method", ["", 1, None, ".", "order.", "order place", "../x", "a" * 65, "order.place\n"]
)
def test_websocket_methods(method: JsonValue) -> None:
    assert "body.ws" in problems(ws=method)


@pytest.mark.parametrize("name", ["method", "path", "query", "body", "id"])
def test_websocket_and_rest_do_not_mix(name: str) -> None:
    assert problems(ws="order.place", **{name: "x"})[f"body.{name}"][1] == "value_error.extra"


@pytest.mark.parametrize(
    "wanted",
    [
        {**ORDER, "params": {"a": "é" * 30_000}},
        {"method": "GET", "path": "/x", "params": {"a": "{" * 60_000}},
        {"ws": "order.place", "params": {"a": "é" * 30_000}},
        {"ws": "order.place", "params": {"é" * 30_000: "a"}},
    ],
)
def test_what_is_too_large_once_it_is_encoded(wanted: dict[str, JsonValue]) -> None:
    """Less than 64 KiB as it comes, and more than custody could answer with as it goes: that is no fault of ours."""
    found = refusal(json.dumps(wanted, ensure_ascii=False))
    assert found.code == "malformed_parameters"
    assert "send less" in found.message


def test_as_much_as_is_possible_is_read() -> None:
    for text in ("é" * 21_000, "1" * 64_000):
        assert read(json.dumps({**ORDER, "params": {"a": text}}, ensure_ascii=False)).parameters == (
            ("a", text),
        )
