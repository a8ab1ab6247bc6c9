"""Does a signature fit: HMAC-SHA256, RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2), Ed25519 (RFC 8032). Pure.

Each takes the signature's text. A malformed text or key is a signature that does not fit, never an exception.
"""

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

Secret = bytes | bytearray | memoryview

ED25519_SIGNATURE_LENGTH = 64
_ED25519_DER_PREFIX = bytes.fromhex(
    "302a300506032b6570032100"
)  # RFC 8410, section 4: the key's 32 bytes follow
_ED25519_DER_LENGTH = 44
_WELL_FORMED_ED25519 = bytes.fromhex(f"58{'66' * 31}{'01' * 31}00")
"""The group's base point, and a number below its order: libsodium goes all the way with these."""
_HEX_DIGEST = re.compile(rb"[0-9A-Fa-f]{64}")


def hmac_fits(secret: Secret, payload: bytes, signature: bytes) -> bool:
    """Whether 64 hex digits, in either case, are the HMAC-SHA256 of the payload."""
    digest = bytes.fromhex(signature.decode("ascii")) if _HEX_DIGEST.fullmatch(signature) else b""
    return hmac_digest_fits(secret, payload, digest)


def hmac_digest_fits(secret: Secret, payload: bytes, digest: bytes) -> bool:
    """Whether 32 bytes are the HMAC-SHA256 of the payload.

    Args:
        secret: is not copied: hmac.digest hands the buffer itself to OpenSSL, which wipes its own state. None at all fits
            nothing, or whoever finds a client without a secret could sign for it.
    """
    fits = hmac.compare_digest(hmac.digest(secret, payload, "sha256"), digest)
    return fits and len(secret) > 0


def rsa_fits(public_key_der: bytes, payload: bytes, signature: bytes) -> bool:
    """Whether canonical base64 is the RSASSA-PKCS1-v1_5 signature, SHA-256, under a key given as SubjectPublicKeyInfo.

    A text that is no signature costs as much as one that does not fit, here and for Ed25519: how long it takes must not tell
    that there is a client, and of which scheme.
    """
    key = _rsa_key(public_key_der)
    if key is None:
        return False
    length = (key.key_size + 7) // 8
    raw = _from_base64(signature, length)
    try:
        key.verify(raw or bytes((0, *b"\x01" * (length - 1))), payload, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return raw is not None


def ed25519_fits(public_key_der: bytes, payload: bytes, signature: bytes) -> bool:
    """Whether canonical base64 is the Ed25519 signature under a key given as SubjectPublicKeyInfo.

    By libsodium, which refuses what malleability needs: an S past the group's order, points of small order, other spellings
    of a point.
    """
    raw = _from_base64(signature, ED25519_SIGNATURE_LENGTH)
    if len(public_key_der) != _ED25519_DER_LENGTH or not public_key_der.startswith(_ED25519_DER_PREFIX):
        return False
    try:
        VerifyKey(public_key_der[len(_ED25519_DER_PREFIX) :]).verify(payload, raw or _WELL_FORMED_ED25519)
    except BadSignatureError:
        return False
    return raw is not None


@lru_cache(maxsize=1024)
def _rsa_key(public_key_der: bytes) -> RSAPublicKey | None:
    try:
        # Refuses exponents below 3 itself: with 1 every text would be its own signature.
        key = load_der_public_key(public_key_der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def _from_base64(text: bytes, length: int) -> bytes | None:
    """So many bytes. Standard alphabet, padded, nothing else in it, no spare bits set: one signature has one spelling."""
    try:
        raw = b64decode(text, validate=True)
    except binascii.Error:
        return None
    return raw if len(raw) == length and b64encode(raw) == text else None
