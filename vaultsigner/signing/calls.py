"""What the HTTP layer hands to the pipeline, and what it gets back."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.domain.names import JsonValue, Operation, RequestId

IpAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as received.

    Args:
        request_id: ours, echoed as X-Request-Id.
        ip: the caller's address after trusted proxies.
        operation: what the route means: `transfer.sign`, `wallet.resync`, `wallet.list`, `auth.login`.
        authorization: the Authorization header's value, None where there is none.
        body: the raw body; empty for GET.
        sync: the `sync` query parameter of broadcasts.
    """

    request_id: RequestId
    ip: IpAddress
    operation: Operation
    authorization: str | None
    body: bytes
    sync: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. `body` becomes JSON; the rest becomes the X-Vaultsigner-Decision header where a rule decided."""

    body: JsonValue
    rule: str | None = None
    policy: str | None = None
    audit: AuditPosition | None = None
