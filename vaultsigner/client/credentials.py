"""Who asks: a user with a password or a token, or a bot with a key of one of four schemes. No secret shows in a repr.

Sources: Binance's "Request Security" of the spot API documentation for hmac, rsa and ed25519; the published Open API script for
tokens; the Web3 API Specification V0.0.6 for the partner.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol, runtime_checkable

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from vaultsigner.client.errors import CredentialsError
from vaultsigner.client.secret_sources import Secret, read_secret


@dataclass(frozen=True, slots=True)
class Password:
    """A user who logs in. The log-in is made when it is first needed, and again when its token has run out."""

    username: str
    password: Secret = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A user who has logged in elsewhere."""

    token: Secret = field(repr=False)


@runtime_checkable
class RequestKey(Protocol):
    """A key that signs requests as Binance's clients do."""

    @property
    def api_key(self) -> str:
        """Sent as X-MBX-APIKEY; no secret."""

    def sign(self, payload: bytes) -> str:
        """The value of `signature`, not percent-encoded yet."""


class _LoadedKey:
    """A PEM text's key. Loading one checks it closely, which takes longer than a request: done once for each text."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._digest = b""
        self._key: PrivateKeyTypes | None = None

    def load(self, source: Secret, passphrase: Secret | None) -> PrivateKeyTypes:
        pem = read_secret(source, "private key")
        digest = hashlib.sha256(pem).digest()
        with self._lock:
            if self._key is None or self._digest != digest:
                password = None if passphrase is None else read_secret(passphrase, "passphrase")
                self._key, self._digest = _load(pem, password), digest
            return self._key


def _load(pem: bytes, passphrase: bytes | None) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The library's words may quote what it was given.
        raise CredentialsError("The private key is no PEM text that this passphrase opens") from error


def _sign_rsa(key: PrivateKeyTypes, payload: bytes) -> str:
    if not isinstance(key, RSAPrivateKey):
        raise CredentialsError("The private key is no RSA key")
    return base64.b64encode(key.sign(payload, PKCS1v15(), SHA256())).decode()


@dataclass(frozen=True, slots=True)
class HmacKey:
    """Scheme `hmac`: HMAC-SHA256, in hexadecimal."""

    api_key: str
    secret: Secret = field(repr=False)

    def sign(self, payload: bytes) -> str:
        """See `RequestKey`."""
        return hmac.new(read_secret(self.secret, "secret"), payload, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class RsaKey:
    """Scheme `rsa`: RSASSA-PKCS1-v1_5 with SHA-256, in base64. The private key is PEM; `passphrase` opens it if need be."""

    api_key: str
    private_key: Secret = field(repr=False)
    passphrase: Secret | None = field(default=None, repr=False)
    _loaded: _LoadedKey = field(default_factory=_LoadedKey, init=False, repr=False, compare=False)

    def sign(self, payload: bytes) -> str:
        """See `RequestKey`."""
        return _sign_rsa(self._loaded.load(self.private_key, self.passphrase), payload)


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """Scheme `ed25519`: Ed25519 (RFC 8032), in base64. The private key is PEM."""

    api_key: str
    private_key: Secret = field(repr=False)
    passphrase: Secret | None = field(default=None, repr=False)
    _loaded: _LoadedKey = field(default_factory=_LoadedKey, init=False, repr=False, compare=False)

    def sign(self, payload: bytes) -> str:
        """See `RequestKey`."""
        key = self._loaded.load(self.private_key, self.passphrase)
        if not isinstance(key, Ed25519PrivateKey):
            raise CredentialsError("The private key is no Ed25519 key")
        return base64.b64encode(key.sign(payload)).decode()


@dataclass(frozen=True, slots=True)
class OpenApiKey:
    """Scheme `open_api`: a token for each request, a JWT HS256 over method, path, query and body."""

    access_key_id: str
    secret: Secret = field(repr=False)

    def token(self, digest: str, ts_seconds: int) -> str:
        """The value of X-Mp-Open-Api-Token.

        Args:
            digest: `dig`, see `signed_requests.open_api_digest`.
        """
        claims = {"iss": self.access_key_id, "dig": digest, "ts": ts_seconds}
        try:
            return jwt.encode(claims, read_secret(self.secret, "secret"), algorithm="HS256")
        except jwt.PyJWTError as error:
            raise CredentialsError("The secret cannot sign tokens: it looks like a key pair's") from error


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """The Binance Web3 partner: RSASSA-PKCS1-v1_5 with SHA-256 in the header `signature`; for the partner family alone."""

    private_key: Secret = field(repr=False)
    passphrase: Secret | None = field(default=None, repr=False)
    _loaded: _LoadedKey = field(default_factory=_LoadedKey, init=False, repr=False, compare=False)

    def sign(self, payload: bytes) -> str:
        """The header's value."""
        return _sign_rsa(self._loaded.load(self.private_key, self.passphrase), payload)


Credentials = Password | AccessToken | RequestKey | OpenApiKey | PartnerKey
"""All the ways to show who asks. A `RequestKey` is HmacKey, RsaKey, Ed25519Key, or an object of yours that asks an HSM."""
