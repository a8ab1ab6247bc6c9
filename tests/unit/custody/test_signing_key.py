"""From the text in Vault to the key, by the vectors."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.custody.secrets_at_hand import secret_view
from vaultsigner.custody.secp256k1 import add_to_scalar, public_key_of, sign_digest
from vaultsigner.custody.signing_key import key_from_hex, key_from_mnemonic
from vaultsigner.errors import CustodyError

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ABANDON = "abandon " * 11 + "about"
scalars = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))


def test_hex_keys_of_the_vectors(vectors: list[dict[str, Any]]) -> None:
    for vector in vectors:
        for spelled in (vector["private_key"], vector["private_key"].upper()):
            secret, _ = secret_view(spelled)
            key = secret.derive(key_from_hex)
            assert (key.scalar.hex(), key.public_key.hex()) == (vector["private_key"], vector["public_key"])
            secret.close()
            assert not any(key.scalar)


def test_mnemonics_of_the_vectors(vectors: list[dict[str, Any]]) -> None:
    seen = set()
    for vector in vectors:
        if vector["hd_path"] == "44'/714'/0'/0/0" and not vector["passphrase"]:
            seen.add(vector["mnemonic"])
            key = key_from_mnemonic(secret_view(vector["mnemonic"])[0])
            assert (key.scalar.hex(), key.public_key.hex()) == (vector["private_key"], vector["public_key"])
    assert len(seen) >= 5


def test_signatures_of_the_vectors(vectors: list[dict[str, Any]]) -> None:
    for vector in vectors:
        digest = hashlib.sha256(vector["sign_bytes"].encode()).digest()
        assert sign_digest(bytearray.fromhex(vector["private_key"]), digest).hex() == vector["signature"]


@pytest.mark.parametrize(
    "text",
    [
        "", "0x" + "11" * 31, "11" * 31, "11" * 33, "zz" * 32, " " + "11" * 31 + "1", "11" * 31 + "1\u0661",
        "00" * 32, f"{ORDER:064x}", "ff" * 32, ABANDON,
    ],
)  # fmt: skip
def test_what_is_no_hex_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(CustodyError) as caught:
        key_from_hex(secret_view(text)[0])
    assert caught.value.code == "key_malformed"
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (ABANDON.upper(), "lower case"),
        ("Abandon" + ABANDON[7:], "lower case"),
        (ABANDON.replace(" ", "  ", 1), "one blank"),
        (" " + ABANDON, "one blank"),
        (ABANDON + " ", "one blank"),
        (ABANDON.replace(" ", "\u3000"), "plain text"),
        ("abandon " * 10 + "about", "11 words"),
        ("abandon", "1 words"),
        ("", "one blank"),
        ("abandon " * 12, "one blank"),
        (("abandon " * 12)[:-1], "checksum"),
        ("about " + "abandon " * 10 + "abandon", "checksum"),
        (ABANDON.replace("about", "abouts"), "word 12"),
        ("abandon " * 40 + "about", "lower case"),
        ("11" * 32, "lower case"),
    ],
)
def test_mnemonics_that_other_wallets_would_read_otherwise_are_refused(words: str, hint: str) -> None:
    with pytest.raises(CustodyError, match=hint) as caught:
        key_from_mnemonic(secret_view(words)[0])
    assert caught.value.code == "key_malformed"
    assert "abandon" not in str(caught.value)


@given(scalars, scalars)
def test_adding_is_addition_modulo_the_order(one: bytes, other: bytes) -> None:
    total = (int.from_bytes(one, "big") + int.from_bytes(other, "big")) % ORDER
    scalar = bytearray(one)
    if total:
        add_to_scalar(scalar, memoryview(other))
        assert scalar == total.to_bytes(32, "big")


@given(scalars, st.binary(min_size=32, max_size=32))
def test_signatures_are_deterministic_and_low(scalar: bytes, digest: bytes) -> None:
    signature = sign_digest(bytearray(scalar), digest)
    assert signature == sign_digest(bytearray(scalar), digest)
    assert 0 < int.from_bytes(signature[32:], "big") <= ORDER // 2


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_buffer_of_another_length_never_reaches_the_library(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        public_key_of(bytearray(length))
    with pytest.raises(ValueError, match="32 bytes"):
        sign_digest(bytearray(b"\x01" * 32), b"x" * length)
