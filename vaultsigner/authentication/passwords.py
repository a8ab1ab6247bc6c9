"""Password hashes: Argon2id (RFC 9106), and bcrypt for hashes taken over from the old service. Pure."""

import hashlib

import bcrypt
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import verify_secret

BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2y$")
_BCRYPT_LIMIT_BYTES = 72
_FINGERPRINT_DIGITS = 16
_HASHER = PasswordHasher(type=Type.ID)


def hash_password(password: str) -> str:
    """An Argon2id hash with the library's parameters (RFC 9106, section 4, the second recommended option)."""
    return _HASHER.hash(password)


def verify_password(password_hash: str, password: bytes) -> bool:
    """Whether the password is the one that was hashed.

    Takes some 0.2 s of one core on purpose; call it in a thread.

    Args:
        password_hash: `$argon2id$...` or `$2b$...`; anything else matches no password.
        password: UTF-8.
    """
    if password_hash.startswith(BCRYPT_PREFIXES):
        return _verify_bcrypt(password_hash, password)
    if not password_hash.startswith("$argon2id$"):
        return False
    try:
        return verify_secret(password_hash.encode("ascii", "replace"), password, Type.ID)
    except (VerificationError, InvalidHashError):
        return False


def credential_fingerprint(password_hash: str) -> str:
    """What an access token carries to show which password it was issued for: it dies when the password changes.

    Tells nothing of the password: the first 16 hex digits of SHA-256 of the salted hash.
    """
    return hashlib.sha256(password_hash.encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def _verify_bcrypt(password_hash: str, password: bytes) -> bool:
    # bcrypt itself ignores what follows byte 72; the library refuses such passwords, the old service cut them off.
    try:
        return bcrypt.checkpw(password[:_BCRYPT_LIMIT_BYTES], password_hash.encode("ascii", "replace"))
    except ValueError:
        return False
