"""Checks a signature that custody made, before anyone else sees it.

A fault in custody, in memory or on the way must not leave as a signature; and a server that was told a wrong key notices here.
"""

import hashlib

from coincurve._libsecp256k1 import ffi, lib

COMPACT_SIGNATURE_LENGTH = 64
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def signature_is_valid(public_key: bytes, sign_bytes: bytes, signature: bytes) -> bool:
    """Whether `signature` (r and s, 32 bytes each, s in the lower half of the order) signs SHA-256 of `sign_bytes`.

    Source: SEC 1 section 4.1.4; low s as in BIP 62.
    """
    if len(signature) != COMPACT_SIGNATURE_LENGTH or int.from_bytes(signature[32:], "big") > HALF_ORDER:
        return False
    key = ffi.new("secp256k1_pubkey *")
    parsed = ffi.new("secp256k1_ecdsa_signature *")
    context = lib.secp256k1_context_static
    return bool(
        lib.secp256k1_ec_pubkey_parse(context, key, public_key, len(public_key))
        and lib.secp256k1_ecdsa_signature_parse_compact(context, parsed, signature)
        and lib.secp256k1_ecdsa_verify(context, parsed, hashlib.sha256(sign_bytes).digest(), key)
    )
