"""One connection to one PostgreSQL database: watched, opened again after a failure, and committed for many at once.

One transaction at a time writes, over all replicas: each locks the same row first. So all that counts has one order, as with
SQLite's single writer; no two transactions can lock each other out, none has to be tried again, and what one statement
found is still so for the next. What that costs is paid back by doing all that waits in one transaction.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

from vaultsigner.errors import StateError
from vaultsigner.state.batches import run_batch, run_reads
from vaultsigner.state.postgres_address import SCHEMA, Identity, PostgresAddress
from vaultsigner.state.postgres_schema import ONLY_WRITER, is_newest, migrate
from vaultsigner.state.postgres_session import LockGoneError, PostgresSession
from vaultsigner.state.sessions import Work, writes

Result = TypeVar("Result")

MIGRATION_LOCK = 0x7661756C74736967
"""The number of the advisory lock under which the tables are made: "vaultsig" in ASCII.

Any role of the database may take such a lock, so nothing else waits for it.
"""

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_ONLY_MIGRATOR = f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
_NEXT_COMMIT = "UPDATE commits SET number = number + 1 RETURNING number"
_COMMITS = "SELECT number FROM commits"


class PostgresEngine:
    """Not for use from two threads at a time.

    Args:
        patience_seconds: how long to wait for another replica's transaction, and for the answer to a statement.
    """

    def __init__(self, address: PostgresAddress, patience_seconds: float) -> None:
        self._address = address
        self._patience_ms = round(patience_seconds * 1_000)
        self._session: PostgresSession | None = None
        self._database: Identity | None = None
        self._commits = 0

    def open(self) -> None:
        """Connect, and bring the database to the newest schema.

        Raises:
            StateError: it cannot be reached, would lose what it commits, or a newer vaultsigner made it.
        """
        try:
            session = self._session = self._address.connect(self._patience_ms)
            self._database = self._address.identify(session)
            if not is_newest(session):
                self._migrate(session)
            self._transaction(session, lambda: session.rows(_COMMITS, {}))
        except psycopg.Error as error:
            self.close()
            raise self._failed(error) from error
        except StateError:
            self.close()
            raise

    def commit(self, batch: Sequence[Work]) -> Sequence[object]:
        """Run all in one transaction, each operation in a savepoint of its own, and wait until it is on disk.

        Returns:
            For each piece of work its result or its StateError. After an error of the database itself all have one: their
            outcome is not known, and the next batch starts with a new connection.
        """
        try:
            session = self._session or self._connect_again()
            if any(writes(work) for work in batch):
                return self._transaction(session, lambda: run_batch(session, batch))
            return run_reads(session, batch)
        except psycopg.Error as error:
            self.close()
            return [self._failed(error) for _ in batch]
        except StateError as error:
            self.close()
            return [StateError(str(error)) for _ in batch]
        except BaseException:
            self.close()  # A transaction left open would be continued by the next batch.
            raise

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _migrate(self, session: PostgresSession) -> None:
        session.tell(_BEGIN)
        session.tell(_ONLY_MIGRATOR)
        migrate(session)
        session.commit(_NEXT_COMMIT)

    def _transaction(self, session: PostgresSession, run: Callable[[], Result]) -> Result:
        session.tell(_BEGIN)
        session.lock(ONLY_WRITER)
        result = run()
        commits = session.commit(_NEXT_COMMIT)
        self._commits = commits
        return result

    def _connect_again(self) -> PostgresSession:
        """Never to another database: one from before our last commit would give numbers and nonces again."""
        session = self._session = self._address.connect(self._patience_ms)
        same = self._address.identify(session) == self._database
        if not same or _commits(session) < self._commits:
            raise StateError(
                f"{self._address.name} is another database than before, or has lost what was committed to it; "
                "restart vaultsigner if that was meant"
            )
        return session

    def _failed(self, error: psycopg.Error) -> StateError:
        text = self._address.told(error)
        if isinstance(error, psycopg.errors.LockNotAvailable):
            text = f"another vaultsigner is writing for more than {self._patience_ms / 1_000:g} s ({text})"
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            text = f"{text}; for the first start, let an administrator run CREATE SCHEMA {SCHEMA} AUTHORIZATION <our role>"
        return StateError(f"{self._address.name}: {text}")


def _commits(session: PostgresSession) -> int:
    rows = session.rows(_COMMITS, {})
    if not rows:
        raise LockGoneError
    return int(rows[0][0])
