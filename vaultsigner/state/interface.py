"""The one small interface behind which the engines stand."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from vaultsigner.group_commit import Load
from vaultsigner.state.accounts import Account, AccountKey, HeldByOther, Reserved, Resynchronised
from vaultsigner.state.approvals import Approval, KnownApproval, VoteRefused
from vaultsigner.state.checkpoints import NotedCheckpoint
from vaultsigner.state.counting import Count, NotCounted, Rate
from vaultsigner.state.performances import Pending, Performed
from vaultsigner.state.replicas import Replica
from vaultsigner.state.suspensions import Suspension, SuspensionKind, Suspensions

NOTHING = Count()
"""Counts nothing."""


class State(Protocol):
    """Durable facts about what was counted, allowed, stopped and done. Every method is one transaction, on disk when it returns.

    Time comes in as `now_ms` (milliseconds since 1970). Every method raises StateError when the database cannot be read or
    written; what was asked for may then have happened or not, which leases and owners are there to survive.
    """

    @property
    def load(self) -> Load:
        """How much it has to do, and how long that takes."""

    async def count(self, count: Count, *, now_ms: int) -> NotCounted | None:
        """Use nonces up, take one of each rate, use an approval, and use of each limit what is wanted: all of it, or nothing.

        Of several rates, the one that concerns fewer goes first in `Count`: a flood under it then takes no room in the other.
        What was used of a limit stays used, whatever becomes of the request. Time does not go back for limits: a clock that
        is behind the latest that was ever seen counts as that, so that nothing leaves a window early; and no clock counts that
        is ahead of a database's own by more than a second.

        Returns:
            None: all is counted. Otherwise why not: the first reason, in the order nonces, rates, approval, limits.
        """

    async def refund(self, rate: Rate, *, now_ms: int) -> None:
        """Give back one that was taken of a rate, at most to where it is unused."""

    async def forget_expired(self, *, now_ms: int) -> None:
        """Remove what has no meaning any more: nonces that expired CLOCK_SLACK_MS ago, rates that have long worn off, uses that
        left their window CLOCK_SLACK_MS ago, approvals that expired APPROVAL_KEPT_MS ago, and what is pending for longer than a
        chain takes. End approvals whose time is over: `approval`.

        Nonces that expire no later than those are refused from now on, however far the clock may go back: `clock`. A database
        with a clock of its own forgets nothing before that one says so too.
        """

    async def limit_usage(self, keys: Sequence[str], *, now_ms: int) -> Mapping[str, int]:
        """How many units are used of each limit, in the window that it had when it was last used; for people."""

    async def open_approval(self, approval: Approval, *, now_ms: int) -> KnownApproval:
        """Ask for an approval.

        Returns:
            It; or the one that the same requester has for the same digest, where that is open or granted and has time left.
        """

    async def approval(self, approval_id: str, *, now_ms: int) -> KnownApproval | None:
        """One approval, whatever has become of it; None if there is none, or it is long over.

        Here as wherever approvals are looked at, those that are open or granted and whose time is over end for good: no clock
        that steps back afterwards, here or on another replica, revives them.
        """

    async def list_approvals(self, *, now_ms: int) -> tuple[KnownApproval, ...]:
        """All that are open or granted and have time left; what expires first, first."""

    async def vote(
        self, approval_id: str, by: str, *, approve: bool, now_ms: int
    ) -> KnownApproval | VoteRefused:
        """Say yes or no, once; whether this person has a say is the caller's to know.

        As many yes as are needed grant it. One no ends it, also where it is granted and not used yet. The yes of somebody who
        is suspended at that moment does not count when it is used; until enough do, others may say yes to what is granted.
        """

    async def suspend(self, suspension: Suspension) -> bool:
        """Stop something. Returns False, and the first reason stays, where it is stopped already."""

    async def resume(self, kind: SuspensionKind, name: str) -> bool:
        """End a stop. Returns False where there was none."""

    async def suspensions(self) -> Suspensions:
        """All that is stopped, in the order in which it was."""

    async def suspension_version(self) -> int:
        """The version of `suspensions`, cheap enough to be asked often."""

    async def note_checkpoint(self, checkpoint: NotedCheckpoint) -> None:
        """Note how far a chain of the record has come; nothing where it is known to have come further."""

    async def noted_checkpoints(self) -> tuple[NotedCheckpoint, ...]:
        """How far each chain of the record is known to have come."""

    async def replicas(self) -> tuple[Replica, ...]:
        """The processes that share this state, and those that did lately; who was seen last, first. Of a file none are known."""

    async def performed(self, address: str) -> frozenset[tuple[str, str]]:
        """In which operations an address has had which role, in transactions that have come into a block."""

    async def pending(self, address: str, at_most: int) -> tuple[Pending, ...]:
        """Transactions in which an address has a part that it is not known to have had before; the newest first."""

    async def confirm(self, transaction: Pending) -> None:
        """It has come into a block: what it does counts as done."""

    async def account(self, key: AccountKey) -> Account | None:
        """What is known of an account; None before `remember_account`."""

    async def remember_account(self, key: AccountKey, account_number: int, sequence: int) -> Account:
        """Note an account that is new; one that is known stays as it is. Returns what is known now."""

    async def reserve(
        self,
        key: AccountKey,
        fingerprint: str,
        owner: str,
        *,
        now_ms: int,
        lease_ms: int,
        count: Count = NOTHING,
    ) -> Reserved | HeldByOther | NotCounted:
        """Take the account's next number for one broadcast, and count it, in one transaction.

        A number whose owner is gone (its lease is over) and that was never sent passes to the caller. One with stored bytes
        passes only to a request with the same fingerprint, to send those bytes again, once nobody else is sending them.

        Args:
            owner: unique for this attempt; every later call is refused to whoever is not the owner any more.
            count: see `count`. What is not counted takes no number. What is counted stays so when the number is not to be had.

        Raises:
            StateError: also when the account is not known.
        """

    async def mark_sent(
        self,
        key: AccountKey,
        owner: str,
        sequence: int,
        transaction: bytes,
        transaction_hash: str,
        *,
        now_ms: int,
        lease_ms: int,
        performed: Sequence[Performed] = (),
    ) -> bool:
        """Store the exact bytes, before they go out.

        Args:
            performed: what the transaction does; it counts as done once it is settled so.

        Returns:
            False: the number is not the caller's any more, or other bytes are on it: do not send.
        """

    async def mark_unknown(self, key: AccountKey, owner: str, sequence: int) -> bool:
        """Nobody knows what became of what was sent. Returns False where the number was not the caller's to say so."""

    async def release(self, key: AccountKey, owner: str, sequence: int) -> bool:
        """Give up a reservation. A number whose bytes are stored is not freed by this: its outcome counts as unknown.

        Returns:
            False where the number was not the caller's.
        """

    async def settle(
        self, key: AccountKey, owner: str, sequence: int, next_sequence: int, *, done: bool | None = False
    ) -> bool:
        """The node's answer is final: the number is not held any more, and the account goes on at `next_sequence`.

        Args:
            done: the node has checked the transaction and took it, so that what it does counts as done. None: it took it
                unseen; what it does is pending until `confirm`.

        Returns:
            False, and nothing changes, where the number was not the caller's or nothing had been marked sent.
        """

    async def resynchronise(
        self,
        key: AccountKey,
        account_number: int,
        sequence: int,
        *,
        settled: bool,
        now_ms: int,
        seen: Account | None,
        arrived: bool = False,
    ) -> Resynchronised:
        """Take over the node's view of an account.

        Args:
            settled: the caller has established, by asking the node, what became of the held transaction.
            arrived: the held transaction has come into a block, so that what it does counts as done.
            seen: what `account` returned before the node was asked. Anything that happened since makes the node's view
                worthless: without this, an answer from before a broadcast would bring its number back.
        """
