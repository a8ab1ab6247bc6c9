"""What the Open API has encrypted is decrypted; everything else is one and the same failure."""

import json
import math
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from vaultsigner.custody.open_api_decryption import decrypt_text

FORGED = 1500


@cache
def key(bits: int = 2048) -> RSAPrivateKey:
    return generate_private_key(65537, bits)


def modulus(of: RSAPrivateKey) -> int:
    return of.public_key().public_numbers().n


def spelled(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode()


def encrypted(plaintext: bytes, of: RSAPrivateKey | None = None) -> bytes:
    return (of or key()).public_key().encrypt(plaintext, PKCS1v15())


def of_block(block: bytes) -> str:
    """The ciphertext of a padded block of one's own making (RFC 8017, section 7.2.1)."""
    public = key().public_key().public_numbers()
    number = pow(int.from_bytes(block, "big"), public.e, public.n)
    return spelled(number.to_bytes(256, "big"))


def block(message: bytes, *, start: bytes = b"\0\2", padding: bytes | None = None) -> bytes:
    filler = b"\x11" * (256 - 3 - len(message)) if padding is None else padding
    return (start + filler + b"\0" + message).rjust(256, b"\0")[:256]


@pytest.mark.parametrize("bits", [1024, 2048, 3072])
@pytest.mark.parametrize(
    "text", ["x", "openid-4f1d", "+1 555 0100", "sam@example.com", "é 😀", json.dumps({"a": "b"}, indent=2)]
)
def test_text_comes_out_as_it_went_in(bits: int, text: str) -> None:
    raw = encrypted(text.encode(), key(bits))
    assert decrypt_text(key(bits), spelled(raw)) == text
    assert decrypt_text(key(bits), spelled(raw).rstrip("=")) == text


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=40))
def test_every_printable_text_comes_out(text: str) -> None:
    assert decrypt_text(key(), spelled(encrypted(text.encode()))) == text


def test_what_a_block_of_ones_own_holds_comes_out() -> None:
    """The control of the tests below: such a block is as good as the library's."""
    assert decrypt_text(key(), of_block(block(b"hello"))) == "hello"
    assert decrypt_text(key(), of_block(block(b"a" * 245))) == "a" * 245


@pytest.mark.parametrize(
    "bad",
    [
        block(b"hello", start=b"\0\1"),
        block(b"hello", start=b"\1\2"),
        block(b"hello", start=b"\0\0"),
        block(b"a" * 246, padding=b"\x11" * 7),
        block(b"", padding=b"\x11" * 254)[:255] + b"\x11",
        block(b"hello", padding=b"\x11\x11\0" + b"\x11" * 245),
        block(b""),
        block(b"\xff\xfe not text"),
        block(b"bell\x07"),
        block(b"nul\x00"),
        block(b"\x7f"),
        block("\x85".encode()),
    ],
    ids=[
        *("other block type", "leading byte", "zero block type", "padding too short", "no separator"),
        *("separator too early", "empty", "not UTF-8", "control character", "nul", "delete", "C1"),
    ],
)
def test_a_bad_block_is_a_failure(bad: bytes) -> None:
    assert decrypt_text(key(), of_block(bad)) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: "",
        lambda good: "!",
        lambda good: good[:-5],
        lambda good: good + "AAAA",
        lambda good: good + "=",
        lambda good: good.rstrip("=") + "=",
        lambda good: " " + good,
        lambda good: good + "\n",
        lambda good: good.replace(good[7], "é", 1),
        lambda good: "A" * 5,
        lambda good: good.rstrip("=")[:-1] + "_",
        lambda good: "A" * 100_000,
        lambda good: spelled(b"\0" * 256),
        lambda good: spelled(b"\0" * 255 + b"\1"),
        lambda good: spelled(modulus(key()).to_bytes(256, "big")),
        lambda good: spelled((modulus(key()) - 1).to_bytes(256, "big")),
        lambda good: spelled(b"\xff" * 256),
        lambda good: spelled(encrypted(b"hello", key(1024))),
        lambda good: spelled(encrypted(b"hello", key(3072))),
        lambda good: spelled(encrypted(b"hello", generate_private_key(65537, 2048))),
    ],
)
def test_what_is_no_ciphertext_for_this_key_is_a_failure(spoil: Callable[[str], str]) -> None:
    assert decrypt_text(key(), spoil(spelled(encrypted(b"hello")))) is None


def test_a_ciphertext_plus_the_modulus_is_another_spelling_and_refused() -> None:
    """RSA would decrypt both to the same; only one of them is below the modulus (RFC 8017, section 5.1.2)."""
    small = next(raw for raw in iter(lambda: encrypted(b"hello"), b"") if raw[0] < 0x40)
    number = int.from_bytes(small, "big") + modulus(key())
    if number < 1 << 2048:
        assert decrypt_text(key(), spelled(number.to_bytes(256, "big"))) is None
    assert decrypt_text(key(), spelled(small)) == "hello"


def test_the_other_alphabet_is_refused() -> None:
    raw = next(
        raw for raw in iter(lambda: encrypted(b"hello"), b"") if {b"+"[0], b"/"[0]} & set(b64encode(raw))
    )
    assert decrypt_text(key(), b64encode(raw).decode()) is None
    assert decrypt_text(key(), spelled(raw)) == "hello"


def test_oaep_is_not_mistaken_for_it() -> None:
    raw = key().public_key().encrypt(b"hello", OAEP(MGF1(SHA256()), SHA256(), None))
    assert decrypt_text(key(), spelled(raw)) is None


def test_no_forged_ciphertext_passes_for_text() -> None:
    """Of what OpenSSL makes of bad padding three in a thousand are text: without the second exponent, four or five here."""
    forged = (secrets.randbelow(modulus(key(1024))).to_bytes(128, "big") for _ in range(FORGED))
    found = [text for raw in forged if (text := decrypt_text(key(1024), spelled(raw))) is not None]
    assert len(found) < 2, "one in two million may have good padding and text"


def test_it_is_the_second_exponent_that_tells() -> None:
    """The property that this rests on: what OpenSSL makes up depends on how the exponent is written."""
    numbers = key(1024).private_numbers()
    period = math.lcm(numbers.p - 1, numbers.q - 1)

    def twin(exponent: int) -> RSAPrivateKey:
        return RSAPrivateNumbers(
            numbers.p,
            numbers.q,
            exponent,
            numbers.dmp1,
            numbers.dmq1,
            numbers.iqmp,
            numbers.public_numbers,
        ).private_key(unsafe_skip_rsa_key_validation=True)

    twins = [twin(numbers.d % period), twin(numbers.d % period + period)]
    raw = bytes(64) + secrets.token_bytes(64)
    made_up: list[Any] = [each.decrypt(raw, PKCS1v15()) for each in twins]
    again: list[Any] = [each.decrypt(raw, PKCS1v15()) for each in twins]
    assert made_up == again
    assert made_up[0] != made_up[1]
