"""`State` over whichever engine runs the statements.

Each piece of work is a function of the session; all that wait share one transaction and one sync. What must be counted together
with a sequence number joins its operation, not another transaction.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self, TypeVar, cast

from vaultsigner.errors import StateError
from vaultsigner.group_commit import WAIT_SECONDS, GroupCommit, Load
from vaultsigner.state import (
    account_statements,
    approval_statements,
    checkpoint_statements,
    counting_statements,
    limit_statements,
    performance_statements,
    suspension_statements,
)
from vaultsigner.state.accounts import Account, AccountKey, HeldByOther, Reserved, Resynchronised
from vaultsigner.state.approvals import Approval, KnownApproval, VoteRefused
from vaultsigner.state.checkpoints import NotedCheckpoint
from vaultsigner.state.counting import Count, NotCounted, Rate
from vaultsigner.state.interface import NOTHING
from vaultsigner.state.performances import Pending, Performed
from vaultsigner.state.replicas import Replica
from vaultsigner.state.sessions import Counting, Operation, Session, Work
from vaultsigner.state.suspensions import Suspension, SuspensionKind, Suspensions

Result = TypeVar("Result")


class Engine(Protocol):
    """One connection to one database. Used by one thread at a time."""

    def open(self) -> None:
        """Connect, and bring the database to the newest schema.

        Raises:
            StateError: it cannot be opened, or is not one of ours.
        """

    def commit(self, batch: Sequence[Work]) -> Sequence[object]:
        """Run all in one transaction, and wait until it is on disk.

        Returns:
            For each piece of work its result or its StateError. After an error of the database itself all have one: their
            outcome is not known, and the next batch starts with a new connection.
        """

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""

    def bring_up_to_date(self) -> tuple[int, int]:
        """The part of `open` that makes tables; returns the schema before and after it.

        Raises:
            StateError: it cannot be opened, or is not one of ours.
        """

    def replicas(self, session: Session) -> tuple[Replica, ...]:
        """See `State.replicas`."""

    def tidy(self, session: Session) -> None:
        """Remove what has no meaning any more of the engine's own."""


class DatabaseState:
    """See `State`. For use from the event loop in which it was entered.

    Args:
        wait_seconds: how long a stalled database may keep a caller.
        visiting: see `open_state`.
    """

    def __init__(self, engine: Engine, *, wait_seconds: float = WAIT_SECONDS, visiting: bool = False) -> None:
        self._engine = engine
        self._visiting = visiting
        self._group = GroupCommit[Work, object](
            engine.commit, failure=StateError, name="state", wait_seconds=wait_seconds, step="state"
        )

    async def __aenter__(self) -> Self:
        """Open the database; make what is missing in it.

        Raises:
            StateError: it cannot be opened, is no database, or a newer vaultsigner made it.
        """
        await asyncio.to_thread(self._engine.open)
        self._group.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Do what waits, and close the database.

        Raises:
            StateError: the database hangs.
        """
        await self._group.close()
        self._engine.close()

    @property
    def load(self) -> Load:
        """See `State`."""
        return self._group.load

    async def count(self, count: Count, *, now_ms: int) -> NotCounted | None:
        """See `State`."""
        return cast(NotCounted | None, await self._group.submit(Counting(count, now_ms)))

    async def refund(self, rate: Rate, *, now_ms: int) -> None:
        """See `State`."""
        await self._write(lambda session: counting_statements.refund(session, rate, now_ms))

    async def forget_expired(self, *, now_ms: int) -> None:
        """See `State`."""
        while await self._write(lambda session: counting_statements.forget_expired(session, now_ms)):
            pass
        while await self._write(lambda session: performance_statements.forget_pending(session, now_ms)):
            pass
        await self._write(self._engine.tidy)

    async def limit_usage(self, keys: Sequence[str], *, now_ms: int) -> Mapping[str, int]:
        """See `State`."""
        return await self._read(lambda session: limit_statements.usage(session, keys, now_ms))

    async def open_approval(self, approval: Approval, *, now_ms: int) -> KnownApproval:
        """See `State`."""
        return await self._write(lambda session: approval_statements.open_approval(session, approval, now_ms))

    async def approval(self, approval_id: str, *, now_ms: int) -> KnownApproval | None:
        """See `State`."""
        return await self._write(lambda session: approval_statements.approval(session, approval_id, now_ms))

    async def list_approvals(self, *, now_ms: int) -> tuple[KnownApproval, ...]:
        """See `State`. A visitor ends none whose time is over: its clock may be another machine's."""
        if self._visiting:
            return await self._read(lambda session: approval_statements.in_force(session, now_ms))
        return await self._write(lambda session: approval_statements.list_approvals(session, now_ms))

    async def vote(
        self, approval_id: str, by: str, *, approve: bool, now_ms: int
    ) -> KnownApproval | VoteRefused:
        """See `State`."""
        return await self._write(
            lambda session: approval_statements.vote(session, approval_id, by, approve=approve, now_ms=now_ms)
        )

    async def suspend(self, suspension: Suspension) -> bool:
        """See `State`."""
        return await self._write(lambda session: suspension_statements.suspend(session, suspension))

    async def resume(self, kind: SuspensionKind, name: str) -> bool:
        """See `State`."""
        return await self._write(lambda session: suspension_statements.resume(session, kind, name))

    async def suspensions(self) -> Suspensions:
        """See `State`."""
        return await self._read(suspension_statements.suspensions)

    async def suspension_version(self) -> int:
        """See `State`."""
        return await self._read(suspension_statements.version)

    async def note_checkpoint(self, checkpoint: NotedCheckpoint) -> None:
        """See `State`."""
        await self._write(lambda session: checkpoint_statements.note(session, checkpoint))

    async def noted_checkpoints(self) -> tuple[NotedCheckpoint, ...]:
        """See `State`."""
        return await self._read(checkpoint_statements.noted)

    async def replicas(self) -> tuple[Replica, ...]:
        """See `State`."""
        return await self._read(self._engine.replicas)

    async def performed(self, address: str) -> frozenset[tuple[str, str]]:
        """See `State`."""
        return await self._read(lambda session: performance_statements.performed(session, address))

    async def pending(self, address: str, at_most: int) -> tuple[Pending, ...]:
        """See `State`."""
        return await self._read(lambda session: performance_statements.pending(session, address, at_most))

    async def confirm(self, transaction: Pending) -> None:
        """See `State`."""
        await self._write(lambda session: performance_statements.settle(session, transaction, done=True))

    async def account(self, key: AccountKey) -> Account | None:
        """See `State`."""
        return await self._read(lambda session: account_statements.account(session, key))

    async def remember_account(self, key: AccountKey, account_number: int, sequence: int) -> Account:
        """See `State`."""
        return await self._write(
            lambda session: account_statements.remember_account(session, key, account_number, sequence)
        )

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
        """See `State`."""
        return await self._write(
            lambda session: account_statements.reserve(
                session, key, fingerprint, owner, now_ms=now_ms, lease_ms=lease_ms, count=count
            )
        )

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
        """See `State`."""
        return await self._write(
            lambda session: account_statements.mark_sent(
                session,
                key,
                owner,
                sequence,
                transaction=transaction,
                transaction_hash=transaction_hash,
                now_ms=now_ms,
                lease_ms=lease_ms,
                performed=performed,
            )
        )

    async def mark_unknown(self, key: AccountKey, owner: str, sequence: int) -> bool:
        """See `State`."""
        return await self._write(
            lambda session: account_statements.mark_unknown(session, key, owner, sequence)
        )

    async def release(self, key: AccountKey, owner: str, sequence: int) -> bool:
        """See `State`."""
        return await self._write(lambda session: account_statements.release(session, key, owner, sequence))

    async def settle(
        self, key: AccountKey, owner: str, sequence: int, next_sequence: int, *, done: bool | None = False
    ) -> bool:
        """See `State`."""
        return await self._write(
            lambda session: account_statements.settle(session, key, owner, sequence, next_sequence, done=done)
        )

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
        """See `State`."""
        return await self._write(
            lambda session: account_statements.resynchronise(
                session,
                key,
                account_number,
                sequence,
                settled=settled,
                arrived=arrived,
                now_ms=now_ms,
                seen=seen,
            )
        )

    async def _read(self, run: Callable[[Session], Result]) -> Result:
        return cast(Result, await self._group.submit(Operation(run, writes=False)))

    async def _write(self, run: Callable[[Session], Result]) -> Result:
        return cast(Result, await self._group.submit(Operation(run, writes=True)))
