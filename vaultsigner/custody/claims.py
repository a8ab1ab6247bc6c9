"""What a request claims of its sender, in each of the ways to sign one; nothing of it is verified yet. Pure.

A claim fails with a reason for the record alone. It never quotes a signature, nor a key that nobody has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from vaultsigner.authentication.open_api_tokens import (
    AHEAD_MS,
    OpenApiToken,
    open_api_token_fits,
    read_open_api_token,
)
from vaultsigner.authentication.payload_hints import payload_hint
from vaultsigner.authentication.request_signatures import Secret, ed25519_fits, hmac_fits, rsa_fits
from vaultsigner.authentication.signed_requests import (
    SignedRequest,
    authentication_failed,
    read_signed_request,
)
from vaultsigner.authentication.windows import EXCHANGE_AHEAD_MS, in_exchange_window
from vaultsigner.config.settings import Client
from vaultsigner.custody.protocol import AuthenticateRequest
from vaultsigner.domain.paths import may_mean
from vaultsigner.domain.refusals import Refusal

WRONG_SIGNATURE = "the signature does not verify"
_SCHEMES_OF_SIGNED_REQUESTS = ("hmac", "rsa", "ed25519")
_FAILED = authentication_failed("").code

FindClient = Callable[[str], Client | None]
"""The client with this API key."""


class Claim(Protocol):
    """One request's claim to be from a client."""

    @property
    def client(self) -> Client | None:
        """Whom it names, if there is one who signs in this way."""

    @property
    def nobody(self) -> str:
        """Why there is no such client."""

    @property
    def nonce(self) -> bytes:
        """As in `protocol.Proof`; for a claim with a client."""

    @property
    def expires_at_ms(self) -> int:
        """As in `protocol.Proof`; for a claim with a client."""

    @property
    def good_from_ms(self) -> int:
        """Before then it was not accepted by anybody: the time it was signed at, less how far ahead a clock may be."""

    def secret_misfit(self, secret: Secret, *, hint: bool = True) -> str | None:
        """Why the signature is not one with this shared secret; None where it is. Keeps nothing of the secret.

        Args:
            hint: whether to look for what the client may have signed instead.
        """

    def public_key_misfit(self, public_key: bytes) -> str | None:
        """Why the signature is not one of this public key; None where it is."""

    def other_fault(self, now_ms: int) -> str | None:
        """Why a request with a good signature is not good all the same: it was signed for something else, or another time."""


class NoClaim:
    """Nothing to verify, and no reason to be quicker than where there is something."""

    client: Client | None = None
    nonce = b""
    expires_at_ms = 0
    good_from_ms = 0

    def __init__(self, request: AuthenticateRequest, nobody: str) -> None:
        self.nobody = nobody
        self._payload = request.query + request.body

    def secret_misfit(self, secret: Secret, *, hint: bool = True) -> str | None:
        """See `Claim`."""
        return None if hmac_fits(secret, self._payload, b"") else WRONG_SIGNATURE

    def public_key_misfit(self, public_key: bytes) -> str | None:
        """See `Claim`."""
        return WRONG_SIGNATURE

    def other_fault(self, now_ms: int) -> str | None:
        """See `Claim`."""
        return self.nobody


@dataclass(frozen=True, slots=True)
class SignedRequestClaim:
    """A request signed as Binance's clients sign theirs."""

    request: AuthenticateRequest
    signed: SignedRequest
    client: Client | None
    nobody: str

    @property
    def nonce(self) -> bytes:
        """See `Claim`."""
        return self.signed.nonce(self.client.name if self.client else "")

    @property
    def expires_at_ms(self) -> int:
        """See `Claim`."""
        return self.signed.expires_at_ms

    @property
    def good_from_ms(self) -> int:
        """See `Claim`."""
        return self.signed.timestamp_ms - EXCHANGE_AHEAD_MS

    def secret_misfit(self, secret: Secret, *, hint: bool = True) -> str | None:
        """See `Claim`."""
        return self._misfit(partial(hmac_fits, secret), hint=hint)

    def public_key_misfit(self, public_key: bytes) -> str | None:
        """See `Claim`."""
        scheme = None if self.client is None else self.client.scheme
        return self._misfit(partial(rsa_fits if scheme == "rsa" else ed25519_fits, public_key), hint=True)

    def other_fault(self, now_ms: int) -> str | None:
        """See `Claim`. The signature does not cover the path, so a client may name the operation among what it does cover."""
        signed = self.signed
        operation = signed.value_of(b"operation")
        if operation is not None and operation != self.request.operation.encode():
            return f"signed for another operation than {self.request.operation}"
        if in_exchange_window(signed.timestamp_ms, signed.recv_window_ms, now_ms):
            return None
        return f"timestamp {_away(now_ms - signed.timestamp_ms)}, recvWindow {signed.recv_window_ms}"

    def _misfit(self, fits: Callable[[bytes, bytes], bool], *, hint: bool) -> str | None:
        signature, request = self.signed.signature, self.request
        if fits(self.signed.payload, signature):
            return None
        if not hint:
            return WRONG_SIGNATURE
        rule = payload_hint(request.query, request.body, lambda payload: fits(payload, signature))
        return WRONG_SIGNATURE if rule is None else f"{WRONG_SIGNATURE}; it fits what the rule {rule} signs"


@dataclass(frozen=True, slots=True)
class OpenApiClaim:
    """A request with an Open API token."""

    request: AuthenticateRequest
    token: OpenApiToken
    client: Client | None
    nobody: str

    @property
    def nonce(self) -> bytes:
        """See `Claim`."""
        return self.token.nonce(self.client.name if self.client else "")

    @property
    def expires_at_ms(self) -> int:
        """See `Claim`."""
        return self.token.expires_at_ms

    @property
    def good_from_ms(self) -> int:
        """See `Claim`."""
        return self.token.ts * 1000 - AHEAD_MS

    def secret_misfit(self, secret: Secret, *, hint: bool = True) -> str | None:
        """See `Claim`."""
        return None if open_api_token_fits(secret, self.token) else WRONG_SIGNATURE

    def public_key_misfit(self, public_key: bytes) -> str | None:
        """See `Claim`."""
        return WRONG_SIGNATURE

    def other_fault(self, now_ms: int) -> str | None:
        """See `Claim`. What the token covers is a path: the server's word on what that path means is not taken."""
        request = self.request
        if not self.token.covers(request.method, request.path, request.query, request.body):
            return "the token's digest is of another request"
        if not may_mean(request.operation, request.method, request.path):
            return f"the token's path is not one of {request.operation}"
        return None if self.token.is_timely(now_ms) else f"token {_away(now_ms - self.token.ts * 1000)}"


def read_claim(request: AuthenticateRequest, client_of: FindClient) -> Claim | Refusal:
    """Whom a request of the families `client` and `open_api` claims to be from; a refusal where its shape alone is wrong."""
    read = _read_token if request.family == "open_api" else _read_signed
    return read(request, client_of)


def _read_signed(request: AuthenticateRequest, client_of: FindClient) -> Claim | Refusal:
    signed = read_signed_request(request.query, request.body)
    if isinstance(signed, Refusal):
        return NoClaim(request, signed.reason or signed.message) if signed.code == _FAILED else signed
    client = client_of(request.credential)
    nobody = "unknown API key" if request.credential else "api key missing"
    if client is not None and client.scheme not in _SCHEMES_OF_SIGNED_REQUESTS:
        nobody = f"client {client.name}: sends Open API tokens, not signed requests"
        client = None
    return SignedRequestClaim(request, signed, client, nobody)


def _read_token(request: AuthenticateRequest, client_of: FindClient) -> Claim | Refusal:
    token = read_open_api_token(request.credential)
    if isinstance(token, str):
        return NoClaim(request, token)
    client, nobody = client_of(token.iss), "the token's issuer is no client"
    if client is not None and client.scheme != "open_api":
        nobody = f"client {client.name}: signs requests, and has no Open API tokens"
        client = None
    return OpenApiClaim(request, token, client, nobody)


def _away(age_ms: int) -> str:
    return f"{age_ms} ms old" if age_ms >= 0 else f"{-age_ms} ms ahead"
