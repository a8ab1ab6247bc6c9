"""What happens to a request, in order, on one page:

authenticate → decode into an intent → evaluate policy → commit nonce, limits and sequence → record the intent →
custody signs → verify the new signature with the public key → record the outcome → release (and dispatch, if asked;
then record what came back).
"""

from vaultsigner.domain.permissions import Permission
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.accounts import Accounts, held_by_another, in_flight
from vaultsigner.signing.admission import Admission, WalletRequest, refuse_without_permission
from vaultsigner.signing.approvals import Approvals
from vaultsigner.signing.auditing import Auditing
from vaultsigner.signing.authenticator import Authenticator
from vaultsigner.signing.broadcasting import Broadcaster, fingerprint
from vaultsigner.signing.calls import Answer, Call, Streamed
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.counting import Counting
from vaultsigner.signing.deciding import Allowed, Deciding
from vaultsigner.signing.desk import Desk
from vaultsigner.signing.exchanges import Exchanges
from vaultsigner.signing.explaining import Explaining
from vaultsigner.signing.figures import Figures
from vaultsigner.signing.full_limits import FullLimits
from vaultsigner.signing.journal import Journal
from vaultsigner.signing.log_ins import LogIns
from vaultsigner.signing.open_api import OpenApi
from vaultsigner.signing.partner import PartnerTasks
from vaultsigner.signing.readiness import Readiness, ReadinessCheck
from vaultsigner.signing.reviewing import Reviewing
from vaultsigner.signing.signature import Signer
from vaultsigner.signing.suspensions import StoppedError, Suspensions, SuspensionWatch
from vaultsigner.signing.trail import Trail
from vaultsigner.signing.wallets import WalletDirectory
from vaultsigner.state import Account, AccountKey
from vaultsigner.telemetry.metrics import Metric


class SigningService(Reviewing):
    """Every operation answers an `Answer` or a `Refusal`, each only after its record is on disk; nothing else comes out."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        admission: Admission,
        desk: Desk,
        deciding: Deciding,
        counting: Counting,
        wallets: WalletDirectory,
        accounts: Accounts,
        signer: Signer,
        broadcaster: Broadcaster,
        exchanges: Exchanges,
        open_api: OpenApi,
        journal: Journal,
        log_ins: LogIns,
        partner_tasks: PartnerTasks,
        watch: SuspensionWatch,
        suspensions: Suspensions,
        approvals: Approvals,
        explaining: Explaining,
        auditing: Auditing,
        full_limits: FullLimits,
        clock: Clock,
        readiness: ReadinessCheck,
        figures: Figures,
    ) -> None:
        super().__init__(
            authenticator=authenticator,
            desk=desk,
            counting=counting,
            journal=journal,
            watch=watch,
            suspensions=suspensions,
            approvals=approvals,
            explaining=explaining,
            auditing=auditing,
            full_limits=full_limits,
        )
        self._admission = admission
        self._deciding = deciding
        self._wallets = wallets
        self._accounts = accounts
        self._signer = signer
        self._broadcaster = broadcaster
        self._exchanges = exchanges
        self._open_api = open_api
        self._log_ins = log_ins
        self._partner_tasks = partner_tasks
        self._clock = clock
        self._readiness = readiness
        self._figures = figures

    async def sign(self, call: Call) -> Answer | Refusal:
        """Sign one message at the account's current sequence, which stays as it is."""
        return await self._desk.serve(call, self._sign)

    async def broadcast(self, call: Call) -> Answer | Refusal:
        """Sign one message at the account's next sequence number and send it to the node."""
        return await self._desk.serve(call, self._broadcast)

    async def resync(self, call: Call) -> Answer | Refusal:
        """Fetch the sequence from the node, and settle a transaction whose outcome is unknown."""
        return await self._desk.serve(call, self._resync)

    async def wallets(self, call: Call) -> Answer | Refusal:
        """Every wallet that shares a permission with the caller."""
        return await self._desk.serve(call, self._list_wallets)

    async def wallet(self, call: Call, name: str) -> Answer | Refusal:
        """One wallet."""
        return await self._desk.serve(call, lambda trail: self._show_wallet(trail, name))

    async def check(self, call: Call) -> Answer | Refusal:
        """Who asks: for those who try their signature."""
        return await self._desk.serve(call, self._check)

    async def log_in(self, call: Call, body: bytearray) -> Answer | Refusal:
        """Exchange a user name and a password for an access token. `body` goes to custody unread and is wiped."""
        return await self._desk.serve(call, lambda trail: self._log_in(trail, body))

    async def forward(self, call: Call, exchange: str, path: str) -> Streamed | Answer | Refusal:
        """Ask an exchange, in its own signed way, and hand back what it says."""
        return await self._desk.serve(call, lambda trail: self._exchanges.forward(trail, exchange, path))

    async def sign_for_exchange(self, call: Call, exchange: str) -> Answer | Refusal:
        """A request to an exchange, signed, for the caller to send."""
        return await self._desk.serve(call, lambda trail: self._exchanges.sign(trail, exchange))

    async def open_api_token(self, call: Call, app: str) -> Answer | Refusal:
        """A token for one call to the Open API."""
        return await self._desk.serve(call, lambda trail: self._open_api.token(trail, app))

    async def open_api_decrypt(self, call: Call, app: str) -> Answer | Refusal:
        """What a ciphertext from the Open API says."""
        return await self._desk.serve(call, lambda trail: self._open_api.decrypt(trail, app))

    async def open_api_user_data(self, call: Call, app: str) -> Answer | Refusal:
        """A user's data: asked of the Open API, and decrypted."""
        return await self._desk.serve(call, lambda trail: self._open_api.user_data(trail, app))

    async def partner_time(self, call: Call) -> Answer | Refusal:
        """The time, in milliseconds since 1970. Anybody may ask."""
        return await self._desk.serve(call, self._partner_time)

    async def task_completion(self, call: Call) -> Answer | Refusal:
        """Which tasks a wallet has completed; only the partner may ask."""
        return await self._desk.serve(call, self._task_completion)

    async def refused(self, call: Call, refusal: Refusal) -> Refusal:
        """Record a refusal that the HTTP layer made itself; answers it, or the failure to record it."""
        return await self._desk.refuse(self._desk.receive(call), refusal)

    async def ready(self) -> Readiness:
        """Whether a signature could be made now."""
        return await self._readiness.check()

    async def metrics(self) -> list[Metric]:
        """The numbers of this moment."""
        return await self._figures.metrics()

    async def _sign(self, trail: Trail) -> Answer | Refusal:
        request = await self._admission.request(trail)
        if isinstance(request, Refusal):
            return await self._desk.refuse(trail, request)
        allowed = await self._deciding.decide(request)
        if not isinstance(allowed, Allowed):
            return allowed
        public_key = await self._wallets.public_key(request.wallet, trail)
        key = self._accounts.key(request.wallet, public_key.address)
        account = await self._free_account(request, key)
        if isinstance(account, Refusal):
            return await self._desk.fail(trail, account)
        if (refused := await self._deciding.commit(request, allowed)) is not None:
            return refused
        decision = allowed.decision
        await self._journal.decided(request, decision)
        signed = await self._signer.sign(
            request, decision, public_key, account.account_number, account.sequence
        )
        if (stopped := self._deciding.stopped(request)) is not None:
            raise StoppedError(stopped)
        position = await self._journal.signed(request, signed)
        return Answer({"signed_msg": signed.transaction.hex()}, decision.rule, decision.policy, position)

    async def _free_account(self, request: WalletRequest, key: AccountKey) -> Account | Refusal:
        """The account as it is, unless something else is being done with it or waits at its number."""
        if not await self._accounts.turns.idle(key):
            return in_flight(key)
        account = await self._accounts.current(request.wallet, key)
        if not isinstance(account, Refusal) and account.held is not None:
            return (
                account if account.held.fingerprint == fingerprint(request) else held_by_another(account.held)
            )
        return account

    async def _broadcast(self, trail: Trail) -> Answer | Refusal:
        request = await self._admission.request(trail)
        if isinstance(request, Refusal):
            return await self._desk.refuse(trail, request)
        allowed = await self._deciding.decide(request)
        if not isinstance(allowed, Allowed):
            return allowed
        public_key = await self._wallets.public_key(request.wallet, trail)
        return await self._broadcaster.broadcast(request, allowed.decision, allowed.count, public_key)

    async def _resync(self, trail: Trail) -> Answer | Refusal:
        admitted = await self._admission.wallet(trail)
        if isinstance(admitted, Refusal):
            return await self._desk.refuse(trail, admitted)
        denied = (
            refuse_without_permission(admitted, Permission.RESYNC)
            or self._watch.refuse(admitted.caller.principal, f"wallet:{admitted.wallet.name}")
            or await self._counting.commit(trail, self._counting.of(admitted.caller))
        )
        if denied is not None:
            return await self._desk.refuse(trail, denied)
        public_key = await self._wallets.public_key(admitted.wallet, trail)
        key = self._accounts.key(admitted.wallet, public_key.address)
        async with self._accounts.turns.turn(key) as mine:
            found = (
                await self._accounts.resynchronise(admitted.wallet, key, self._clock.milliseconds())
                if mine
                else in_flight(key)
            )
        if isinstance(found, Refusal):
            return await self._desk.fail(trail, found)
        return Answer({}, audit=await self._journal.answered(trail, found))

    async def _list_wallets(self, trail: Trail) -> Answer | Refusal:
        caller = await self._counted_caller(trail)
        if isinstance(caller, Refusal):
            return caller
        visible = self._wallets.visible_to(caller)
        described = [await self._wallets.describe(wallet, caller, trail) for wallet in visible]
        return Answer(list(described), audit=await self._journal.answered(trail))

    async def _show_wallet(self, trail: Trail, name: str) -> Answer | Refusal:
        caller = await self._counted_caller(trail)
        if isinstance(caller, Refusal):
            return caller
        wallet = self._wallets.find(name, caller, trail)
        if isinstance(wallet, Refusal):
            return await self._desk.refuse(trail, wallet)
        described = await self._wallets.describe(wallet, caller, trail)
        return Answer(described, audit=await self._journal.answered(trail))

    async def _check(self, trail: Trail) -> Answer | Refusal:
        caller = await self._counted_caller(trail)
        if isinstance(caller, Refusal):
            return caller
        who = caller.principal
        position = await self._journal.answered(trail)
        return Answer(
            {"principal": {"type": who.kind, "name": who.name, "scheme": who.scheme}}, audit=position
        )

    async def _log_in(self, trail: Trail, body: bytearray) -> Answer | Refusal:
        answer = await self._log_ins.log_in(trail, body)
        if isinstance(answer, Refusal):
            return await self._desk.refuse(trail, answer)
        trail.principal = Principal("user", answer.username, "password")
        await self._watch.refresh()
        stopped = self._watch.refuse_caller(trail.principal)
        if stopped is not None:
            return await self._desk.refuse(trail, stopped)
        position = await self._journal.answered(trail)
        return Answer({"access_token": answer.access_token, "token_type": "bearer"}, audit=position)

    async def _partner_time(self, trail: Trail) -> Answer | Refusal:
        return Answer(self._clock.milliseconds(), audit=await self._journal.answered(trail))

    async def _task_completion(self, trail: Trail) -> Answer | Refusal:
        completed = await self._partner_tasks.completion(trail)
        if isinstance(completed, Refusal):
            return await self._desk.refuse(trail, completed)
        return Answer(completed.body, audit=await self._journal.answered(trail, completed.told))
