"""Checking access tokens: JSON Web Tokens signed with Ed25519 (RFC 7519, RFC 8037). Pure.

A token has exactly one form here. What RFC 7515 leaves open is refused: other algorithms, `crit`, a member given twice, base64
in another spelling. How tokens are made is in `token_minting`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vaultsigner.authentication.strict_jwt import read_strict_jwt, seconds_claim, text_claim
from vaultsigner.authentication.token_minting import ALGORITHM, ISSUER, SUBJECT, TOKEN_TYPE
from vaultsigner.strict_json import JsonDocument

PUBLIC_KEY_LENGTH = 32


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
    read = read_strict_jwt(token)
    if isinstance(read, str):
        return read
    problem = _problem_of_header(read.header, keys)
    if problem is not None:
        return problem
    key = Ed25519PublicKey.from_public_bytes(keys[str(read.header["kid"])])
    try:
        jwt.decode(token, key, algorithms=[ALGORITHM], options={"verify_exp": False, "verify_iat": False})
    except jwt.PyJWTError:
        return "the signature does not verify"
    return _claims(read.claims, now)


def _problem_of_header(header: dict[str, JsonDocument], keys: Mapping[str, bytes]) -> str | None:
    if header.keys() != {"alg", "kid", "typ"}:
        return "the header has other members than alg, kid and typ"
    if header["alg"] != ALGORITHM or header["typ"] != TOKEN_TYPE:
        return "another algorithm or type of token"
    kid = text_claim(header["kid"])
    if kid is None or len(keys.get(kid, b"")) != PUBLIC_KEY_LENGTH:
        return "signed with an unknown key"
    return None


def _claims(payload: dict[str, JsonDocument], now: float) -> AccessClaims | str:
    username, credential, token_id = (text_claim(payload.get(name)) for name in ("username", "cred", "jti"))
    expires_at = seconds_claim(payload.get("exp"))
    if payload.get("sub") != SUBJECT or payload.get("iss") != ISSUER:
        return "a token for another purpose"
    if not username or not credential or not token_id:
        return "the token lacks a claim"
    if not expires_at:
        return "the token has no sane expiry"
    if now >= expires_at:
        return "the token has expired"
    return AccessClaims(username, expires_at, credential, token_id)
