"""Records of what goes to exchanges and comes back. See `journal`."""

import hashlib
from dataclasses import dataclass

from vaultsigner.audit.entries import DispatchResult, Outcome
from vaultsigner.audit.exchange_entries import ExchangeDispatch
from vaultsigner.audit.recorder import Recorder
from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.domain.targets import Target
from vaultsigner.signing.journal import StatusOf
from vaultsigner.signing.requests import Request
from vaultsigner.signing.trail import Trail

_NO_LIMIT = "content-type"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that went to an exchange, or was about to.

    Args:
        endpoint: method and path there.
        payload_sha256: hex digest of what was signed; None where nothing was.
    """

    target: Target
    host: str
    endpoint: str
    payload_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """What came back.

    Args:
        status, headers, code: of the exchange's answer, where there is one.
        body: where it is known as a whole.
        problem: why there is no whole answer.
    """

    result: DispatchResult
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    code: int | None = None
    body: bytes | None = None
    problem: str | None = None


class BodyDigest:
    """Length and SHA-256 of a body that goes by."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        """The next piece of it."""
        self.size += len(piece)
        self._digest.update(piece)

    def hex(self) -> str:
        """Of all that came by so far."""
        return self._digest.hexdigest()


class ExchangeJournal:
    """The pen for exchanges.

    Raises:
        AuditError: everywhere; the record could not be made durable, so nothing may be answered.
    """

    def __init__(self, recorder: Recorder, status_of: StatusOf) -> None:
        self._recorder = recorder
        self._status_of = status_of

    async def signed(
        self,
        request: Request,
        payload_sha256: str | None,
        vault_request_id: str | None,
        found: str | None = None,
    ) -> AuditPosition:
        """A signed request, about to be released or sent; or one that needs no signature, about to be sent."""
        call = request.call
        return await self._recorder.record(
            Outcome(
                request_id=call.request_id,
                principal=request.principal,
                ip=str(call.ip),
                client_certificate=call.client_certificate,
                operation=request.operation,
                target=request.target,
                status=self._status_of("ok", request.operation),
                code="ok",
                reason=found,
                signed_sha256=payload_sha256,
                vault_request_id=vault_request_id,
                vault_reads=request.trail.vault_reads,
                policy=request.trail.policies.digest,
            )
        )

    async def came(self, trail: Trail, sent: Sent, came: Came, *, answered: int | str) -> AuditPosition:
        """What became of it at the exchange.

        Args:
            answered: the status that our caller gets, or the code of a refusal.
        """
        body = None if came.body is None else (len(came.body), hashlib.sha256(came.body).hexdigest())
        return await self._dispatched(trail, sent, came, answered, body)

    async def ended(self, trail: Trail, sent: Sent, came: Came, digest: BodyDigest) -> None:
        """How a body ended that was handed on while it came."""
        await self._dispatched(trail, sent, came, came.status or 0, (digest.size, digest.hex()))

    async def _dispatched(
        self, trail: Trail, sent: Sent, came: Came, answered: int | str, body: tuple[int, str] | None
    ) -> AuditPosition:
        status = self._status_of(answered, trail.operation) if isinstance(answered, str) else answered
        return await self._recorder.record(
            ExchangeDispatch(
                request_id=trail.call.request_id,
                principal=trail.principal,
                ip=str(trail.call.ip),
                client_certificate=trail.call.client_certificate,
                operation=trail.operation,
                target=sent.target,
                host=sent.host,
                endpoint=sent.endpoint,
                result=came.result,
                payload_sha256=sent.payload_sha256,
                status=came.status,
                exchange_code=came.code,
                limits={name: value for name, value in came.headers if name.lower() != _NO_LIMIT},
                body_bytes=None if body is None else body[0],
                body_sha256=None if body is None else body[1],
                problem=came.problem,
                answered=status,
                policy=trail.policies.digest,
            )
        )
