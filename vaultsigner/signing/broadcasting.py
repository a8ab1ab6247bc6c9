"""A broadcast, from the sequence number it takes to what the node said, without ever using one number for two transactions."""

import hashlib
import json
from dataclasses import dataclass

from vaultsigner.audit.entries import DispatchResult
from vaultsigner.custody.protocol import PublicKeyAnswer
from vaultsigner.dispatch.beacon_node import Accepted, BroadcastResult, NoAnswer, Rejected
from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import AuditError, NodeError, StateError
from vaultsigner.formats.bnb_beacon.transaction import transaction_hash
from vaultsigner.signing.accounts import Accounts, held_by_another, in_flight
from vaultsigner.signing.admission import WalletRequest
from vaultsigner.signing.calls import Answer
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.counting import Counting
from vaultsigner.signing.journal import Dispatched, Journal
from vaultsigner.signing.ledger import performed_by
from vaultsigner.signing.signature import Signer
from vaultsigner.signing.suspensions import StoppedError, SuspensionWatch
from vaultsigner.state import AccountKey, Count, HeldByOther, NotCounted, Reserved, State

LEASE_MS = 30_000
"""How long a number counts as in use by a request that has not come back; custody and node answer within ten seconds each."""


def fingerprint(request: WalletRequest) -> str:
    """The same for two requests that would give the same bytes at the same number."""
    text = json.dumps([request.message_document, request.memo], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A signed transaction that state holds durably, on its way to the node."""

    request: WalletRequest
    key: AccountKey
    transaction: bytes
    transaction_hash: str
    sequence: int
    repeated: bool

    @property
    def owner(self) -> str:
        """Who holds the number: this one request, so that nobody who comes later is mistaken for it."""
        return self.request.call.request_id


class Broadcaster:
    """Reserves, signs, stores, sends, settles: in this order, each step durable before the next."""

    def __init__(
        self,
        *,
        state: State,
        accounts: Accounts,
        counting: Counting,
        watch: SuspensionWatch,
        signer: Signer,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._state = state
        self._counting = counting
        self._watch = watch
        self._accounts = accounts
        self._signer = signer
        self._journal = journal
        self._clock = clock

    async def broadcast(
        self, request: WalletRequest, decision: Decision, count: Count, public_key: PublicKeyAnswer
    ) -> Answer | Refusal:
        """Sign and send one allowed request.

        Args:
            count: what it uses up, together with the number.

        Raises:
            VaultsignerError: a part failed before anything was sent; the number is free again.
        """
        key = self._accounts.key(request.wallet, public_key.address)
        async with self._accounts.turns.turn(key) as mine:
            reserved = await self._reserve(request, decision, count, key) if mine else in_flight(key)
            if isinstance(reserved, Refusal):
                await self._journal.denied(request, decision, reserved)
                return reserved
            outgoing = await self._prepare(request, decision, public_key, key, reserved)
            return await self._send(outgoing, decision)

    async def _reserve(
        self, request: WalletRequest, decision: Decision, count: Count, key: AccountKey
    ) -> Reserved | Refusal:
        """Count the request and take the account's next number for it alone, durably and in one transaction."""
        account = await self._accounts.current(request.wallet, key)
        if isinstance(account, Refusal):
            return account
        stopped = self._watch.refuse(request.principal, request.intent.target)
        if stopped is not None:
            return stopped
        now_ms = self._clock.milliseconds()
        request.trail.counted = True
        reserved = await self._state.reserve(
            key,
            fingerprint(request),
            request.call.request_id,
            now_ms=now_ms,
            lease_ms=LEASE_MS,
            count=count,
        )
        if isinstance(reserved, NotCounted):
            return await self._counting.refusal(request.trail, reserved, decision)
        if isinstance(reserved, HeldByOther):
            return in_flight(key) if reserved.held.in_flight(now_ms) else held_by_another(reserved.held)
        return reserved

    async def _prepare(
        self,
        request: WalletRequest,
        decision: Decision,
        public_key: PublicKeyAnswer,
        key: AccountKey,
        reserved: Reserved,
    ) -> Outgoing:
        """Have the bytes: those that are held already, or newly signed ones. Until they are stored, the number can be freed."""
        try:
            await self._journal.decided(request, decision)
            transaction = reserved.transaction or await self._signed(request, decision, public_key, reserved)
            name = transaction_hash(transaction)
            now_ms = self._clock.milliseconds()
            mine = await self._state.mark_sent(
                key,
                request.call.request_id,
                reserved.sequence,
                transaction,
                name,
                now_ms=now_ms,
                lease_ms=LEASE_MS,
                performed=performed_by(request.intent, key.address),
            )
        except BaseException:
            # Nothing left this process, whatever went wrong (a cancelled request included).
            await self._state.release(key, request.call.request_id, reserved.sequence)
            raise
        if not mine:
            raise StateError("the sequence number was given to another request meanwhile; nothing was sent")
        return Outgoing(request, key, transaction, name, reserved.sequence, reserved.transaction is not None)

    async def _signed(
        self, request: WalletRequest, decision: Decision, public_key: PublicKeyAnswer, reserved: Reserved
    ) -> bytes:
        signed = await self._signer.sign(
            request, decision, public_key, reserved.account_number, reserved.sequence
        )
        stopped = self._watch.refuse(request.principal, request.intent.target)
        if stopped is not None:
            raise StoppedError(stopped)
        await self._journal.signed(request, signed)
        return signed.transaction

    async def _send(self, outgoing: Outgoing, decision: Decision) -> Answer | Refusal:
        result = await self._deliver(outgoing)
        try:
            refusal = await self._settle(outgoing, result)
        except StateError as error:
            # The number stays held: its bytes are stored, and its lease runs out.
            refusal = _unknown(outgoing, str(error))
        try:
            position = await self._record(outgoing, result, refusal)
        except AuditError as error:
            return Refusal(
                error.code,
                f"transaction {outgoing.transaction_hash} was sent; what the node said cannot be recorded just now",
                reason=str(error),
            )
        if refusal is None and isinstance(result, Accepted):
            return Answer(result.answer, decision.rule, decision.policy, position)
        return refusal or _unknown(outgoing, "no answer")

    async def _record(
        self, outgoing: Outgoing, result: BroadcastResult, refusal: Refusal | None
    ) -> AuditPosition:
        dispatched = Dispatched(
            node=self._accounts.node(outgoing.request.wallet).host,
            result=_result_word(outgoing, result),
            transaction_hash=outgoing.transaction_hash,
            sequence=outgoing.sequence,
            said=None if isinstance(result, Accepted) else result.reason,
            status=result.status,
        )
        code = "ok" if refusal is None else refusal.code
        return await self._journal.dispatched(outgoing.request, dispatched, code)

    async def _deliver(self, outgoing: Outgoing) -> BroadcastResult:
        """Send the bytes. Bytes that went out before may be on the chain already, which would refuse them as used."""
        node = self._accounts.node(outgoing.request.wallet)
        if outgoing.repeated and await self._arrived(outgoing):
            return _already_there(outgoing)
        result = await node.broadcast(outgoing.transaction, sync=outgoing.request.call.sync)
        if not outgoing.repeated or isinstance(result, Accepted):
            return result
        # A no may be meant for the second copy because the first one is about to stand in a block.
        try:
            await self._accounts.catch_up(
                outgoing.request.wallet, outgoing.key, outgoing.sequence + 1, unsure=True
            )
        except NodeError as error:
            return NoAnswer(str(error), sent=True)
        return _already_there(outgoing) if await self._arrived(outgoing) else result

    async def _arrived(self, outgoing: Outgoing) -> bool:
        try:
            return await self._accounts.node(outgoing.request.wallet).knows_transaction(
                outgoing.transaction_hash
            )
        except NodeError:
            return False

    async def _settle(self, outgoing: Outgoing, result: BroadcastResult) -> Refusal | None:
        """Bring the sequence in line with what the node said. None means: the transaction was taken."""
        key, sequence = outgoing.key, outgoing.sequence
        if isinstance(result, Accepted):
            self._accounts.accepted(key)
            # Without `sync` a node takes anything, and looks at it later: what it does is done once it stands in a block.
            done = True if outgoing.request.call.sync or result == _already_there(outgoing) else None
            await self._state.settle(key, outgoing.owner, sequence, sequence + 1, done=done)
            return None
        if isinstance(result, Rejected):
            return await self._settle_refusal(outgoing, result)
        if not result.sent and not outgoing.repeated:
            await self._state.settle(key, outgoing.owner, sequence, sequence, done=False)
            return Refusal(
                "node_unavailable", f"the node cannot be reached ({result.reason}); nothing was sent"
            )
        await self._state.mark_unknown(key, outgoing.owner, sequence)
        return _unknown(outgoing, result.reason)

    async def _settle_refusal(self, outgoing: Outgoing, result: Rejected) -> Refusal:
        """A refused transaction used no number, so the node's own is taken where it can be had.

        A no to a second copy says nothing of the first one, which may still arrive: its number stays held until the chain has
        moved past it, or an operator asks for a resync.
        """
        next_sequence = await self._next_after_refusal(outgoing)
        if outgoing.repeated and next_sequence <= outgoing.sequence:
            await self._state.mark_unknown(outgoing.key, outgoing.owner, outgoing.sequence)
            return _unknown(outgoing, f"the node refused it when it was sent again: {result.reason}")
        await self._state.settle(outgoing.key, outgoing.owner, outgoing.sequence, next_sequence, done=False)
        return Refusal(
            "node_refused", f"the node refused the transaction: {result.reason}", reason=result.reason
        )

    async def _next_after_refusal(self, outgoing: Outgoing) -> int:
        try:
            seen = await self._accounts.catch_up(outgoing.request.wallet, outgoing.key, outgoing.sequence)
        except NodeError:
            return outgoing.sequence
        return outgoing.sequence if seen is None else seen.sequence


def _already_there(outgoing: Outgoing) -> Accepted:
    said: JsonValue = [
        {"code": 0, "hash": outgoing.transaction_hash, "log": "already on the chain", "ok": True}
    ]
    return Accepted(said, None)


def _unknown(outgoing: Outgoing, reason: str) -> Refusal:
    return Refusal(
        "outcome_unknown",
        f"transaction {outgoing.transaction_hash} was sent, but whether the node took it is not known ({reason}). "
        f"Sequence {outgoing.sequence} stays held: send the same request again, or POST /api/wallet/resync to settle it",
        reason=reason,
    )


def _result_word(outgoing: Outgoing, result: BroadcastResult) -> DispatchResult:
    if isinstance(result, Accepted):
        return "accepted"
    if isinstance(result, Rejected):
        return "refused"
    return "unknown" if result.sent or outgoing.repeated else "not_sent"
