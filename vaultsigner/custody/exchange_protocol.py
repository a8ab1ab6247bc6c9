"""The question for a request to an exchange, complete with its signature, and the answer. Pure; see `protocol`."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vaultsigner.custody.frames import json_bytes
from vaultsigner.domain.names import ExchangeName, JsonValue, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.exchange.encoding import SignedExchangeRequest
from vaultsigner.formats.exchange.requests import ExchangeRequest

FURTHEST_CLOCK_MS = 600_000
"""An exchange's clock that is further from ours than this is not believed: what is signed now shall not be good much later."""


@dataclass(frozen=True, slots=True)
class SignExchangeRequest:
    """Make this request one that the exchange takes: with its API key, the time there, and a signature.

    Args:
        principal: who asks, as the server found out.
        operation: what the request means, as `formats.exchange.meaning` has it; custody finds out for itself.
        exchange: its name in the configuration.
        clock_offset_ms: the exchange's clock less ours; at most ten minutes either way.
        ip: as in `AuthenticateRequest`.
        policy: as in `SignBeaconRequest`.
        access_token, ticket: what they asked with, one of them. A ticket is of a `Proof`, or the retry of an `ExchangeSignature`.
    """

    request_id: RequestId
    principal: Principal
    operation: Operation
    exchange: ExchangeName
    request: ExchangeRequest
    clock_offset_ms: int
    ip: str
    policy: str
    access_token: str | None = field(default=None, repr=False)
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
                "exchange": self.exchange,
                "request": _document(self.request),
                "clock_offset_ms": self.clock_offset_ms,
                "ip": self.ip,
                "policy": self.policy,
            }
        )


@dataclass(frozen=True, slots=True)
class ExchangeSignature:
    """A request as it has to be sent, byte for byte.

    Args:
        payload_sha256: hex; the digest of what was signed.
        timestamp_ms: the time that the request has, by the exchange's clock.
        vault_request_id: Vault's own id of the signature or of the read, to be found in Vault's audit log.
        retry_ticket: asks once more for the same, where the exchange said that this one's time is wrong, and the time is another
            by then; empty for users, whose access token is as good as ever, and for what is a retry itself.
    """

    signed: SignedExchangeRequest
    payload_sha256: str
    timestamp_ms: int
    vault_request_id: str
    retry_ticket: str = field(default="", repr=False)

    def document(self) -> dict[str, JsonValue]:
        """As it stands in the answer."""
        signed = self.signed
        return {
            "method": signed.method,
            "target": signed.target,
            "headers": [[name, value] for name, value in signed.headers],
            "body": b64encode(signed.body).decode("ascii"),
            "payload_sha256": self.payload_sha256,
            "timestamp_ms": self.timestamp_ms,
            "vault_request_id": self.vault_request_id,
            "retry_ticket": self.retry_ticket,
        }

    @classmethod
    def from_document(cls, answer: Mapping[str, Any]) -> "ExchangeSignature":
        """What `document` wrote."""
        headers = tuple((name, value) for name, value in answer["headers"])
        return cls(
            signed=SignedExchangeRequest(
                answer["method"], answer["target"], headers, b64decode(answer["body"])
            ),
            payload_sha256=answer["payload_sha256"],
            timestamp_ms=answer["timestamp_ms"],
            vault_request_id=answer["vault_request_id"],
            retry_ticket=answer["retry_ticket"],
        )


def _document(request: ExchangeRequest) -> dict[str, JsonValue]:
    return {
        "transport": request.transport,
        "method": request.method,
        "path": request.path,
        "parameters": [[name, value] for name, value in request.parameters],
        "json_body": b64encode(request.json_body).decode("ascii"),
        "recv_window_ms": request.recv_window_ms,
    }
