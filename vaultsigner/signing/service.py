"""What happens to a request, in order, on one page:

authenticate → decode into an intent → evaluate policy → commit nonce, limits and sequence → record the intent →
custody signs → verify the new signature with the public key → record the outcome → release (and dispatch, if asked;
then record what came back).
"""

from collections.abc import Awaitable, Callable

from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.permissions import Permission
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import AuditError, VaultsignerError
from vaultsigner.policy import PolicySet
from vaultsigner.signing.accounts import Accounts, held_by_another, in_flight
from vaultsigner.signing.admission import Admission, Request, refuse_without_permission
from vaultsigner.signing.broadcasting import Broadcaster, fingerprint
from vaultsigner.signing.calls import Answer, Call
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.failures import refusal_for
from vaultsigner.signing.journal import Journal
from vaultsigner.signing.readiness import Readiness, ReadinessCheck
from vaultsigner.signing.signature import Signer
from vaultsigner.signing.trail import Trail
from vaultsigner.signing.troubles import Troubles
from vaultsigner.signing.wallets import WalletDirectory

Step = Callable[[Trail], Awaitable[Answer | Refusal]]


class SigningService:
    """Every operation answers an `Answer` or a `Refusal`, each only after its record is on disk; nothing else comes out."""

    def __init__(
        self,
        *,
        admission: Admission,
        policies: PolicySet,
        wallets: WalletDirectory,
        accounts: Accounts,
        signer: Signer,
        broadcaster: Broadcaster,
        journal: Journal,
        custody: CustodyClient,
        clock: Clock,
        readiness: ReadinessCheck,
    ) -> None:
        self._admission = admission
        self._policies = policies
        self._wallets = wallets
        self._accounts = accounts
        self._signer = signer
        self._broadcaster = broadcaster
        self._journal = journal
        self._custody = custody
        self._clock = clock
        self._readiness = readiness
        self._troubles = Troubles()

    async def sign(self, call: Call) -> Answer | Refusal:
        """Sign one message at the account's current sequence, which stays as it is."""
        return await self._guarded(call, self._sign)

    async def broadcast(self, call: Call) -> Answer | Refusal:
        """Sign one message at the account's next sequence number and send it to the node."""
        return await self._guarded(call, self._broadcast)

    async def resync(self, call: Call) -> Answer | Refusal:
        """Fetch the sequence from the node, and settle a transaction whose outcome is unknown."""
        return await self._guarded(call, self._resync)

    async def wallets(self, call: Call) -> Answer | Refusal:
        """Every wallet that shares a permission with the caller."""
        return await self._guarded(call, self._list_wallets)

    async def wallet(self, call: Call, name: str) -> Answer | Refusal:
        """One wallet."""
        return await self._guarded(call, lambda trail: self._show_wallet(trail, name))

    async def log_in(self, call: Call, body: bytearray) -> Answer | Refusal:
        """Exchange a user name and a password for an access token. `body` goes to custody unread and is wiped."""
        return await self._guarded(call, lambda trail: self._log_in(trail, body))

    async def refused(self, call: Call, refusal: Refusal) -> Refusal:
        """Record a refusal that the HTTP layer made itself; answers it, or the failure to record it."""
        return await self._refuse(Trail(call), refusal)

    async def ready(self) -> Readiness:
        """Whether a signature could be made now."""
        return await self._readiness.check()

    async def _decide(self, trail: Trail) -> tuple[Request, Decision] | Refusal:
        """What is asked, once permissions and policy allow it; a refusal is on the record already."""
        request = await self._admission.request(trail)
        if isinstance(request, Refusal):
            return await self._refuse(trail, request)
        decision = self._policies.evaluate(request.principal, request.intent)
        return (request, decision) if decision.allowed else await self._deny(request, decision)

    async def _sign(self, trail: Trail) -> Answer | Refusal:
        decided = await self._decide(trail)
        if isinstance(decided, Refusal):
            return decided
        request, decision = decided
        public_key = await self._wallets.public_key(request.wallet)
        key = self._accounts.key(request.wallet, public_key.address)
        if not await self._accounts.turns.idle(key):
            return await self._fail(trail, in_flight(key))
        account = await self._accounts.current(request.wallet, key)
        if isinstance(account, Refusal):
            return await self._fail(trail, account)
        if account.held is not None and account.held.fingerprint != fingerprint(request):
            return await self._fail(trail, held_by_another(account.held))
        await self._journal.decided(request, decision)
        signed = await self._signer.sign(request, public_key, account.account_number, account.sequence)
        position = await self._journal.signed(request, signed)
        return Answer({"signed_msg": signed.transaction.hex()}, decision.rule, decision.policy, position)

    async def _broadcast(self, trail: Trail) -> Answer | Refusal:
        decided = await self._decide(trail)
        if isinstance(decided, Refusal):
            return decided
        request, decision = decided
        public_key = await self._wallets.public_key(request.wallet)
        return await self._broadcaster.broadcast(request, decision, public_key)

    async def _resync(self, trail: Trail) -> Answer | Refusal:
        admitted = await self._admission.wallet(trail)
        if isinstance(admitted, Refusal):
            return await self._refuse(trail, admitted)
        denied = refuse_without_permission(admitted, Permission.RESYNC)
        if denied is not None:
            return await self._refuse(trail, denied)
        public_key = await self._wallets.public_key(admitted.wallet)
        key = self._accounts.key(admitted.wallet, public_key.address)
        async with self._accounts.turns.turn(key) as mine:
            found = (
                await self._accounts.resynchronise(admitted.wallet, key, self._clock.milliseconds())
                if mine
                else in_flight(key)
            )
        if isinstance(found, Refusal):
            return await self._fail(trail, found)
        return Answer({}, audit=await self._journal.answered(trail, found))

    async def _list_wallets(self, trail: Trail) -> Answer | Refusal:
        user = await self._admission.user(trail)
        if isinstance(user, Refusal):
            return await self._refuse(trail, user)
        described = [await self._wallets.describe(wallet, user) for wallet in self._wallets.visible_to(user)]
        return Answer(list(described), audit=await self._journal.answered(trail))

    async def _show_wallet(self, trail: Trail, name: str) -> Answer | Refusal:
        user = await self._admission.user(trail)
        if isinstance(user, Refusal):
            return await self._refuse(trail, user)
        wallet = self._wallets.find(name, user, trail)
        if isinstance(wallet, Refusal):
            return await self._refuse(trail, wallet)
        described = await self._wallets.describe(wallet, user)
        return Answer(described, audit=await self._journal.answered(trail))

    async def _log_in(self, trail: Trail, body: bytearray) -> Answer | Refusal:
        answer = await self._custody.log_in(body)
        if isinstance(answer, Refusal):
            return await self._refuse(trail, answer)
        trail.principal = Principal("user", answer.username, "password")
        position = await self._journal.answered(trail)
        return Answer({"access_token": answer.access_token, "token_type": "bearer"}, audit=position)

    async def _guarded(self, call: Call, step: Step) -> Answer | Refusal:
        """What could not be done becomes a refusal with its record; an answer without a record never leaves."""
        trail = Trail(call)
        answer = await self._attempt(trail, step)
        self._troubles.after(trail, answer)
        return answer

    async def _attempt(self, trail: Trail, step: Step) -> Answer | Refusal:
        try:
            return await step(trail)
        except AuditError as error:
            return refusal_for(error)
        except VaultsignerError as error:
            return await self._fail(trail, refusal_for(error))

    async def _refuse(self, trail: Trail, refusal: Refusal) -> Refusal:
        try:
            await self._journal.refused(trail, refusal)
        except AuditError as error:
            return refusal_for(error)
        return refusal

    async def _deny(self, request: Request, decision: Decision) -> Refusal:
        refusal = Refusal(
            "policy_denied",
            f"Policy does not allow {request.call.operation} here: {decision.reason}",
            reason=decision.reason,
        )
        await self._journal.denied(request, decision, refusal)
        return refusal

    async def _fail(self, trail: Trail, refusal: Refusal) -> Refusal:
        try:
            await self._journal.failed(trail, refusal)
        except AuditError as error:
            return refusal_for(error)
        return refusal
