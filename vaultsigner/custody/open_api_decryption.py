"""RSAES-PKCS1-v1_5 decryption (RFC 8017, section 7.2.2) that tells nothing but the plaintext: all failures look alike.

OpenSSL answers bad padding with pseudo-random bytes of pseudo-random length instead of an error ("implicit rejection", as in
draft-irtf-cfrg-rsa-guidance). Three in a thousand of those are text by chance, short ones. So each ciphertext is decrypted
twice, with two private exponents that are the same to RSA, d and d + lcm(p-1, q-1), but not to whatever makes those bytes from
the exponent: what both agree on was in the ciphertext.

What is left to learn is whether a ciphertext of one's own making happens to hold text: one in 2^16 has good padding at all, and
three in a thousand of those hold text. With a bound on failures a minute that is no way to a plaintext or a signature.
"""

import hmac
import math
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers

from vaultsigner.custody.wiping import wipe_bytes

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""All of them but tab and line ends, which JSON may have."""


def decrypt_text(key: RSAPrivateKey, ciphertext: str) -> str | None:
    """The text in a ciphertext; None for every failure alike, after the same work.

    Args:
        key: not kept.
        ciphertext: base64url, with or without padding; anything at all.

    Raises:
        ValueError: the key's numbers do not belong together.
    """
    size = (key.key_size + 7) // 8
    raw = _from_base64url(ciphertext)
    public = key.public_key().public_numbers()
    usable = raw is not None and len(raw) == size and int.from_bytes(raw, "big") < public.n
    candidate = raw if raw is not None and usable else b"\0" + secrets.token_bytes(size - 1)
    found = [_decrypted(twin, candidate) for twin in _twins(key.private_numbers())]
    agreed = hmac.compare_digest(found[0], found[1])
    text = _text(found[0])
    for plaintext in found:
        wipe_bytes(plaintext)
    return text if usable and agreed else None


def _twins(numbers: RSAPrivateNumbers) -> tuple[RSAPrivateKey, RSAPrivateKey]:
    """The key, written with each of two exponents. Both are below the modulus: p-1 and q-1 are even, so twice their least common
    multiple is at most their product.
    """
    period = math.lcm(numbers.p - 1, numbers.q - 1)
    first = numbers.d % period
    return _with_exponent(numbers, first), _with_exponent(numbers, first + period)


def _with_exponent(numbers: RSAPrivateNumbers, exponent: int) -> RSAPrivateKey:
    return RSAPrivateNumbers(
        p=numbers.p,
        q=numbers.q,
        d=exponent,
        dmp1=numbers.dmp1,
        dmq1=numbers.dmq1,
        iqmp=numbers.iqmp,
        public_numbers=numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)  # it comes from a key that has been loaded


def _decrypted(key: RSAPrivateKey, ciphertext: bytes) -> bytes:
    try:
        return key.decrypt(ciphertext, PKCS1v15())
    except ValueError:  # an OpenSSL that was built to say so
        return b""


def _text(plaintext: bytes) -> str | None:
    try:
        text = plaintext.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text and _CONTROL.search(text) is None else None


def _from_base64url(text: str) -> bytes | None:
    """One spelling of each: no spare bits set, no other alphabet."""
    if not _BASE64URL.fullmatch(text):
        return None
    bare = text.rstrip("=")
    if len(bare) % 4 == 1 or (bare != text and len(text) % 4):
        return None
    raw = urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    return raw if urlsafe_b64encode(raw).rstrip(b"=") == bare.encode("ascii") else None
