"""The typed questions and answers between server and custody, and how they stand in a frame's payload. Pure."""

from base64 import b64encode
from dataclasses import asdict, dataclass, field
from typing import Literal

from vaultsigner.custody.exchange_protocol import FURTHEST_CLOCK_MS, ExchangeSignature, SignExchangeRequest
from vaultsigner.custody.forwarded_requests import read_forwarded
from vaultsigner.custody.frames import json_bytes
from vaultsigner.custody.open_api_protocol import (
    OpenApiDecryptRequest,
    OpenApiPlaintext,
    OpenApiToken,
    OpenApiTokenRequest,
)
from vaultsigner.domain.names import (
    CertificateDigest,
    ClientName,
    JsonValue,
    Operation,
    RequestId,
    UserName,
    WalletName,
)
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.vault_reads import VaultRead

__all__ = [
    "FURTHEST_CLOCK_MS",
    "TEXT_ERRORS",
    "AuthenticateRequest",
    "BeaconSignature",
    "CustodyHealth",
    "ExchangeSignature",
    "Family",
    "LogInAnswer",
    "LogInRefused",
    "OpenApiDecryptRequest",
    "OpenApiPlaintext",
    "OpenApiToken",
    "OpenApiTokenRequest",
    "Proof",
    "ProofRefused",
    "PublicKeyAnswer",
    "SignBeaconRequest",
    "SignExchangeRequest",
    "VaultState",
    "certificate_of_log_in",
    "log_in_with_certificate",
    "read_forwarded",
    "subject_of_user",
]

Family = Literal["client", "open_api", "partner"]
_DIGEST_BYTES = 32
TEXT_ERRORS = "surrogatepass"
"""Header texts and paths come from HTTP and may hold bytes that are no UTF-8: they cross exactly as they are."""


@dataclass(frozen=True, slots=True)
class AuthenticateRequest:
    """Find out who signed this HTTP request.

    Args:
        family: `client` for requests signed with an API key, `open_api` for Open API tokens, `partner` for the partner endpoints.
        credential: the API key, the token, or the `signature` header.
        operation: what the route means.
        path: as sent.
        query: the raw bytes after the first question mark.
        body: the raw bytes.
        ip: where it came from, as the server saw it. Custody has nothing but the server's word for that.
        client_certificate: what was shown to a proxy, on the same word alone.
    """

    request_id: RequestId
    family: Family
    credential: str = field(repr=False)
    operation: Operation
    method: str
    path: str
    query: bytes = field(repr=False)
    body: bytes = field(repr=False)
    ip: str
    client_certificate: CertificateDigest | None = None

    def payload(self) -> bytes:
        """The payload of the question; what may be any bytes at all stands in it as base64."""
        return json_bytes(
            {
                "request_id": self.request_id,
                "family": self.family,
                "credential": _base64(self.credential.encode("utf-8", TEXT_ERRORS)),
                "operation": self.operation,
                "method": self.method,
                "path": _base64(self.path.encode("utf-8", TEXT_ERRORS)),
                "query": _base64(self.query),
                "body": _base64(self.body),
                "ip": self.ip,
                **({"client_certificate": self.client_certificate} if self.client_certificate else {}),
            }
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """Custody has verified a request's own signature.

    Args:
        ticket: what custody will know this request by when it is to be signed for, once and soon; empty where the request asks
            for nothing that is signed.
        client: who; None for the partner, of whom there is one.
        scheme: how: hmac, rsa, ed25519 or open_api; `rsa` for the partner.
        nonce: 32 bytes, the same for two spellings of one signature.
        expires_at_ms: until when the same signature could be shown again.
        vault_reads: keys that were read for it, or asked for ahead.
    """

    ticket: str = field(repr=False)
    client: ClientName | None
    scheme: str
    nonce: bytes
    expires_at_ms: int
    vault_reads: tuple[VaultRead, ...] = ()

    def document(self) -> dict[str, JsonValue]:
        """As it stands in the answer."""
        return {**asdict(self), "nonce": self.nonce.hex()}


@dataclass(frozen=True, slots=True)
class ProofRefused:
    """Custody has not verified a request's signature.

    Args:
        vault_reads: as in `Proof`.
    """

    refusal: Refusal
    vault_reads: tuple[VaultRead, ...] = ()


@dataclass(frozen=True, slots=True)
class SignBeaconRequest:
    """Sign this typed message with the key of this wallet.

    Args:
        principal: who asks, as the server found out.
        access_token, ticket: what they asked with, one of them: custody finds out for itself. A ticket is of a `Proof`.
        operation: `<message kind>.<sign|broadcast>`.
        message_document: as `formats.bnb_beacon.messages.message_to_document` writes it.
        ip: as in `AuthenticateRequest`.
        policy: the digest of the policy set that the server decided under; custody decides under the same or not at all.
    """

    request_id: RequestId
    principal: Principal
    access_token: str | None = field(repr=False)
    operation: Operation
    wallet: WalletName
    message_document: dict[str, JsonValue]
    memo: str
    account_number: int
    sequence: int
    ip: str
    policy: str
    source: int = 0
    ticket: str | None = field(default=None, repr=False)

    def payload(self) -> bytes:
        """The payload of the question."""
        principal: dict[str, JsonValue] = {"kind": self.principal.kind, "name": self.principal.name}
        return json_bytes(
            {
                "request_id": self.request_id,
                "principal": principal,
                "access_token": self.access_token,
                "ticket": self.ticket,
                "operation": self.operation,
                "wallet": self.wallet,
                "message": self.message_document,
                "memo": self.memo,
                "account_number": self.account_number,
                "sequence": self.sequence,
                "source": self.source,
                "ip": self.ip,
                "policy": self.policy,
            }
        )


@dataclass(frozen=True, slots=True)
class PublicKeyAnswer:
    """A wallet's compressed public key (33 bytes) and its address.

    Args:
        vault_request_id: as in `BeaconSignature`.
    """

    public_key: bytes
    address: str
    vault_request_id: str = ""

    def document(self) -> dict[str, JsonValue]:
        """As it stands in the answer."""
        return {**asdict(self), "public_key": self.public_key.hex()}


@dataclass(frozen=True, slots=True)
class BeaconSignature:
    """A signature (64 bytes, r and s), the key that made it, and what was signed.

    Args:
        sign_bytes_sha256: hex; the digest of the document that custody built itself.
        vault_request_id: Vault's own id of the read, to be found in Vault's audit log.
    """

    signature: bytes
    public_key: bytes
    sign_bytes_sha256: str
    vault_request_id: str

    def document(self) -> dict[str, JsonValue]:
        """As it stands in the answer."""
        return {**asdict(self), "signature": self.signature.hex(), "public_key": self.public_key.hex()}


@dataclass(frozen=True, slots=True)
class LogInAnswer:
    """A password was right; this is the access token that was issued for it.

    Args:
        bucket: as in `LogInRefused`.
        vault_request_id: Vault's own id of Transit's signature, to be found in Vault's audit log.
    """

    username: UserName
    access_token: str = field(repr=False)
    bucket: str
    vault_request_id: str

    @property
    def subject(self) -> str:
        """As in `LogInRefused`."""
        return subject_of_user(self.username)


@dataclass(frozen=True, slots=True)
class LogInRefused:
    """A log-in was refused.

    Args:
        subject: `user:<name>` where the name that was typed is one of the configuration.
        bucket: `stranger:` and two hex digits of a hash of that name, for it may be a password; None where no password was
            looked at. Limits that showed only for names with a subject would tell which names have one.
    """

    refusal: Refusal
    subject: str | None
    bucket: str | None


VaultState = Literal["ok", "sealed", "denied", "unavailable"]


LEFT_WRAPPED = "its unwrapping is left to `vaultsigner serve`"
"""In the problem with Vault of a custody process that was told to use up nothing, and found all well as far as that goes."""
ID_FILE_MISSING = "there is no secret id in"
"""In the problem with Vault of an AppRole; of a wrapped one it is all well beside a service that has unwrapped what was there."""


@dataclass(frozen=True, slots=True)
class CustodyHealth:
    """How custody is.

    Args:
        vault: whether Vault can be used now.
        vault_problem: what is wrong with it, and what to do; None where nothing is.
        token_ttl_seconds: how long custody's Vault token lives; None where it does not end or is not known yet.
        policy: the digest of the policy set that custody applies.
        vault_reads: secrets read since custody started.
    """

    vault: VaultState
    vault_problem: str | None
    token_ttl_seconds: int | None
    policy: str
    vault_reads: int


def subject_of_user(name: str) -> str:
    """Whose attempt the log-in of a configured user counts as."""
    return f"user:{name}"


def log_in_with_certificate(certificate: CertificateDigest, body: bytearray) -> bytearray:
    """The payload of a log-in by somebody who has shown a certificate; whoever has it wipes it."""
    return bytearray().join((body, bytes.fromhex(certificate.removeprefix("sha256:"))))


def certificate_of_log_in(payload: bytearray) -> CertificateDigest:
    """Which certificate that was; what is left of the payload is the log-in's body."""
    digest = CertificateDigest(f"sha256:{payload[-_DIGEST_BYTES:].hex()}")
    del payload[-_DIGEST_BYTES:]
    return digest


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
