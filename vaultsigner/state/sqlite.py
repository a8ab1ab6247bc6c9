"""State in one SQLite file, for the processes of one machine.

Each operation is a function of the connection and runs in a savepoint; all that wait share one transaction and one sync. What
else must be counted together with a sequence number (nonces, limits) joins the operation, not another transaction.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, cast

from vaultsigner.errors import StateError
from vaultsigner.group_commit import WAIT_SECONDS, GroupCommit
from vaultsigner.state import sqlite_accounts
from vaultsigner.state.accounts import Account, AccountKey, HeldByOther, Reserved, Resynchronised
from vaultsigner.state.sqlite_engine import Operation, SqliteEngine

Result = TypeVar("Result")

BUSY_SECONDS = 4.0
"""How long to wait for another process's transaction; less than a caller waits, so that the caller learns why."""


class SqliteState:
    """See `State`. For use from the event loop in which it was entered.

    Args:
        path: of the database; the directory is made if missing.
        wait_seconds: how long a stalled disk may keep a caller.
        busy_seconds: how long another process may.
    """

    def __init__(
        self, path: str, *, wait_seconds: float = WAIT_SECONDS, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self._engine = SqliteEngine(Path(path).absolute(), busy_seconds)
        self._group = GroupCommit[Operation, object](
            self._engine.commit, failure=StateError, name="state", wait_seconds=wait_seconds
        )

    async def __aenter__(self) -> Self:
        """Open the database; make it if missing.

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
            StateError: the disk hangs.
        """
        await self._group.close()
        self._engine.close()

    async def account(self, key: AccountKey) -> Account | None:
        """See `State`."""
        return await self._read(lambda connection: sqlite_accounts.account(connection, key))

    async def remember_account(self, key: AccountKey, account_number: int, sequence: int) -> Account:
        """See `State`."""
        return await self._write(
            lambda connection: sqlite_accounts.remember_account(connection, key, account_number, sequence)
        )

    async def reserve(
        self, key: AccountKey, fingerprint: str, owner: str, *, now_ms: int, lease_ms: int
    ) -> Reserved | HeldByOther:
        """See `State`."""
        return await self._write(
            lambda connection: sqlite_accounts.reserve(
                connection, key, fingerprint, owner, now_ms=now_ms, lease_ms=lease_ms
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
    ) -> bool:
        """See `State`."""
        return await self._write(
            lambda connection: sqlite_accounts.mark_sent(
                connection,
                key,
                owner,
                sequence,
                transaction=transaction,
                transaction_hash=transaction_hash,
                lease_until_ms=now_ms + lease_ms,
            )
        )

    async def mark_unknown(self, key: AccountKey, owner: str, sequence: int) -> bool:
        """See `State`."""
        return await self._write(
            lambda connection: sqlite_accounts.mark_unknown(connection, key, owner, sequence)
        )

    async def release(self, key: AccountKey, owner: str, sequence: int) -> bool:
        """See `State`."""
        return await self._write(lambda connection: sqlite_accounts.release(connection, key, owner, sequence))

    async def settle(self, key: AccountKey, owner: str, sequence: int, next_sequence: int) -> bool:
        """See `State`."""
        return await self._write(
            lambda connection: sqlite_accounts.settle(connection, key, owner, sequence, next_sequence)
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
    ) -> Resynchronised:
        """See `State`."""
        return await self._write(
            lambda connection: sqlite_accounts.resynchronise(
                connection, key, account_number, sequence, settled=settled, now_ms=now_ms, seen=seen
            )
        )

    async def _read(self, run: Callable[[sqlite3.Connection], Result]) -> Result:
        return cast(Result, await self._group.submit(Operation(run, writes=False)))

    async def _write(self, run: Callable[[sqlite3.Connection], Result]) -> Result:
        return cast(Result, await self._group.submit(Operation(run, writes=True)))
