"""Accounts, and whether a signature is theirs (rest-api.md and web-socket-api.md of Binance's documents, Request Security)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

Scheme = Literal["hmac", "rsa", "ed25519"]
Right = Literal["read", "trade", "withdraw", "transfer"]
EVERY_RIGHT: frozenset[Right] = frozenset({"read", "trade", "withdraw", "transfer"})


@dataclass(frozen=True, slots=True)
class Account:
    """One API key at the exchange and whose it is.

    Args:
        name: of the account; two keys with one name share balances and orders.
        api_key: what stands in X-MBX-APIKEY.
        scheme: how its requests are signed.
        verifier: the HMAC secret's text, or the public key in PEM.
        rights: what the key may do.
    """

    name: str
    api_key: str
    scheme: Scheme
    verifier: str
    rights: frozenset[Right] = EVERY_RIGHT

    def has_signed(self, payload: bytes, signature: str) -> bool:
        """Whether `signature` (hex, of any case, or base64) is this account's over exactly these bytes."""
        if self.scheme == "hmac":
            expected = hmac.new(self.verifier.encode(), payload, hashlib.sha256).hexdigest()
            return hmac.compare_digest(expected.encode(), signature.lower().encode())
        try:
            raw = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        return _verifies(self.scheme, self.verifier, raw, payload)


def _verifies(scheme: Scheme, public_key: str, signature: bytes, payload: bytes) -> bool:
    key = load_pem_public_key(public_key.encode())
    try:
        if scheme == "rsa" and isinstance(key, RSAPublicKey):
            key.verify(signature, payload, PKCS1v15(), SHA256())
        elif scheme == "ed25519" and isinstance(key, Ed25519PublicKey):
            key.verify(signature, payload)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def websocket_payload(parameters: Mapping[str, object]) -> bytes:
    """What is signed of a WebSocket request: every parameter but the signature, by name, values as they are, in UTF-8."""
    named = sorted((name, value) for name, value in parameters.items() if name != "signature")
    return "&".join(f"{name}={_text(value)}" for name, value in named).encode()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
