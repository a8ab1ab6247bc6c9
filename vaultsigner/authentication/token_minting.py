"""The form of an access token before it is signed. Pure: the time and the randomness are arguments.

Only custody issues tokens: it checks the password and has Vault Transit sign. The server holds the public half, so that one
who takes the server over can check tokens but not make them.
"""

import json
from base64 import urlsafe_b64encode

ISSUER = "vaultsigner"
SUBJECT = "access"
ALGORITHM = "EdDSA"
TOKEN_TYPE = "JWT"  # noqa: S105 - the word of RFC 7519, not a secret
SIGNATURE_LENGTH = 64


def issue_signing_input(
    *, username: str, credential: str, key_id: str, token_id: str, issued_at: int, expiry_minutes: int
) -> bytes:
    """Header and claims, encoded and joined: what the signature covers (RFC 7515, section 5.1).

    Args:
        credential: `passwords.credential_fingerprint` of the hash that the password matched.
        key_id: the version of the Transit key that will sign.
        token_id: unique.
        issued_at: seconds since 1970.
        expiry_minutes: how long the token is good.
    """
    header = {"alg": ALGORITHM, "kid": key_id, "typ": TOKEN_TYPE}
    claims = {
        "username": username,
        "sub": SUBJECT,
        "iss": ISSUER,
        "iat": issued_at,
        "exp": issued_at + expiry_minutes * 60,
        "jti": token_id,
        "cred": credential,
    }
    return b".".join(_segment(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))


def finish_token(signing_input: bytes, signature: bytes) -> str:
    """The token, once signed.

    Raises:
        ValueError: the signature is not one of Ed25519's 64 bytes.
    """
    if len(signature) != SIGNATURE_LENGTH:
        raise ValueError("an Ed25519 signature has 64 bytes")
    return b".".join((signing_input, _segment(signature))).decode("ascii")


def _segment(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
