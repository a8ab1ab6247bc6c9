"""Binance's Open API for mini-programs: tokens for it, what it encrypts for an app, and both together for user data.

In the order of `service`. What users' data say stands on no record: their digests do.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import aiohttp

from vaultsigner.audit.entries import DispatchResult
from vaultsigner.audit.writing.interrupted import TO_BE_SENT
from vaultsigner.config.settings import OpenApiApp, RateLimit
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.open_api_protocol import OpenApiDecryptRequest, OpenApiToken, OpenApiTokenRequest
from vaultsigner.dispatch.exchange import ExchangeAnswer, ExchangeHost
from vaultsigner.dispatch.exchange_time import Clock
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.open_api.answers import EncryptedUserData, UserDataRefused, read_user_data_answer
from vaultsigner.formats.open_api.calls import TOKEN_HEADER, user_data_target
from vaultsigner.signing.calls import Answer
from vaultsigner.signing.deciding import Allowed, Deciding
from vaultsigner.signing.desk import Desk
from vaultsigner.signing.exchange_journal import Came, ExchangeJournal, Sent
from vaultsigner.signing.journal import Journal
from vaultsigner.signing.limits import rate_of
from vaultsigner.signing.open_api_admission import AppRequest, OpenApiAdmission, TokenRequest, UserDataRequest
from vaultsigner.signing.suspensions import StoppedError
from vaultsigner.signing.trail import Trail

DECRYPTIONS = RateLimit(60, 60)
"""Of one caller: each tells whether a ciphertext is well made, and of those who find that out there must not be many."""


class OpenApi:
    """The desk for the Open API."""

    def __init__(
        self,
        *,
        apps: Mapping[str, OpenApiApp],
        session: aiohttp.ClientSession,
        admission: OpenApiAdmission,
        desk: Desk,
        deciding: Deciding,
        custody: CustodyClient,
        journal: Journal,
        exchange_journal: ExchangeJournal,
        clock: Clock,
    ) -> None:
        self._hosts = {name: ExchangeHost(session, app, clock) for name, app in apps.items()}
        self._admission = admission
        self._desk = desk
        self._deciding = deciding
        self._custody = custody
        self._journal = journal
        self._pen = exchange_journal

    async def token(self, trail: Trail, name: str) -> Answer | Refusal:
        """A token for one call, which the caller makes."""
        request = await self._admission.token(trail, name)
        if isinstance(request, Refusal):
            return await self._desk.refuse(trail, request)
        allowed = await self._allowed(request)
        if not isinstance(allowed, Allowed):
            return allowed
        call, decision = request.wanted, allowed.decision
        token = await self._token(request, decision)
        position = await self._pen.signed(request, call.digest.hex(), token.vault_request_id)
        target = f"{call.path}?{call.query}" if call.query else call.path
        body: dict[str, JsonValue] = {
            "token": token.token,
            "header": TOKEN_HEADER,
            "headers": {TOKEN_HEADER: token.token},
            "url": f"{request.app.base_url}{target}",
        }
        return Answer(body, decision.rule, decision.policy, position)

    async def decrypt(self, trail: Trail, name: str) -> Answer | Refusal:
        """What a ciphertext says."""
        request = await self._admission.decryption(trail, name)
        if isinstance(request, Refusal):
            return await self._desk.refuse(trail, request)
        allowed = await self._allowed(request, DECRYPTIONS)
        if not isinstance(allowed, Allowed):
            return allowed
        ticket = None if request.caller.proof is None else request.caller.proof.ticket
        return await self._opened(request, allowed.decision, request.ciphertext, ticket)

    async def user_data(self, trail: Trail, name: str) -> Answer | Refusal:
        """The whole round: a token, the call, the decryption of what comes back."""
        request = await self._admission.user_data(trail, name)
        if isinstance(request, Refusal):
            return await self._desk.refuse(trail, request)
        allowed = await self._allowed(request, DECRYPTIONS)
        if not isinstance(allowed, Allowed):
            return allowed
        token = await self._token(request, allowed.decision)
        await self._pen.signed(request, request.wanted.digest.hex(), token.vault_request_id, TO_BE_SENT)
        found = await self._fetched(request, token)
        if isinstance(found, Refusal):
            return found
        ticket = token.ticket or None
        return await self._opened(request, allowed.decision, found.ciphertext, ticket)

    async def _allowed(
        self, request: AppRequest, rate: RateLimit | None = None
    ) -> Allowed | Answer | Refusal:
        """Whether it may be done; counted, and the intent on the record."""
        allowed = await self._deciding.decide(request)
        if not isinstance(allowed, Allowed):
            return allowed
        if rate is not None:
            more = rate_of(f"decryptions of {request.principal}", rate)
            allowed = replace(allowed, count=replace(allowed.count, rates=(*allowed.count.rates, more)))
        if (refused := await self._deciding.commit(request, allowed)) is not None:
            return refused
        await self._journal.decided(request, allowed.decision)
        return allowed

    async def _token(self, request: TokenRequest, decision: Decision) -> OpenApiToken:
        token = await self._custody.open_api_token(
            OpenApiTokenRequest(
                request_id=request.call.request_id,
                principal=request.principal,
                operation=request.operation,
                app=request.app.name,
                call=request.wanted,
                ip=str(request.call.ip),
                policy=decision.policy,
                access_token=request.caller.access_token,
                ticket=None if request.caller.proof is None else request.caller.proof.ticket,
            )
        )
        request.trail.key_used(token.vault_request_id)
        self._check_not_stopped(request)
        return token

    async def _opened(
        self, request: AppRequest, decision: Decision, ciphertext: str, ticket: str | None
    ) -> Answer | Refusal:
        found = await self._custody.open_api_decrypt(
            OpenApiDecryptRequest(
                request_id=request.call.request_id,
                principal=request.principal,
                operation=request.operation,
                app=request.app.name,
                ciphertext=ciphertext,
                ip=str(request.call.ip),
                policy=decision.policy,
                access_token=request.caller.access_token,
                ticket=ticket,
            )
        )
        if isinstance(found, Refusal):
            return await self._desk.fail(request.trail, found)
        request.trail.key_used(found.vault_request_id)
        self._check_not_stopped(request)
        digest = hashlib.sha256(ciphertext.encode("utf-8", "replace")).hexdigest()
        position = await self._pen.signed(
            request, None, found.vault_request_id, f"decrypted a text of sha256:{digest}"
        )
        return Answer({"plaintext": found.plaintext}, decision.rule, decision.policy, position)

    async def _fetched(self, request: UserDataRequest, token: OpenApiToken) -> EncryptedUserData | Refusal:
        """What the Open API sends; a refusal is on the record already."""
        host = self._hosts[request.app.name]
        target = user_data_target(request.app.app_id, request.open_data)
        headers = ((TOKEN_HEADER, token.token),)
        answer = await host.pass_through("GET", target, headers)
        sent = Sent(request.target, host.host, request.wanted.endpoint, request.wanted.digest.hex())
        if not isinstance(answer, ExchangeAnswer):
            refusal, came = _unavailable(answer.reason), Came("unknown", problem=answer.reason)
            await self._pen.came(request.trail, sent, came, answered=refusal.code)
            return refusal
        answer.body.close()
        body = answer.body.first if answer.body.complete else b""
        found = read_user_data_answer(body)
        result: DispatchResult = "accepted" if isinstance(found, EncryptedUserData) else "refused"
        verdict = _refusal_of(found, answer.status)
        came = Came(result, answer.status, answer.headers, None, body)
        await self._pen.came(request.trail, sent, came, answered=verdict.code if verdict else "ok")
        return found if isinstance(found, EncryptedUserData) else verdict or _unavailable("no usable answer")

    def _check_not_stopped(self, request: AppRequest) -> None:
        if (stopped := self._deciding.stopped(request)) is not None:
            raise StoppedError(stopped)


def _refusal_of(found: EncryptedUserData | UserDataRefused | None, status: int) -> Refusal | None:
    if isinstance(found, EncryptedUserData):
        return None
    if found is None:
        return _unavailable(f"status {status}, and a body that is no answer of the Open API")
    detail: dict[str, JsonValue] = {"code": found.code, "message": found.message}
    return Refusal(
        "open_api_refused",
        f"The Open API refuses: {found.code} {found.message}".rstrip(),
        detail=detail,
    )


def _unavailable(reason: str) -> Refusal:
    return Refusal(
        "open_api_unavailable",
        "The Open API gave no usable answer: try again with a new data token",
        reason=reason,
    )
