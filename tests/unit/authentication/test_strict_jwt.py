"""What is read as a token writes back to the same characters: a token has no second spelling."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.authentication.strict_jwt import StrictJwt, read_strict_jwt, seconds_claim, text_claim
from vaultsigner.strict_json import JsonDocument, JsonNumber


def segment(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


texts = st.text(max_size=20)
documents = st.dictionaries(texts, texts | st.integers() | st.booleans() | st.none(), max_size=4)


@given(documents, documents, st.binary(min_size=1, max_size=70))
def test_what_is_read_writes_back_to_the_same_characters(
    header: dict[str, object], claims: dict[str, object], signature: bytes
) -> None:
    parts = [json.dumps(part).encode() for part in (header, claims)]
    token = ".".join(map(segment, (*parts, signature)))
    read = read_strict_jwt(token)
    assert isinstance(read, StrictJwt)
    assert (read.header.keys(), read.claims.keys()) == (header.keys(), claims.keys())
    assert read.signing_input.decode() + "." + segment(read.signature) == token


@given(st.text("ab_-.=+/A9\n", max_size=40))
def test_a_read_signature_has_one_spelling(text: str) -> None:
    head = f"{segment(b'{}')}.{segment(b'{}')}."
    read = read_strict_jwt(head + text)
    assert isinstance(read, str) or segment(read.signature) == text


@pytest.mark.parametrize(
    "document",
    [
        b"[]",
        b'"a"',
        b"1",
        b"{",
        b'{"a":1,"a":1}',
        b'{"a":NaN}',
        b'{"a":{"b":{}}}',
        b'{"a":"\\ud800"}',
        b"\xff",
    ],
)
def test_documents_that_readers_differ_on_are_refused(document: bytes) -> None:
    good = segment(b"{}")
    assert isinstance(read_strict_jwt(f"{good}.{good}.AA"), StrictJwt)
    assert read_strict_jwt(f"{segment(document)}.{good}.AA") == "malformed token"
    assert read_strict_jwt(f"{good}.{segment(document)}.AA") == "malformed token"


@pytest.mark.parametrize(("length", "answer"), [(4096, "malformed token"), (4097, "not a token")])
def test_longest_token(length: int, answer: str) -> None:
    assert read_strict_jwt("A" * (length - 4) + ".A.A") == answer


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), ("1700000000", 1_700_000_000), ("9" * 12, 10**12 - 1), ("1" + "0" * 12, None), ("-1", None), ("-0", None),
     ("1.0", None), ("1e3", None), ("00", None), ("01", None), ("1" * 999, None), ("1\n", None), ("１", None)],
)  # fmt: skip
def test_seconds_are_digits(value: str, seconds: int | None) -> None:
    assert seconds_claim(JsonNumber(value)) == seconds
    assert seconds_claim(value) is None


@pytest.mark.parametrize("value", [JsonNumber("1"), None, True, [], {}])
def test_text_is_text(value: JsonDocument) -> None:
    assert text_claim(value) is None
    assert text_claim("1") == "1"
