"""The form of an Open API token that we make, for the mini-programs of the configuration. Pure: time and key are arguments.

Source: as for `open_api_tokens`, which reads what is made here. The header's members stand in the order that current PyJWT
writes them.
"""

import hmac
import json
from base64 import urlsafe_b64encode

from vaultsigner.authentication.open_api_tokens import canonical_digest
from vaultsigner.authentication.request_signatures import Secret

_HEADER = b'{"alg":"HS256","typ":"JWT"}'


def open_api_signing_input(
    issuer: str, ts: int, *, method: str, path: str, query: bytes, body: bytes
) -> bytes:
    """Header and claims, encoded and joined: what the signature covers (RFC 7515, section 5.1).

    Args:
        issuer: the access key's id.
        ts: seconds since 1970.
        method, path, query, body: the call that it is for, in the texts that the other side will hash: of the path that is the
            one with a closing slash where the published script has one.

    Raises:
        ValueError: a line end in one of the first three, which would let one token stand for two calls.
    """
    claims = {"iss": issuer, "dig": canonical_digest(method, path, query, body), "ts": ts}
    return b".".join(map(_segment, (_HEADER, json.dumps(claims, separators=(",", ":")).encode())))


def finish_open_api_token(signing_input: bytes, secret: Secret) -> str:
    """The token.

    Args:
        secret: is not copied: hmac.digest hands the buffer itself to OpenSSL, which wipes its own state.
    """
    signature = hmac.digest(secret, signing_input, "sha256")
    return b".".join((signing_input, _segment(signature))).decode("ascii")


def _segment(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
