"""A signature that custody made is checked before it leaves."""

import coincurve
import pytest
from coincurve._libsecp256k1 import ffi, lib

from vaultsigner.signing.verification import signature_is_valid

TEST_KEY = bytes.fromhex("11" * 32)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
MESSAGE = b'{"account_number":"1"}'


def compact_signature(message: bytes) -> bytes:
    """r and s, as custody answers them."""
    recoverable = coincurve.PrivateKey(TEST_KEY).sign_recoverable(message)
    return recoverable[:64]


PUBLIC_KEY = coincurve.PrivateKey(TEST_KEY).public_key.format()


def test_a_true_signature_passes() -> None:
    assert signature_is_valid(PUBLIC_KEY, MESSAGE, compact_signature(MESSAGE))


@pytest.mark.parametrize("position", range(0, 64, 7))
def test_a_flipped_byte_is_refused(position: int) -> None:
    signature = bytearray(compact_signature(MESSAGE))
    signature[position] ^= 1
    assert not signature_is_valid(PUBLIC_KEY, MESSAGE, bytes(signature))


def test_another_message_is_refused() -> None:
    assert not signature_is_valid(PUBLIC_KEY, MESSAGE + b" ", compact_signature(MESSAGE))


def test_another_key_is_refused() -> None:
    other = coincurve.PrivateKey(bytes.fromhex("22" * 32)).public_key.format()
    assert not signature_is_valid(other, MESSAGE, compact_signature(MESSAGE))


def test_the_high_s_twin_is_refused() -> None:
    signature = compact_signature(MESSAGE)
    twin = signature[:32] + (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    parsed = ffi.new("secp256k1_ecdsa_signature *")
    assert lib.secp256k1_ecdsa_signature_parse_compact(lib.secp256k1_context_static, parsed, twin)
    assert not signature_is_valid(PUBLIC_KEY, MESSAGE, twin)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_wrong_length_is_refused(length: int) -> None:
    assert not signature_is_valid(PUBLIC_KEY, MESSAGE, bytes(length))


def test_a_key_that_is_none_is_refused() -> None:
    assert not signature_is_valid(b"\x02" + bytes(32), MESSAGE, compact_signature(MESSAGE))
