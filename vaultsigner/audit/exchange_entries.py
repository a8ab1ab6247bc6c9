"""What a record says of a request that went to an exchange. See `entries`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from vaultsigner.audit.entries import DispatchResult
from vaultsigner.audit.members import (
    bounded,
    bounded_or_none,
    certificate_members,
    principal_member,
    target_members,
)
from vaultsigner.domain.names import JsonValue, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeDispatch:
    """What an exchange said, or that it said nothing.

    A body that is long goes to the caller while it comes; a second record tells how it ended.

    Args:
        principal: None: nobody, for what everybody may ask.
        host: the exchange's.
        endpoint: method and path at the exchange.
        payload_sha256: hex digest of what was signed; None where nothing was.
        status: the HTTP status of the exchange's answer.
        exchange_code: the exchange's own number for an error.
        limits: the headers that tell how much of a limit is used, and when to come again.
        body_bytes, body_sha256: of the answer's body; None where it had not ended by then.
        problem: why there is no whole answer.
        answered: the HTTP status that our own caller is answered with.
        policy: digest of the policies that were in force when the request came.
    """

    kind: ClassVar[str] = "dispatch"
    request_id: RequestId
    principal: Principal | None
    ip: str
    client_certificate: str | None = None
    operation: Operation
    target: Target
    host: str
    endpoint: str
    result: DispatchResult
    payload_sha256: str | None = None
    status: int | None = None
    exchange_code: int | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    body_bytes: int | None = None
    body_sha256: str | None = None
    problem: str | None = None
    answered: int
    policy: str

    def members(self) -> dict[str, JsonValue]:
        """See `Entry`."""
        return {
            "kind": self.kind,
            "request_id": self.request_id,
            "principal": principal_member(self.principal),
            "ip": self.ip,
            **certificate_members(self.client_certificate),
            "operation": self.operation,
            **target_members(self.target),
            "host": bounded(self.host),
            "endpoint": bounded(self.endpoint),
            "result": self.result,
            "payload_sha256": self.payload_sha256,
            "status": self.status,
            "exchange_code": self.exchange_code,
            "limits": {bounded(name): bounded(value) for name, value in self.limits.items()},
            "body_bytes": self.body_bytes,
            "body_sha256": self.body_sha256,
            "problem": bounded_or_none(self.problem),
            "answered": self.answered,
            "policy": self.policy,
        }
