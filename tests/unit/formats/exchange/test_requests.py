"""Requests as they come from the parameters of a client's own signed request."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.requests import ExchangeRequest, from_parameters

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
REQUESTS = st.builds(
    ExchangeRequest,
    transport=st.sampled_from(["rest", "websocket"]),
    method=st.sampled_from(["GET", "POST"]),
    path=st.sampled_from(["/a", "/b"]),
    parameters=st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple),
    json_body=st.binary(max_size=3),
    recv_window_ms=st.integers(1, 3),
)


def read(*pairs: tuple[bytes, bytes], path: str = "/api/v3/order", method: str = "POST") -> ExchangeRequest:
    found = from_parameters(method, path, pairs)
    assert isinstance(found, ExchangeRequest)
    return found


def refusal(*pairs: tuple[bytes, bytes], path: str = "/api/v3/order", method: str = "POST") -> Refusal:
    found = from_parameters(method, path, pairs)
    assert isinstance(found, Refusal)
    return found


def test_parameters_keep_their_order_and_lose_what_is_between_client_and_vaultsigner() -> None:
    found = read(
        (b"symbol", b"BTCUSDT"),
        (b"timestamp", b"1"),
        (b"side", "größer €".encode()),
        (b"recvWindow", b"9"),
        (b"operation", b"exchange.order"),
        (b"empty", b""),
        (b"signature", b"ff"),
    )
    assert found.parameters == (("symbol", "BTCUSDT"), ("side", "größer €"), ("empty", ""))
    assert (found.transport, found.method, found.path) == ("rest", "POST", "/api/v3/order")
    assert (found.json_body, found.recv_window_ms) == (b"", 5000)


def test_body_and_window_are_taken_as_they_are() -> None:
    found = from_parameters("POST", "/x", [], b'{"a": 1}', recv_window_ms=60_000)
    assert found == ExchangeRequest("rest", "POST", "/x", (), b'{"a": 1}', 60_000)


@pytest.mark.parametrize("name", [b"apiKey", b"Timestamp", b"SIGNATURE", b"recvwindow"])
def test_nothing_else_is_left_out(name: bytes) -> None:
    """Or what is decided on would be another request than what is sent."""
    assert read((name, b"1")).parameters == ((name.decode(), "1"),)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "api/v3/order",
        "//api/v3/order",
        "/api//v3",
        "/api/v3/order/",
        "/api/../sapi/v1/x",
        "/api/./v3",
        "/.well-known",
        "/api/v3/%6frder",
        "/api/v3/order?x=1",
        "/api/v3/order#x",
        "/api/v3/order;x",
        "/api/v3/or der",
        "/api/v3/order\n",
        "/api\\v3",
        "/api/v3/ördér",
        "/-",
        "/" + "a" * 128,
    ],
)
def test_paths_that_two_readers_may_read_differently_are_refused(path: str) -> None:
    assert refusal(path=path).code == "malformed_request"


def test_longest_path() -> None:
    assert read(path="/" + "a" * 127).path == "/" + "a" * 127


@pytest.mark.parametrize("method", ["get", "PATCH", "HEAD", "OPTIONS", "", "GET "])
def test_other_methods_are_refused(method: str) -> None:
    assert refusal(method=method).code == "malformed_request"


@pytest.mark.parametrize(
    "pairs",
    [
        [(b"\xff", b"1")],
        [(b"a", b"\xff")],
        [(b"a", b"\xed\xa0\x80")],
        [(b"", b"1")],
        [(b"a\n", b"1")],
        [(b"a\x00", b"1")],
        [("a\x85".encode(), b"1")],
        [(b"a", b"1"), (b"a", b"1")],
        [(b"a", b"1"), (b"b", b"1"), (b"a", b"2")],
    ],
)
def test_malformed_parameters_are_refused_and_not_repeated(pairs: list[tuple[bytes, bytes]]) -> None:
    found = refusal(*pairs)
    assert found.code == "malformed_parameters"
    assert "\n" not in found.message
    assert "\x00" not in found.message


@given(REQUESTS, REQUESTS)
def test_digests_are_equal_for_equal_requests_alone(one: ExchangeRequest, other: ExchangeRequest) -> None:
    assert (one.digest == other.digest) is (one == other)


@given(REQUESTS, st.data())
def test_digest_differs_whenever_a_member_does(asked: ExchangeRequest, data: st.DataObject) -> None:
    other = data.draw(REQUESTS)
    for member in fields(ExchangeRequest):
        value = getattr(other, member.name)
        changed = replace(asked, **{member.name: value})
        assert (changed.digest == asked.digest) is (value == getattr(asked, member.name)), member.name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((("a", "b"), ("c", "d")), (("a", "bc"), ("", "d"))),
        ((("a", "b"),), (("ab", ""),)),
        ((("a", "1"), ("b", "2")), (("b", "2"), ("a", "1"))),
        ((("a", "é"),), (("a", "e\u0301"),)),
        ((("a", '"], ["b", "c'),), (("a", ""), ("b", "c"))),
    ],
)
def test_no_value_moves_a_boundary(
    one: tuple[tuple[str, str], ...], other: tuple[tuple[str, str], ...]
) -> None:
    digests = {ExchangeRequest("rest", "GET", "/a", parameters).digest for parameters in (one, other)}
    assert len(digests) == 2


def test_no_value_shows_in_a_representation() -> None:
    """Parameters may hold what does not belong into a log or a traceback."""
    assert "s3cret" not in repr(ExchangeRequest("rest", "GET", "/a", (("k", "s3cret"),), b"s3cret"))
