"""Who signed an HTTP request: found out here, because the secrets that clients share with us never leave custody.

Whatever depends on a key, a signature or the time fails with one answer and after the same work: where no shared secret was
used on the way there, another client's is read and used in the same way. Time is looked at last.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from vaultsigner.authentication.client_certificates import certificate_misfit
from vaultsigner.authentication.partner_requests import (
    INVALID_SIGNATURE,
    INVALID_TIMESTAMP,
    read_partner_request,
)
from vaultsigner.authentication.request_signatures import rsa_fits
from vaultsigner.authentication.signed_requests import authentication_failed
from vaultsigner.authentication.windows import in_partner_window
from vaultsigner.config.settings import Client, KvReference, Settings
from vaultsigner.custody.asked_for import Asked, read_asked
from vaultsigner.custody.circumstances import circumstances_of
from vaultsigner.custody.claims import Claim, read_claim
from vaultsigner.custody.policy_sets import PolicySets
from vaultsigner.custody.protocol import AuthenticateRequest, Proof, ProofRefused
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.shared_secret import shared_secret
from vaultsigner.custody.tickets import Ticket, Tickets
from vaultsigner.custody.used_signatures import UsedSignatures
from vaultsigner.custody.vault.reader import ReadAhead, VaultReader
from vaultsigner.domain.names import ApiKey, ClientName
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.vault_reads import VaultRead
from vaultsigner.errors import CustodyError

NOT_AHEAD_SECONDS = 1.0
"""After a failure in a client's name no key is asked for ahead in that name for so long: API keys are no secret."""

_FAULTS_OF_ONE_SECRET = ("key_missing", "key_malformed")
_NOBODYS_SECRET = secrets.token_bytes(32)
_log = structlog.get_logger()


class RequestProofs:
    """Verifies requests, and hands out tickets for those that ask for a signature.

    Args:
        tickets, used: shared with whoever signs.
        clock_ms: milliseconds since 1970, for the windows.
        monotonic: seconds.
    """

    def __init__(
        self,
        settings: Settings,
        policies: PolicySets,
        reader: VaultReader,
        tickets: Tickets,
        used: UsedSignatures,
        *,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._policies = policies
        self._reader = reader
        self._tickets = tickets
        self._used = used
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._by_api_key = {client.api_key: client for client in settings.clients.values()}
        self._decoy = next((client.secret for client in settings.clients.values() if client.secret), None)
        self._ahead_again_at: dict[ClientName, float] = {}

    async def authenticate(self, request: AuthenticateRequest) -> Proof | ProofRefused:
        """Who signed this request.

        Raises:
            CustodyError: it cannot be found out now.
        """
        reads: list[VaultRead] = []
        verdict = await self._verdict(request, reads)
        if isinstance(verdict, Refusal):
            return ProofRefused(verdict, tuple(reads))
        return replace(verdict, vault_reads=tuple(reads))

    async def _verdict(self, request: AuthenticateRequest, reads: list[VaultRead]) -> Proof | Refusal:
        if request.family == "partner":
            return self._partner(request)
        claim = read_claim(request, lambda api_key: self._by_api_key.get(ApiKey(api_key)))
        if isinstance(claim, Refusal):
            return claim
        if claim.client is None or claim.client.secret is None:
            return await self._by_public_key(request, claim, reads)
        return await self._by_secret(request, claim, claim.client, claim.client.secret, reads)

    async def check_client(self, name: ClientName) -> None:
        """Return once it is sure that this client's requests could be verified. A public key was read with the configuration.

        Raises:
            CustodyError: its secret cannot be had, or is none.
        """
        client = self._settings.clients.get(name)
        if client is None:
            raise CustodyError("bad_question", "custody's configuration has no client of that name")
        if client.secret is not None:
            await self._reader.with_secret(client.secret, _use_nothing)

    async def _by_secret(
        self,
        request: AuthenticateRequest,
        claim: Claim,
        client: Client,
        secret: KvReference,
        reads: list[VaultRead],
    ) -> Proof | Refusal:
        """Both secrets are asked for at once; the key to be used stays unread in the connection meanwhile."""
        misfit = self._reader.begin(secret, partial(_misfit, claim, reads))
        asked = read_asked(self._settings, request)
        ahead = self._read_ahead(request, claim, client, asked, reads)
        fault: str | None = "not verified"
        try:
            fault = await self._fault_of_own(claim, client, misfit) or self._other_fault(
                request, claim, client
            )
        finally:
            if fault is not None and ahead is not None:
                ahead.drop()
                self._ahead_again_at[client.name] = self._monotonic() + NOT_AHEAD_SECONDS
        return self._proof(request, claim, client, asked, ahead) if fault is None else _failed(client, fault)

    async def _fault_of_own(
        self, claim: Claim, client: Client, misfit: "asyncio.Future[str | None]"
    ) -> str | None:
        """A client whose secret is none fails as an unknown one does; only the log and the record know what there is to mend."""
        try:
            return await misfit
        except CustodyError as error:
            if error.code not in _FAULTS_OF_ONE_SECRET:
                raise
            _log.warning("client_secret_unusable", client=client.name, code=error.code, reason=str(error))
            claim.secret_misfit(_NOBODYS_SECRET)
            return str(error)

    def _other_fault(self, request: AuthenticateRequest, claim: Claim, client: Client) -> str | None:
        """A missing certificate is looked at last, so that it fails as late as everything else does."""
        return claim.other_fault(self._clock_ms()) or certificate_misfit(client, request.client_certificate)

    async def _by_public_key(
        self, request: AuthenticateRequest, claim: Claim, reads: list[VaultRead]
    ) -> Proof | Refusal:
        client = claim.client
        if client is None:
            await self._same_work(request, claim, reads, hint=True)
            return authentication_failed(claim.nobody)
        fault = claim.public_key_misfit(client.public_key or b"") or self._other_fault(request, claim, client)
        if fault is not None:
            await self._same_work(request, claim, reads, hint=False)
            return _failed(client, fault)
        asked = read_asked(self._settings, request)
        ahead = self._read_ahead(request, claim, client, asked, reads)
        return self._proof(request, claim, client, asked, ahead)

    def _partner(self, request: AuthenticateRequest) -> Proof | Refusal:
        partner = self._settings.partner
        if partner is None:
            raise CustodyError("bad_question", "custody's configuration has no partner")
        signed = read_partner_request(request.query, request.body)
        if isinstance(signed, Refusal):
            return signed
        signature = request.credential.encode("utf-8", "replace")
        if not rsa_fits(partner.public_key, signed.payload, signature):
            return Refusal(
                INVALID_SIGNATURE, "invalid signature", reason="partner: the signature does not verify"
            )
        now_ms = self._clock_ms()
        if not in_partner_window(signed.timestamp_ms, signed.recv_window_ms, now_ms):
            reason = f"partner: timestamp {now_ms - signed.timestamp_ms} ms old, recvWindow {signed.recv_window_ms}"
            return Refusal(INVALID_TIMESTAMP, "timestamp is outside of the window", reason=reason)
        return Proof("", None, "rsa", signed.nonce(), signed.expires_at_ms)

    async def _same_work(
        self, request: AuthenticateRequest, claim: Claim, reads: list[VaultRead], *, hint: bool
    ) -> None:
        """What `_by_secret` would do, for nothing: Vault in trouble shows here too; a fault of that other secret does not.

        Args:
            hint: whether the client's own key was not asked already what it was that the client signed.
        """
        if self._decoy is None:
            return
        misfit = self._reader.begin(self._decoy, partial(_misfit, claim, reads, hint=hint))
        read_asked(self._settings, request)
        try:
            await misfit
        except CustodyError as error:
            if error.code not in _FAULTS_OF_ONE_SECRET:
                raise
            claim.secret_misfit(_NOBODYS_SECRET, hint=hint)

    def _read_ahead(
        self,
        request: AuthenticateRequest,
        claim: Claim,
        client: Client,
        asked: Asked | None,
        reads: list[VaultRead],
    ) -> ReadAhead | None:
        """Ask for the key now, where it will be needed unless something goes wrong."""
        if asked is None or asked.key is None or claim.nonce in self._used:
            return None
        if certificate_misfit(client, request.client_certificate) is not None:
            return None
        if self._monotonic() < self._ahead_again_at.get(client.name, float("-inf")):
            return None
        try:
            principal = Principal("client", client.name, client.scheme)
            circumstances = circumstances_of(request.ip, self._clock_ms())
            asked.check_allowed(self._policies.current, client, principal, circumstances)
        except CustodyError:
            return None
        ahead = self._reader.read_ahead(asked.key)
        if ahead is not None:
            reads.append(VaultRead("ahead", asked.key.audited_path, None))
        return ahead

    def _proof(
        self,
        request: AuthenticateRequest,
        claim: Claim,
        client: Client,
        asked: Asked | None,
        ahead: ReadAhead | None,
    ) -> Proof:
        ticket = ""
        if asked is not None:
            ticket = self._tickets.issue(
                Ticket(
                    client,
                    asked.digest,
                    claim.nonce,
                    claim.expires_at_ms,
                    claim.good_from_ms,
                    request.ip,
                    ahead,
                )
            )
        return Proof(ticket, client.name, client.scheme, claim.nonce, claim.expires_at_ms)


def _misfit(claim: Claim, reads: list[VaultRead], secret: SecretView, *, hint: bool = True) -> str | None:
    reads.append(VaultRead("secret", secret.reference.audited_path, secret.vault_request_id))
    return claim.secret_misfit(secret.derive(shared_secret).text, hint=hint)


def _use_nothing(secret: SecretView) -> None:
    secret.derive(shared_secret)


def _failed(client: Client, why: str) -> Refusal:
    return authentication_failed(f"client {client.name}: {why}")
