"""libsecp256k1 on buffers that the caller owns and wipes. No Python object made here ever holds a key.

Source: SEC 1, SEC 2 (secp256k1), RFC 6979; bitcoin-core/secp256k1 `include/secp256k1.h`.
"""

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import Context

SCALAR_LENGTH = 32
COMPRESSED_LENGTH = 33
SIGNATURE_LENGTH = 64

# Randomised once at import: blinds the signing multiplications against timing and power analysis.
_CONTEXT = Context().ctx


def public_key_of(scalar: bytearray | memoryview) -> bytes:
    """The compressed public key (33 bytes) of a private key.

    Args:
        scalar: 32 bytes, big-endian.

    Raises:
        ValueError: zero, or not below the group order.
    """
    point = ffi.new("secp256k1_pubkey *")
    if not lib.secp256k1_ec_pubkey_create(_CONTEXT, point, _scalar(scalar)):
        raise ValueError("not a secp256k1 private key")
    output = ffi.new("unsigned char[33]")
    length = ffi.new("size_t *", COMPRESSED_LENGTH)
    lib.secp256k1_ec_pubkey_serialize(_CONTEXT, output, length, point, lib.SECP256K1_EC_COMPRESSED)
    return bytes(ffi.buffer(output))


def sign_digest(scalar: bytearray | memoryview, digest: bytes) -> bytes:
    """r and s (64 bytes) of a deterministic signature with s in the lower half of the order.

    Args:
        scalar: 32 bytes, big-endian.
        digest: the 32 bytes of SHA-256 that are signed.

    Raises:
        ValueError: the scalar is no private key, or the digest has another length.
    """
    if len(digest) != SCALAR_LENGTH:
        raise ValueError("a digest has 32 bytes")
    signature = ffi.new("secp256k1_ecdsa_signature *")
    if not lib.secp256k1_ecdsa_sign(_CONTEXT, signature, digest, _scalar(scalar), ffi.NULL, ffi.NULL):
        raise ValueError("not a secp256k1 private key")
    output = ffi.new("unsigned char[64]")
    lib.secp256k1_ecdsa_signature_serialize_compact(_CONTEXT, output, signature)
    return bytes(ffi.buffer(output))


def add_to_scalar(scalar: bytearray, tweak: memoryview) -> None:
    """scalar = scalar + tweak modulo the group order, in place (the step of a BIP32 child key).

    Raises:
        ValueError: the tweak is not below the order, or the sum is zero (BIP32: no key at this index).
    """
    if not lib.secp256k1_ec_seckey_tweak_add(_CONTEXT, _scalar(scalar), _scalar(tweak)):
        raise ValueError("BIP32 has no key at this index")


def _scalar(buffer: bytearray | memoryview) -> object:
    if len(buffer) != SCALAR_LENGTH:
        raise ValueError("a private key has 32 bytes")
    return ffi.from_buffer("unsigned char[]", buffer)
