"""What callers of the Open API family may send, and what they are told where it is none."""

import json
from typing import Any

import pytest

from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.open_api.calls import OpenApiCall
from vaultsigner.formats.open_api.requests import (
    read_decrypt_request,
    read_token_request,
    read_user_data_request,
)


def refusal_of(read: object) -> Refusal:
    assert isinstance(read, Refusal), read
    return read


def test_a_call_is_read_as_it_is_to_be_sent() -> None:
    body = '{"amount":"1.5", "é":" "}'
    sent = {"method": "POST", "path": "/pay/order", "query": "a=%20", "body": body}
    assert read_token_request(json.dumps(sent).encode()) == OpenApiCall(
        "POST", "/pay/order", "a=%20", body.encode()
    )


def test_query_and_body_may_be_left_out() -> None:
    assert read_token_request(b'{"method":"GET","path":"/a"}') == OpenApiCall("GET", "/a")


@pytest.mark.parametrize(
    ("changed", "member"),
    [
        ({"method": None}, "method"),
        ({"method": 1}, "method"),
        ({"method": "get"}, "method"),
        ({"path": "a"}, "path"),
        ({"path": ["/a"]}, "path"),
        ({"query": None}, "query"),
        ({"query": "a b"}, "query"),
        ({"query": 1}, "query"),
        ({"body": {"a": 1}}, "body"),
        ({"body": 1.5}, "body"),
        ({"body": "é" * 40_000}, "body"),
    ],
)
def test_a_member_of_another_kind_is_told(changed: dict[str, Any], member: str) -> None:
    sent = {"method": "GET", "path": "/a", "query": "", "body": "", **changed}
    refusal = refusal_of(read_token_request(json.dumps(sent).encode()))
    assert refusal.code == "invalid_fields"
    assert isinstance(refusal.detail, list)
    assert [entry["loc"] for entry in refusal.detail if isinstance(entry, dict)] == [["body", member]]


@pytest.mark.parametrize("name", ["method", "path"])
def test_a_member_that_is_missing_is_told(name: str) -> None:
    sent = {"method": "GET", "path": "/a"}
    del sent[name]
    assert (
        refusal_of(read_token_request(json.dumps(sent).encode())).message == f"{name}: this member is missing"
    )


@pytest.mark.parametrize("read", [read_token_request, read_decrypt_request])
def test_an_unknown_member_is_refused_and_not_repeated(read: Any) -> None:
    sent = {"method": "GET", "path": "/a", "data": "x", "hunter2": "x"}
    refusal = refusal_of(read(json.dumps(sent).encode()))
    assert refusal.code == "invalid_fields"
    assert "hunter2" not in repr(refusal)


@pytest.mark.parametrize("read", [read_token_request, read_decrypt_request])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"data":"x","data":"x"}', b"\xff", b"{}x"])
def test_what_is_no_object_is_malformed(read: Any, body: bytes) -> None:
    assert refusal_of(read(body)).code == "malformed_body"


def test_a_ciphertext_is_any_text() -> None:
    assert read_decrypt_request(b'{"data":"not base64 !"}') == "not base64 !"
    assert refusal_of(read_decrypt_request(b'{"data":1}')).code == "invalid_fields"
    assert refusal_of(read_decrypt_request(b"{}")).code == "invalid_fields"


def test_the_data_token_is_found_among_the_parameters_of_a_signed_request() -> None:
    signed = [(b"openData", b"abc="), (b"recvWindow", b"1"), (b"timestamp", b"1"), (b"signature", b"x")]
    assert read_user_data_request(signed) == "abc="
    assert read_user_data_request([(b"openData", b"abc=")]) == "abc="


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(b"openData", b"")],
        [(b"opendata", b"x")],
        [(b"openData", b"\xff")],
        [(b"openData", b"a\nb")],
        [(b"openData", b"a" * 20_000)],
        [(b"openData", b"a"), (b"appId", b"1")],
    ],
)
def test_no_other_parameter_and_no_other_token(pairs: list[tuple[bytes, bytes]]) -> None:
    assert refusal_of(read_user_data_request(pairs)).code == "malformed_parameters"
