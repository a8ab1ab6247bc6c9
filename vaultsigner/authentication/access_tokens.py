"""Checking access tokens: JSON Web Tokens signed with Ed25519 (RFC 7519, RFC 8037). Pure.

A token has exactly one form here. What RFC 7515 leaves open is refused: other algorithms, `crit`, a member given twice, base64
in another spelling. How tokens are made is in `token_minting`.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vaultsigner.authentication.token_minting import ALGORITHM, ISSUER, SUBJECT, TOKEN_TYPE
from vaultsigner.strict_json import JsonDocument, JsonNumber, MalformedJsonError, parse

LONGEST_TOKEN = 4096
PUBLIC_KEY_LENGTH = 32
_SEGMENTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_SECONDS = re.compile(r"[1-9][0-9]{0,11}")


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a good token says.

    Args:
        username: whose it is. Whether that user still exists is not known here.
        expires_at: seconds since 1970.
        credential: compare with `passwords.credential_fingerprint` of the user's present hash.
        token_id: unique to the token.
    """

    username: str
    expires_at: int
    credential: str
    token_id: str


def verify_access_token(token: str, keys: Mapping[str, bytes], now: float) -> AccessClaims | str:
    """The claims of a good token, or the reason why it is none (for the record; callers are told nothing).

    Args:
        token: as it stood in the Authorization header.
        keys: raw Ed25519 public keys (32 bytes) by key id.
        now: seconds since 1970.
    """
    segments = _SEGMENTS.fullmatch(token) if len(token) <= LONGEST_TOKEN else None
    if segments is None:
        return "not a token"
    header, payload = _document(segments[1]), _document(segments[2])
    if header is None or payload is None or not _is_canonical(segments[3]):
        return "malformed token"
    problem = _problem_of_header(header, keys)
    if problem is not None:
        return problem
    key = Ed25519PublicKey.from_public_bytes(keys[str(header["kid"])])
    try:
        jwt.decode(token, key, algorithms=[ALGORITHM], options={"verify_exp": False, "verify_iat": False})
    except jwt.PyJWTError:
        return "the signature does not verify"
    return _claims(payload, now)


def _problem_of_header(header: dict[str, JsonDocument], keys: Mapping[str, bytes]) -> str | None:
    if header.keys() != {"alg", "kid", "typ"}:
        return "the header has other members than alg, kid and typ"
    kid = header["kid"]
    if header["alg"] != ALGORITHM or header["typ"] != TOKEN_TYPE:
        return "another algorithm or type of token"
    if (
        not isinstance(kid, str)
        or isinstance(kid, JsonNumber)
        or len(keys.get(kid, b"")) != PUBLIC_KEY_LENGTH
    ):
        return "signed with an unknown key"
    return None


def _claims(payload: dict[str, JsonDocument], now: float) -> AccessClaims | str:
    username, credential, token_id = (_text(payload.get(name)) for name in ("username", "cred", "jti"))
    expires_at = payload.get("exp")
    if payload.get("sub") != SUBJECT or payload.get("iss") != ISSUER:
        return "a token for another purpose"
    if not username or not credential or not token_id:
        return "the token lacks a claim"
    # JsonNumber keeps the characters: 1e12 and 1.0 are numbers to some readers and not to others.
    if not isinstance(expires_at, JsonNumber) or not _SECONDS.fullmatch(expires_at):
        return "the token has no sane expiry"
    if now >= int(expires_at):
        return "the token has expired"
    return AccessClaims(username, int(expires_at), credential, token_id)


def _text(value: JsonDocument) -> str | None:
    return value if isinstance(value, str) and not isinstance(value, JsonNumber) else None


def _document(segment: str) -> dict[str, JsonDocument] | None:
    if not _is_canonical(segment):
        return None
    try:
        document = parse(_decoded(segment), max_depth=2)
    except MalformedJsonError:
        return None
    return document if isinstance(document, dict) else None


def _is_canonical(segment: str) -> bool:
    """Base64url has spare bits at the end of most lengths: the same signature must not have several spellings."""
    if len(segment) % 4 == 1:
        return False
    return urlsafe_b64encode(_decoded(segment)).rstrip(b"=") == segment.encode("ascii")


def _decoded(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
