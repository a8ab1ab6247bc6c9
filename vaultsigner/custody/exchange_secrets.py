"""Signing with an exchange's secret, wherever it lies: in Transit, which signs itself, or in KV, for the length of one signature.

Source: Binance's documentation, "SIGNED Endpoint security": HMAC-SHA256 in hex; RSASSA-PKCS1-v1_5 with SHA-256 and Ed25519 in
base64.
"""

import hmac
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from vaultsigner.config.settings import Exchange, ExchangeScheme, KvReference, TransitReference
from vaultsigner.custody.pem_key import check_pem_key, pem_key, sign_rsa
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.shared_secret import shared_secret
from vaultsigner.custody.transit_signing import TransitSigner
from vaultsigner.custody.vault.reader import VaultReader

SMALLEST_RSA_BITS = 2048

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PayloadSignature:
    """A signature as it stands in a request, and Vault's own id of what was asked of it."""

    text: str
    vault_request_id: str


class Secrets(Protocol):
    """Where a secret in KV is read: a `VaultReader`, or what was read ahead."""

    def with_secret(self, reference: KvReference, use: Callable[[SecretView], T]) -> Awaitable[T]:
        """See `VaultReader.with_secret`."""


class ExchangeSecrets:
    """The secrets of the configuration's exchanges."""

    def __init__(self, reader: VaultReader, transit: TransitSigner) -> None:
        self._reader = reader
        self._transit = transit

    async def sign(self, exchange: Exchange, payload: bytes, secrets: Secrets) -> PayloadSignature:
        """Sign these bytes by the exchange's scheme.

        Raises:
            CustodyError: key_malformed, where the secret is of another scheme; or it cannot be had.
        """
        secret, scheme = exchange.secret, exchange.scheme
        if isinstance(secret, TransitReference):
            made = await self._transit.sign(secret, scheme, payload)
            return PayloadSignature(_text(scheme, made.signature), made.vault_request_id)
        return await secrets.with_secret(secret, partial(_sign, scheme, payload))

    async def check(self, exchange: Exchange) -> bool:
        """Return once it is sure that there is a secret of the exchange's scheme: whether it is in Transit, and not safe there.

        Raises:
            CustodyError: as `sign`.
        """
        if isinstance(exchange.secret, TransitReference):
            return await self._transit.check(exchange.secret, exchange.scheme)
        await self._reader.with_secret(exchange.secret, partial(_check, exchange.scheme))
        return False


def _sign(scheme: ExchangeScheme, payload: bytes, secret: SecretView) -> PayloadSignature:
    """The one moment in which the secret is used."""
    return PayloadSignature(_text(scheme, _raw(scheme, payload, secret)), secret.vault_request_id)


def _raw(scheme: ExchangeScheme, payload: bytes, secret: SecretView) -> bytes:
    match scheme:
        case "hmac":
            # The buffer itself is handed to OpenSSL, which wipes its own state.
            return hmac.digest(secret.derive(shared_secret).text, payload, "sha256")
        case "rsa":
            key = secret.derive(pem_key).rsa(secret.reference, SMALLEST_RSA_BITS)
            return sign_rsa(key, secret.reference, payload)
        case "ed25519":
            return secret.derive(pem_key).ed25519(secret.reference).sign(payload)


def _check(scheme: ExchangeScheme, secret: SecretView) -> None:
    if scheme != "hmac":
        secret.derive(check_pem_key)
    _raw(scheme, b"", secret)


def _text(scheme: ExchangeScheme, signature: bytes) -> str:
    return signature.hex() if scheme == "hmac" else b64encode(signature).decode("ascii")
