"""RIPEMD-160 in Python against the paper's own values and against OpenSSL."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.formats.bnb_beacon.ripemd160 import ripemd160, ripemd160_in_python

PAPER = [
    (b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
    (b"a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"),
    (b"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
    (b"message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"),
    (b"abcdefghijklmnopqrstuvwxyz", "f71c27109c692c1b56bbdceb5b9d2865b3708dbc"),
    (b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "12a053384a9c0c88e405a06c27dcf49ada62eb2b"),
    (
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "b0e20b6e3116640286ed3a87a5713079b21f5189",
    ),
    (b"1234567890" * 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
]


@pytest.mark.parametrize(("data", "digest"), PAPER)
def test_values_of_the_paper(data: bytes, digest: str) -> None:
    assert ripemd160_in_python(data).hex() == digest
    assert ripemd160(data).hex() == digest


def openssl_has_it() -> bool:
    try:
        hashlib.new("ripemd160", usedforsecurity=False)
    except ValueError:
        return False
    return True


@pytest.mark.skipif(
    not openssl_has_it(), reason="this OpenSSL has retired RIPEMD-160, so there is nothing to compare"
)
@given(st.binary(max_size=200))
def test_agrees_with_openssl(data: bytes) -> None:
    assert ripemd160_in_python(data) == hashlib.new("ripemd160", data, usedforsecurity=False).digest()


def test_python_steps_in_where_openssl_has_retired_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def retired(name: str, data: bytes = b"", *, usedforsecurity: bool = True) -> object:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", retired)
    assert ripemd160(b"abc").hex() == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"
