"""Tokens that we make are byte for byte those of PyJWT, and the ones that our own verifier accepts."""

from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.authentication.request_vectors import OPEN_API
from vaultsigner.authentication.open_api_minting import finish_open_api_token, open_api_signing_input
from vaultsigner.authentication.open_api_tokens import (
    OpenApiToken,
    canonical_digest,
    open_api_token_fits,
    read_open_api_token,
)

SECRET = bytearray(b"test secret, long enough for HS256 to be glad")
GOOD = [vector for vector in OPEN_API["vectors"] if vector["expect"] == "accept"]


def made(vector: dict[str, Any]) -> str:
    signing_input = open_api_signing_input(
        vector["access_key_id"],
        vector["ts"],
        method=vector["method"],
        path=vector["uri"],
        query=vector["query"].encode(),
        body=vector["body"].encode(),
    )
    return finish_open_api_token(signing_input, bytearray(vector["secret"].encode()))


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["id"])
def test_every_vector_is_made_byte_for_byte(vector: dict[str, Any]) -> None:
    assert made(vector) == vector["token"]


@given(
    st.sampled_from(["GET", "POST", "DELETE"]),
    st.text("abc/%20é", max_size=20).map(lambda text: f"/{text}"),
    st.binary(max_size=20).filter(lambda query: b"\n" not in query),
    st.binary(max_size=50),
    st.integers(0, 99_999_999_999),
)
def test_what_is_made_is_read_and_covers_that_call_alone(
    method: str, path: str, query: bytes, body: bytes, ts: int
) -> None:
    made_input = open_api_signing_input("key-1", ts, method=method, path=path, query=query, body=body)
    text = finish_open_api_token(made_input, SECRET)
    token = read_open_api_token(text)
    assert isinstance(token, OpenApiToken)
    assert (token.iss, token.ts, token.exp) == ("key-1", ts, None)
    assert open_api_token_fits(SECRET, token)
    assert not open_api_token_fits(SECRET[:-1], token)
    assert token.covers(method, path, query, body)
    assert not token.covers(method, path, query, body + b"x")
    assert not token.covers(method, path, query + b"x", body)
    claims = {"iss": "key-1", "dig": canonical_digest(method, path, query, body), "ts": ts}
    assert text == jwt.encode(claims, bytes(SECRET), algorithm="HS256")


@pytest.mark.parametrize(
    ("method", "path", "query"), [("GET\n", "/a", b""), ("GET", "/a\nb", b""), ("GET", "/a", b"b\n")]
)
def test_a_line_end_gets_no_token(method: str, path: str, query: bytes) -> None:
    """`GET`, `/a\\nb` and an empty query would hash like `GET`, `/a` and the query `b`."""
    with pytest.raises(ValueError, match="line end"):
        open_api_signing_input("key-1", 1, method=method, path=path, query=query, body=b"")
