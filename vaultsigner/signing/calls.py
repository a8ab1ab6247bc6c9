"""What the HTTP layer hands to the pipeline, and what it gets back."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.domain.names import CertificateDigest, JsonValue, Operation, RequestId

IpAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Credentials:
    """The headers that a request came with to show who asks, as received; None where there is none of the name.

    Args:
        authorization: `Authorization`.
        api_key: `X-MBX-APIKEY`, of a signed request.
        open_api_token: `X-Mp-Open-Api-Token`.
        partner_signature: `signature`, of the partner family.
    """

    authorization: str | None = field(default=None, repr=False)
    api_key: str | None = None
    open_api_token: str | None = field(default=None, repr=False)
    partner_signature: str | None = field(default=None, repr=False)


NO_CREDENTIALS = Credentials()


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as received.

    Args:
        request_id: ours, echoed as X-Request-Id.
        ip: the caller's address after trusted proxies.
        operation: what the route means: `transfer.sign`, `wallet.resync`, `wallet.list`, `auth.login`.
        credentials: what shows who asks.
        method, path: as sent; the path is still percent-encoded.
        query: what follows the first question mark of the request target, byte for byte.
        body: the raw body.
        sync: the `sync` query parameter of broadcasts.
        approval: `X-Vaultsigner-Approval`, as received: the id of the approval that the request is to use.
        client_certificate: what the caller has shown to a trusted proxy; None where nothing was.
    """

    request_id: RequestId
    ip: IpAddress
    operation: Operation
    credentials: Credentials = NO_CREDENTIALS
    method: str = "GET"
    path: str = "/"
    query: bytes = b""
    body: bytes = b""
    sync: bool = True
    approval: str | None = None
    client_certificate: CertificateDigest | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. `body` becomes JSON; rule, policy and audit become the X-Vaultsigner-Decision header where a rule decided.

    `code` says how good: `ok`, or `approval_required` where nothing is done before others agree.
    """

    body: JsonValue
    rule: str | None = None
    policy: str | None = None
    audit: AuditPosition | None = None
    code: str = "ok"


class AnswerBody(Protocol):
    """A body that comes piece by piece, each read only when it is asked for."""

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Every piece, from the body's first byte. Whoever stops before the end closes what goes through them, too.

        Raises:
            ExchangeError, QueryError: while iterating; the body ends too early, came too slowly, or is too large.
        """

    def close(self) -> None:
        """No more of it is wanted. Does nothing where it was read to its end, or was closed before."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """An exchange's own answer, or a stream of records, already on the record; its body follows as it comes.

    Where the body ends too early the connection to the caller is cut, so that nobody takes half an answer for a whole one.

    Args:
        status: the exchange's.
        headers: those of the exchange's that matter.
        body: whoever has this answer in hand closes it, read or not.
        whole: the whole body where it is known already; None where `body` has to be read.
        outcome_known: whether the exchange surely did, or surely did not do, what it was asked.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: AnswerBody
    whole: bytes | None = None
    rule: str | None = None
    policy: str | None = None
    audit: AuditPosition | None = None
    outcome_known: bool = True
