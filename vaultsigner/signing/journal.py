"""Turns what the pipeline does into records. Every method returns only once the record is on disk.

Raises:
    AuditError: the record could not be made durable; nothing may be answered then.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vaultsigner.audit.entries import (
    Control,
    Dispatch,
    DispatchResult,
    IntentDecided,
    Outcome,
    RequestRefused,
)
from vaultsigner.audit.recorder import Recorder
from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.requests import Request
from vaultsigner.signing.signature import Signed
from vaultsigner.signing.trail import Trail

StatusOf = Callable[[str, str], int]
"""The HTTP status that a refusal code is answered with, for an operation; `ok` for good answers. The HTTP layer provides it."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A transaction that went out, and what came back. `said` are the node's words, `status` its HTTP status."""

    node: str
    result: DispatchResult
    transaction_hash: str
    sequence: int
    said: str | None
    status: int | None


class Journal:
    """The pipeline's pen."""

    def __init__(self, recorder: Recorder, status_of: StatusOf) -> None:
        self._recorder = recorder
        self._status_of = status_of

    async def refused(self, trail: Trail, refusal: Refusal) -> None:
        """A request that was refused before it meant anything."""
        await self._recorder.record(
            RequestRefused(
                request_id=trail.call.request_id,
                ip=str(trail.call.ip),
                client_certificate=trail.call.client_certificate,
                method=trail.call.method,
                principal=trail.principal,
                operation=trail.operation,
                target=trail.target,
                status=self._status_of(refusal.code, trail.operation),
                code=refusal.code,
                reason=refusal.reason or refusal.message,
                body_sha256=trail.body_sha256,
                unknown_members=trail.unknown_members,
                vault_request_id=trail.vault_request_id,
                vault_reads=trail.vault_reads,
                policy=trail.policies.digest,
            )
        )

    async def decided(self, request: Request, decision: Decision) -> AuditPosition:
        """What a request means and what policy says to it."""
        return await self._recorder.record(self._intent(request, decision))

    async def denied(self, request: Request, decision: Decision, refusal: Refusal) -> None:
        """A no to a request that is understood: the intent, what policy says to it, and the answer, in one go to the disk."""
        await asyncio.gather(
            self._recorder.record(self._intent(request, decision)),
            self._recorder.record(self._outcome(request.trail, refusal.code, refusal.reason)),
        )

    async def failed(self, trail: Trail, refusal: Refusal) -> None:
        """The answer to a request that was allowed but could not be served."""
        await self._recorder.record(self._outcome(trail, refusal.code, refusal.reason or refusal.message))

    async def answered(self, trail: Trail, found: str | None = None, *, code: str = "ok") -> AuditPosition:
        """A good answer that carries no signature; `found` is what a reader of the record should know of it."""
        return await self._recorder.record(self._outcome(trail, code, found))

    async def changing(self, trail: Trail, event: str, details: Mapping[str, JsonValue]) -> None:
        """What somebody is about to change for everybody; what came of it is the outcome of the same request."""
        by = None if trail.principal is None else str(trail.principal)
        known: dict[str, JsonValue] = {
            "by": by,
            "request_id": trail.call.request_id,
            "ip": str(trail.call.ip),
        }
        await self._recorder.record(Control(event, {**details, **known}, trail.policies.digest))

    async def signed(self, request: Request, signed: Signed) -> AuditPosition:
        """A signature, about to be released or broadcast."""
        return await self._recorder.record(
            Outcome(
                request_id=request.call.request_id,
                principal=request.principal,
                ip=str(request.call.ip),
                client_certificate=request.call.client_certificate,
                operation=request.operation,
                target=request.target,
                status=self._status_of("ok", request.operation),
                code="ok",
                reason=None,
                policy=request.trail.policies.digest,
                signed_sha256=signed.sign_bytes_sha256,
                transaction_hash=signed.transaction_hash,
                sequence=signed.sequence,
                vault_request_id=signed.vault_request_id,
                vault_reads=request.trail.vault_reads,
            )
        )

    async def dispatched(self, request: Request, dispatched: Dispatched, code: str) -> AuditPosition:
        """What a node said of a transaction, and the code that the caller is answered with."""
        return await self._recorder.record(
            Dispatch(
                request_id=request.call.request_id,
                principal=request.principal,
                ip=str(request.call.ip),
                client_certificate=request.call.client_certificate,
                operation=request.operation,
                target=request.target,
                node=dispatched.node,
                result=dispatched.result,
                transaction_hash=dispatched.transaction_hash,
                sequence=dispatched.sequence,
                status=dispatched.status,
                answer=dispatched.said,
                answered=self._status_of(code, request.operation),
                policy=request.trail.policies.digest,
            )
        )

    def _intent(self, request: Request, decision: Decision) -> IntentDecided:
        return IntentDecided(
            request_id=request.call.request_id,
            principal=request.principal,
            ip=str(request.call.ip),
            client_certificate=request.call.client_certificate,
            operation=request.operation,
            target=request.target,
            intent=request.intent.described(),
            decision=decision,
            body_sha256=request.trail.body_sha256,
            unknown_members=request.trail.unknown_members,
        )

    def _outcome(self, trail: Trail, code: str, reason: str | None) -> Outcome:
        return Outcome(
            request_id=trail.call.request_id,
            principal=trail.principal,
            ip=str(trail.call.ip),
            client_certificate=trail.call.client_certificate,
            operation=trail.operation,
            target=trail.target,
            status=self._status_of(code, trail.operation),
            code=code,
            reason=reason,
            vault_request_id=trail.vault_request_id,
            vault_reads=trail.vault_reads,
            policy=trail.policies.digest,
        )
