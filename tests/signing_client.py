"""Signs requests as Binance's own clients do, and sends them byte for byte. Shares no code with vaultsigner.

What is signed follows Binance's published rules: "Request security" of the spot API documentation (query string as sent, then the
body as sent), the Open API script (a JWT HS256 over iss, dig, ts) and the Web3 partner API specification V0.0.6 (the parameters
as they read decoded, in a `signature` header).
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from http.client import HTTPConnection
from typing import Any, Literal, Protocol
from urllib.parse import quote, unquote_plus, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

Parameters = Mapping[str, str] | Sequence[tuple[str, str]]
Place = Literal["query", "form"]
API_KEY_HEADER, OPEN_API_HEADER, PARTNER_HEADER = "X-MBX-APIKEY", "X-Mp-Open-Api-Token", "signature"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A request, whole. `query` is what follows the question mark, as it goes out."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        """The request target."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def as_bytes(self, host: str) -> bytes:
        """The request as it goes over the wire, on a connection that is kept."""
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            f"Host: {host}",
            f"Content-Length: {len(self.body)}",
        ]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def request_id(self) -> str:
        """What the records call the request."""
        return self.headers["X-Request-Id"]


class SigningKey(Protocol):
    """A client of the exchange's API."""

    @property
    def api_key(self) -> str:
        """What it calls itself."""

    def sign(self, payload: bytes) -> str:
        """The value of `signature`, not yet percent-encoded."""


@dataclass(frozen=True, slots=True)
class HmacKey:
    """Signs with HMAC-SHA256, in hexadecimal."""

    api_key: str
    secret: str

    def sign(self, payload: bytes) -> str:
        """See `SigningKey`."""
        return hmac.new(self.secret.encode(), payload, hashlib.sha256).hexdigest()


@lru_cache(maxsize=16)
def _loaded(pem: str) -> PrivateKeyTypes:
    """An RSA key is looked at closely when it is loaded, which takes longer than a request."""
    return load_pem_private_key(pem.encode(), None)


@dataclass(frozen=True, slots=True)
class RsaKey:
    """Signs with RSASSA-PKCS1-v1_5 and SHA-256, in base64."""

    api_key: str
    private_key: str

    def sign(self, payload: bytes) -> str:
        """See `SigningKey`."""
        key = _loaded(self.private_key)
        assert isinstance(key, RSAPrivateKey)
        return base64.b64encode(key.sign(payload, PKCS1v15(), SHA256())).decode()


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """Signs with Ed25519, in base64."""

    api_key: str
    private_key: str

    def sign(self, payload: bytes) -> str:
        """See `SigningKey`."""
        key = _loaded(self.private_key)
        assert isinstance(key, Ed25519PrivateKey)
        return base64.b64encode(key.sign(payload)).decode()


@dataclass(frozen=True, slots=True)
class OpenApiKey:
    """A client of the Open API."""

    access_key_id: str
    secret: str


def now_ms() -> int:
    """The time, as Binance's clients count it."""
    return time.time_ns() // 1_000_000


def spelled(parameters: Parameters) -> str:
    """Name=value pairs, percent-encoded as most clients do."""
    pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


def signed_call(
    key: SigningKey,
    method: str,
    path: str,
    parameters: Parameters = (),
    *,
    document: object = None,
    place: Place = "query",
    timestamp_ms: int | None = None,
    recv_window_ms: int | None = None,
) -> SignedCall:
    """A request as the exchange's clients sign it.

    Args:
        document: a JSON body; then the parameters are in the query.
        place: where the parameters and the signature go where there is no JSON body.
        timestamp_ms: None: now.
    """
    timing = {"timestamp": str(now_ms() if timestamp_ms is None else timestamp_ms)}
    if recv_window_ms is not None:
        timing["recvWindow"] = str(recv_window_ms)
    text = "&".join(part for part in (spelled(parameters), spelled(timing)) if part)
    body = (
        b"" if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    )
    return sign_text(key, SignedCall(method, path, text, {}, body), place)


def sign_text(key: SigningKey, call: SignedCall, place: Place = "query") -> SignedCall:
    """Sign a request whose `query` holds the parameters exactly as they are to be sent."""
    text = call.query
    signed = f"{text}&signature={quote(key.sign(text.encode() + call.body), safe='')}"
    headers = {API_KEY_HEADER: key.api_key, **call.headers}
    if place == "form":
        assert not call.body
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return replace(call, query="", headers=headers, body=signed.encode())
    if call.body:
        headers["Content-Type"] = "application/json"
    return replace(call, query=signed, headers=headers)


def open_api_digest(method: str, path: str, query: str, body: bytes) -> str:
    """`dig`: SHA-256 of method, path, query and the body's SHA-256, a line each."""
    lines = (method, path, query, hashlib.sha256(body).hexdigest())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def open_api_token(
    key: OpenApiKey, method: str, path: str, query: str = "", body: bytes = b"", *, ts: int | None = None
) -> str:
    """The token for one request; `ts` in seconds, None: now."""
    moment = int(time.time()) if ts is None else ts
    claims = {"iss": key.access_key_id, "dig": open_api_digest(method, path, query, body), "ts": moment}
    return jwt.encode(claims, key.secret, algorithm="HS256")


def open_api_call(
    key: OpenApiKey,
    method: str,
    path: str,
    query: str = "",
    *,
    document: object = None,
    ts: int | None = None,
) -> SignedCall:
    """A request with its Open API token."""
    body = b"" if document is None else json.dumps(document).encode()
    headers = {OPEN_API_HEADER: open_api_token(key, method, path, query, body, ts=ts)}
    if document is not None:
        headers["Content-Type"] = "application/json"
    return SignedCall(method, path, query, headers, body)


def partner_call(
    key: SigningKey,
    method: str,
    path: str,
    parameters: Parameters = (),
    *,
    timestamp_ms: int | None = None,
    recv_window_ms: int | None = None,
    place: Place = "query",
) -> SignedCall:
    """A request as Binance Web3 signs it: over the parameters as they read once decoded, in the order sent."""
    pairs = list(parameters.items() if isinstance(parameters, Mapping) else parameters)
    if recv_window_ms is not None:
        pairs.append(("recvWindow", str(recv_window_ms)))
    pairs.append(("timestamp", str(now_ms() if timestamp_ms is None else timestamp_ms)))
    sent = spelled(pairs)
    headers = {PARTNER_HEADER: key.sign(unquote_plus(sent).encode())}
    if place == "form":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return SignedCall(method, path, "", headers, sent.encode())
    return SignedCall(method, path, sent, headers)


def send(url: str, call: SignedCall, *, source: str = "127.0.0.1") -> Reply:
    """Send it to the service at `url`, with nothing added but Host and Content-Length, and nothing encoded anew.

    Args:
        source: the loopback address to ask from.
    """
    host = urlsplit(url)
    assert host.hostname
    with closing(
        HTTPConnection(host.hostname, host.port, timeout=TIMEOUT_SECONDS, source_address=(source, 0))
    ) as connection:
        return _send(connection, call)


def _send(connection: HTTPConnection, call: SignedCall) -> Reply:
    connection.putrequest(call.method, call.target, skip_accept_encoding=True)
    for name, value in call.headers.items():
        connection.putheader(name, value)
    if call.body or call.method in ("POST", "PUT"):
        connection.putheader("Content-Length", str(len(call.body)))
    connection.endheaders(call.body or None)
    response = connection.getresponse()
    text = response.read()
    page = response.headers.get_content_type() == "text/html"  # of a gateway, which is handed on as it came
    body = text.decode() if page else json.loads(text) if text else None
    return Reply(response.status, body, dict(response.getheaders()))
