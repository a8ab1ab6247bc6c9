"""A client's secret out of Vault's JSON: the bytes that the client signs with, whatever they are, and no copy left."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.custody.secrets_at_hand import REFERENCE, kv_answer, secret_view
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.shared_secret import SharedSecret, shared_secret
from vaultsigner.errors import CustodyError

GO_ESCAPES = str.maketrans(
    {"<": r"\u003c", ">": r"\u003e", "&": r"\u0026", "\u2028": r"\u2028", "\u2029": r"\u2029"}
)


def as_go_writes(text: str) -> bytes:
    """As Vault's own encoder has it (Go, encoding/json with HTML escaping)."""
    return json.dumps(text, ensure_ascii=False)[1:-1].translate(GO_ESCAPES).encode()


@given(st.text(min_size=1))
@pytest.mark.parametrize("write", [as_go_writes, lambda text: json.dumps(text)[1:-1].encode()])
def test_every_text_comes_out_as_it_was(write: object, text: str) -> None:
    assert callable(write)
    try:
        expected = text.encode()
    except UnicodeEncodeError:
        return
    assert bytes(SharedSecret(memoryview(bytearray(write(text)))).text) == expected


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb"\u0026\u003c\u003e\"\\\/", b'&<>"\\/'),
        (rb"\b\f\n\r\t", b"\b\f\n\r\t"),
        (rb"\u00e9\u00E9", "éé".encode()),
        (rb"\u0000", b"\0"),
        (rb"\u007f\u0080\u07ff\u0800\uffff", "\x7f\x80\u07ff\u0800\uffff".encode()),
        (rb"\ud83d\ude00", "😀".encode()),
        (rb"\ud800\udc00\uDBFF\uDFFF", "\U00010000\U0010ffff".encode()),
        (
            "heldout test secret / not a real one + é".encode(),
            "heldout test secret / not a real one + é".encode(),
        ),
    ],
)
def test_escapes_are_undone(written: bytes, meant: bytes) -> None:
    assert bytes(SharedSecret(memoryview(written)).text) == meant


@pytest.mark.parametrize(
    "written",
    [
        b"",
        rb"\ud83d",
        rb"\ud83dx",
        rb"\ud83d\n",
        rb"\ud83d\u0041",
        rb"\ud83d\ud83d",
        rb"\ude00",
        rb"\ude00\ud83d",
        b"\xff",
        b"\xc3",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ],
)
def test_what_is_no_text_is_no_secret(written: bytes) -> None:
    secret = SecretView(
        REFERENCE, memoryview(bytearray(kv_answer({"value": "HERE"}).replace(b"HERE", written)))
    )
    with pytest.raises(CustodyError) as caught:
        secret.derive(shared_secret)
    assert caught.value.code == "key_malformed"
    assert str(REFERENCE) in str(caught.value)


def test_it_is_wiped_with_the_read() -> None:
    secret, _ = secret_view('s3cr"t é')
    text = secret.derive(shared_secret).text
    assert bytes(text) == 's3cr"t é'.encode()
    secret.close()
    assert not any(text)
