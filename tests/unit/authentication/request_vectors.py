"""Requests that other people's clients signed, and what it takes to sign and judge more of them.

tests/vectors/exchange_requests.json and open_api_tokens.json: copies of the project's shared vectors; each file's `about` says
how it was made. Their keys are published examples and test keys.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from vaultsigner.authentication.request_signatures import ed25519_fits, hmac_fits, rsa_fits
from vaultsigner.authentication.signed_requests import SignedRequest, read_signed_request
from vaultsigner.authentication.windows import in_exchange_window
from vaultsigner.domain.refusals import Refusal

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
NOW_MS = 1499827319559
SCHEMES = {"hmac": "hmac_test", "rsa": "rsa_test", "ed25519": "ed25519_test"}

Vector = dict[str, Any]
Fits = Callable[[bytes, bytes], bool]


def load(name: str) -> dict[str, Any]:
    """Read a vector file. A missing one fails the run: what is compared with nothing has not been tested."""
    loaded: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return loaded


EXCHANGE = load("exchange_requests.json")
OPEN_API = load("open_api_tokens.json")
KEYS: dict[str, dict[str, str]] = EXCHANGE["keys"]


def secret(key: str) -> bytes:
    return KEYS[key]["secret"].encode()


@lru_cache
def public_der(key: str) -> bytes:
    public = load_pem_public_key(KEYS[key]["public_key"].encode())
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@lru_cache
def private_key(key: str) -> PrivateKeyTypes:
    """Loading checks that an RSA key's numbers belong together, which costs more than a hundred signatures."""
    return load_pem_private_key(KEYS[key]["private_key"].encode(), None)


def fits_of(key: str) -> Fits:
    """How custody asks whether a signature's text fits a payload, for one key of the vectors."""
    algorithm = KEYS[key]["algorithm"]
    if algorithm == "hmac-sha256":
        return lambda payload, signature: hmac_fits(bytearray(secret(key)), payload, signature)
    verifier = ed25519_fits if algorithm == "ed25519" else rsa_fits
    der = public_der(key)
    return lambda payload, signature: verifier(der, payload, signature)


def sign(key: str, payload: bytes) -> str:
    """The signature's text: hex or base64, not percent-encoded."""
    if KEYS[key]["algorithm"] == "hmac-sha256":
        return hmac.new(secret(key), payload, "sha256").hexdigest()
    private = private_key(key)
    if isinstance(private, Ed25519PrivateKey):
        return b64encode(private.sign(payload)).decode()
    assert isinstance(private, RSAPrivateKey)
    return b64encode(private.sign(payload, PKCS1v15(), SHA256())).decode()


def signed(text: bytes, key: str = "hmac_test", body: bytes = b"") -> bytes:
    """A query (or form body) with its signature behind it."""
    return text + b"&signature=" + quote(sign(key, text + body), safe="").encode()


def judged(query: bytes, body: bytes, fits: Fits, now_ms: int = NOW_MS) -> SignedRequest | str:
    """What custody makes of a request: the request, or the code or cause of its refusal."""
    request = read_signed_request(query, body)
    if isinstance(request, Refusal):
        return request.code
    if not in_exchange_window(request.timestamp_ms, request.recv_window_ms, now_ms):
        return "window"
    return request if fits(request.payload, request.signature) else "signature"
