"""Requests to exchanges: signed and forwarded, signed for somebody else to send, or handed on as they are.

In the order of `service`: authenticate → decode into an intent → evaluate policy → commit nonce and limits → record the intent →
custody signs → check what it signed → record the outcome → release, or send and record what came back. What an exchange may
have done already is never asked for a second time.
"""

import json
from dataclasses import dataclass, replace

from vaultsigner.audit.writing.interrupted import TO_BE_SENT
from vaultsigner.authentication.signed_requests import carries_signature
from vaultsigner.config.settings import Exchange
from vaultsigner.custody.exchange_protocol import FURTHEST_CLOCK_MS, ExchangeSignature
from vaultsigner.dispatch.exchange import ExchangeAnswer, ExchangeHost, NotSent, Unknown
from vaultsigner.dispatch.exchange_verdicts import code_in, may_retry_for_time, verdict_of
from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import JsonValue, Operation
from vaultsigner.domain.principals import BY_API_KEY
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.targets import Target
from vaultsigner.errors import AuditError, ExchangeError
from vaultsigner.formats.exchange.encoding import SignedExchangeRequest, without_signature
from vaultsigner.formats.exchange.intent import exchange_intent
from vaultsigner.formats.exchange.meaning import is_time, security_of, time_path
from vaultsigner.formats.exchange.reuse import uses_of_another_kind
from vaultsigner.signing.calls import Answer, Streamed
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.deciding import Allowed, Deciding
from vaultsigner.signing.desk import Desk
from vaultsigner.signing.exchange_admission import BY_KEY, ExchangeAdmission, ExchangeCall
from vaultsigner.signing.exchange_answers import RecordedBody, not_sent, unknown, unrecorded
from vaultsigner.signing.exchange_hosts import ExchangeHosts
from vaultsigner.signing.exchange_journal import BodyDigest, Came, ExchangeJournal, Sent
from vaultsigner.signing.exchange_signature import ExchangeSigner
from vaultsigner.signing.exchange_troubles import ExchangeTroubles
from vaultsigner.signing.failures import refusal_for
from vaultsigner.signing.journal import Journal
from vaultsigner.signing.other_uses import uses_of_signature
from vaultsigner.signing.public_calls import PublicCalls
from vaultsigner.signing.strangers import Strangers
from vaultsigner.signing.suspensions import StoppedError, SuspensionWatch
from vaultsigner.signing.trail import Trail

SIGNED_IN_PUBLIC = Refusal(
    "malformed_parameters",
    "This endpoint is public: send it without a signature, which is between you and vaultsigner",
)
PUBLIC = Operation("exchange.public")
"""What needs no policy: anybody may ask the exchange for it."""
USUAL_TIME = "/api/v3/time"
"""For products that are not known: all of one exchange's clocks are about right."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A request as it is about to leave; its record is on disk.

    Args:
        signature: None where the exchange wants none.
    """

    http: SignedExchangeRequest
    position: AuditPosition
    signature: ExchangeSignature | None = None


class Exchanges:
    """The desk for exchanges."""

    def __init__(
        self,
        *,
        admission: ExchangeAdmission,
        hosts: ExchangeHosts,
        desk: Desk,
        deciding: Deciding,
        signer: ExchangeSigner,
        strangers: Strangers,
        watch: SuspensionWatch,
        journal: Journal,
        exchange_journal: ExchangeJournal,
        clock: Clock,
    ) -> None:
        self._admission = admission
        self._hosts = hosts
        self._desk = desk
        self._deciding = deciding
        self._signer = signer
        self._strangers = strangers
        self._watch = watch
        self._journal = journal
        self._pen = exchange_journal
        self._clock = clock
        self._troubles = ExchangeTroubles()
        self._public_calls = PublicCalls(clock.monotonic)

    async def forward(self, trail: Trail, name: str, path: str) -> Streamed | Answer | Refusal:
        """Ask the exchange, and hand back what it says."""
        exchange = self._admission.exchange(trail, name)
        if isinstance(exchange, Refusal):
            return await self._desk.refuse(trail, exchange)
        security = security_of(trail.call.method, path)
        if security == "public" or security in BY_KEY:
            refused = (
                self._watch.refuse_target(str(trail.target))
                or self._public_calls.held(exchange.name)
                or await self._strangers.unproved_call(trail.call.ip)
            )
            if refused is not None:
                return await self._desk.refuse(trail, refused)
        if security == "public":
            return await self._hand_on(trail, exchange, path)
        request = await self._admission.forwarded(trail, exchange, path)
        if isinstance(request, Refusal):
            return await self._desk.refuse(trail, request)
        other_kinds = uses_of_another_kind(request.wanted) if request.signed else ()
        also = tuple(exchange_intent(other, exchange.name) for other in other_kinds)
        allowed = await self._allowed(request, also)
        if not isinstance(allowed, Allowed):
            return allowed
        ready = await self._ready(request, allowed.decision, found=TO_BE_SENT)
        return await self._send(request, allowed.decision, ready)

    async def sign(self, trail: Trail, name: str) -> Answer | Refusal:
        """The complete signed request, for the caller to send."""
        exchange = self._admission.exchange(trail, name)
        if isinstance(exchange, Refusal):
            return await self._desk.refuse(trail, exchange)
        request = await self._admission.to_be_signed(trail, exchange)
        if isinstance(request, Refusal):
            return await self._desk.refuse(trail, request)
        shared = self._admission.with_the_same_key(request)
        if isinstance(shared, Refusal):
            return await self._desk.refuse(trail, shared)
        also = uses_of_signature(request.wanted, exchange.name, shared)
        allowed = await self._allowed(request, also)
        if not isinstance(allowed, Allowed):
            return allowed
        decision = allowed.decision
        ready = await self._ready(request, decision)
        return Answer(_shown(exchange, ready.http), decision.rule, decision.policy, ready.position)

    async def _allowed(
        self, request: ExchangeCall, also: tuple[Intent, ...] = ()
    ) -> Allowed | Answer | Refusal:
        """Whether it may be done, and what else could be with the signature; counted, and the intent on the record."""
        allowed = await self._deciding.decide(request, also)
        if not isinstance(allowed, Allowed):
            return allowed
        if (refused := await self._deciding.commit(request, allowed)) is not None:
            return refused
        await self._journal.decided(request, allowed.decision)
        return allowed

    async def _ready(
        self,
        request: ExchangeCall,
        decision: Decision,
        retry_of: ExchangeSignature | None = None,
        *,
        found: str | None = None,
    ) -> Ready:
        """What is to be sent, signed unless the exchange wants no signature.

        Raises:
            CustodyError, AuditError, StoppedError: there is none to be had, or it may not leave.
        """
        if not request.signed:
            http = without_signature(request.wanted, api_key=request.exchange.api_key)
            return Ready(http, await self._pen.signed(request, None, None, found))
        offset_ms = await self._offset_ms(request, fresh=retry_of is not None)
        signature = await self._signer.sign(request, decision, offset_ms, retry_of)
        if (stopped := self._deciding.stopped(request)) is not None:
            raise StoppedError(stopped)
        position = await self._pen.signed(
            request, signature.payload_sha256, signature.vault_request_id, found
        )
        return Ready(signature.signed, position, signature)

    async def _offset_ms(self, request: ExchangeCall, *, fresh: bool) -> int:
        """How far the exchange's clock is ahead of ours; none where it does not tell."""
        host = self._hosts.of(request.exchange)
        where = time_path(request.wanted.path) or USUAL_TIME
        told = await host.clock_offset_ms(where, fresh=fresh)
        if told is not None and abs(told) > FURTHEST_CLOCK_MS and not fresh:
            told = await host.clock_offset_ms(where, fresh=True)  # it may have been mended since
        if told is not None and abs(told) > FURTHEST_CLOCK_MS:
            raise ExchangeError(
                f"the clock of {host.host} is {told / 1000:.0f} s away from ours: see which of the two is wrong"
            )
        return told or 0

    async def _send(
        self, request: ExchangeCall, decision: Decision, ready: Ready, *, again: bool = False
    ) -> Streamed | Refusal:
        changes = request.meaning.changes
        proved = request.principal.scheme != BY_API_KEY
        host = self._hosts.of(request.exchange) if proved else self._hosts.for_strangers(request.exchange)
        sent = _sent(request, host, ready)
        answer = await host.send(ready.http, changes=changes)
        if not isinstance(answer, ExchangeAnswer):
            return await self._unanswered(request.trail, sent, answer, changes=changes)
        came = _came(answer, changes=changes)
        self._troubles.after(request.exchange.name, came)
        try:
            position = await self._pen.came(request.trail, sent, came, answered=answer.status)
        except AuditError as error:
            answer.body.close()
            return unrecorded(error, changes=changes)
        if ready.signature is not None and not again and may_retry_for_time(answer.status, came.code):
            return await self._send_anew(request, decision, ready.signature, answer)
        streamed = self._streamed(request.trail, sent, came, answer)
        return replace(streamed, rule=decision.rule, policy=decision.policy, audit=position)

    async def _send_anew(
        self, request: ExchangeCall, decision: Decision, refused: ExchangeSignature, answer: ExchangeAnswer
    ) -> Streamed | Refusal:
        """The exchange did nothing, for it took the time to be wrong: once more, with the time as it tells it now."""
        answer.body.close()
        ready = await self._ready(request, decision, refused, found=TO_BE_SENT)
        return await self._send(request, decision, ready, again=True)

    async def _hand_on(self, trail: Trail, exchange: Exchange, path: str) -> Streamed | Answer | Refusal:
        """What everybody may ask. The time is ours: it is what the caller's own signatures are judged by."""
        call = trail.call
        trail.operation = PUBLIC
        if carries_signature(call.query, call.body):
            return await self._desk.refuse(trail, SIGNED_IN_PUBLIC)
        if is_time(call.method, path):
            position = await self._journal.answered(trail)
            return Answer({"serverTime": self._clock.milliseconds()}, audit=position)
        host = self._hosts.for_strangers(exchange)
        target = f"{path}?{query}" if (query := call.query.decode("utf-8", "surrogateescape")) else path
        answer = await host.pass_through(call.method, target)
        sent = Sent(Target("exchange", exchange.name), host.host, f"{call.method} {path}")
        if not isinstance(answer, ExchangeAnswer):
            return await self._unanswered(trail, sent, answer, changes=False)
        came = _came(answer, changes=False)
        self._public_calls.after(exchange.name, answer.status, answer.headers)
        try:
            position = await self._pen.came(trail, sent, came, answered=answer.status)
        except AuditError as error:
            answer.body.close()
            return unrecorded(error, changes=False)
        return replace(self._streamed(trail, sent, came, answer), audit=position)

    async def _unanswered(
        self, trail: Trail, sent: Sent, answer: NotSent | Unknown, *, changes: bool
    ) -> Refusal:
        if isinstance(answer, NotSent):
            refusal, came = not_sent(answer.reason), Came("not_sent", problem=answer.reason)
        else:
            refusal = unknown(answer.reason, changes=changes)
            came = Came("unknown", status=answer.status, problem=answer.reason)
        try:
            await self._pen.came(trail, sent, came, answered=refusal.code)
        except AuditError as error:
            return refusal_for(error) if isinstance(answer, NotSent) else unrecorded(error, changes=changes)
        return refusal

    def _streamed(self, trail: Trail, sent: Sent, came: Came, answer: ExchangeAnswer) -> Streamed:
        known = came.result != "unknown"
        if came.body is not None:
            return Streamed(answer.status, answer.headers, answer.body, came.body, outcome_known=known)

        async def ended(digest: BodyDigest, problem: str | None) -> None:
            await self._pen.ended(trail, sent, replace(came, problem=problem), digest)

        return Streamed(answer.status, answer.headers, RecordedBody(answer.body, ended), outcome_known=known)


def _sent(request: ExchangeCall, host: ExchangeHost, ready: Ready) -> Sent:
    wanted, signature = request.wanted, ready.signature
    digest = None if signature is None else signature.payload_sha256
    return Sent(request.target, host.host, f"{wanted.method} {wanted.path}", digest)


def _came(answer: ExchangeAnswer, *, changes: bool) -> Came:
    body = answer.body.first if answer.body.complete else None
    code = None if body is None else code_in(body)
    verdict = verdict_of(answer.status, code, changes=changes, complete=answer.body.complete)
    return Came(verdict, answer.status, answer.headers, code, body)


def _shown(exchange: Exchange, http: SignedExchangeRequest) -> JsonValue:
    """As the caller has to send it: a message of the WebSocket API, or a request."""
    if not http.method:
        return {"message": json.loads(http.body)}
    headers: dict[str, JsonValue] = dict(http.headers)
    return {
        "method": http.method,
        "url": f"{exchange.base_url}{http.target}",
        "headers": headers,
        "body": http.body.decode("utf-8"),
    }
