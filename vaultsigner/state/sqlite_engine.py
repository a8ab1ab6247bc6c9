"""One connection to one SQLite file: opened durably, watched, opened again after a failure, and committed for many at once."""

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from urllib.parse import quote

from vaultsigner.durable_files import FILE_MODE, make_directory, sync_directory
from vaultsigner.errors import StateError
from vaultsigner.state.batches import run_batch, run_reads
from vaultsigner.state.replicas import Replica
from vaultsigner.state.sessions import Row, Session, Terms, Work, writes
from vaultsigner.state.sqlite_files import Identity, identity, log_files, log_kept, only_writer
from vaultsigner.state.sqlite_schema import migrate

_PRIMARY_CODE = 0xFF  # sqlite.org/rescode.html: the low byte of an extended result code


class SqliteSession:
    """See `Session`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def tell(self, statement: str) -> None:
        """See `Session`."""
        self.connection.execute(statement)

    def execute(self, statement: str, terms: Terms) -> int:
        """See `Session`."""
        return self._run(statement, terms).rowcount

    def execute_all(self, statement: str, many: Sequence[Terms]) -> Sequence[int]:
        """See `Session`."""
        return [self._run(statement, terms).rowcount for terms in many]

    def rows(self, statement: str, terms: Terms) -> Sequence[Row]:
        """See `Session`."""
        return self._run(statement, terms).fetchall()

    def no_later(self, now_ms: int) -> int:
        """See `Session`."""
        return now_ms

    def clock_ms(self) -> int | None:
        """See `Session`. The database runs in this very process."""
        return None

    def rows_all(self, statement: str, many: Sequence[Terms]) -> Sequence[Sequence[Row]]:
        """See `Session`."""
        return [self._run(statement, terms).fetchall() for terms in many]

    def _run(self, statement: str, terms: Terms) -> sqlite3.Cursor:
        try:
            return self.connection.execute(statement, terms)
        except (OverflowError, ValueError, sqlite3.IntegrityError) as error:
            raise StateError(f"state does not take this: {error}") from error


class SqliteEngine:
    """Not for use from two threads at a time. One process has one engine for a database: POSIX locks are the process's.

    Args:
        busy_seconds: how long to wait for another process's transaction.
    """

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._database: Identity | None = None
        self._log_files: tuple[Identity, Identity] | None = None

    def open(self) -> None:
        """Make the database where it is missing, and bring it to the newest schema.

        Raises:
            StateError: it cannot be opened, is no database, or a newer vaultsigner made it.
        """
        self.bring_up_to_date()

    def bring_up_to_date(self) -> tuple[int, int]:
        """The same; returns the schema before and after it, 0 where there was none.

        Raises:
            StateError: as `open` does.
        """
        try:
            self._create()
            with self._only_writer():
                self._database = identity(self._path)
                return migrate(self._connect())
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise self._failed(error) from error
        except StateError:
            self.close()
            raise

    def commit(self, batch: Sequence[Work]) -> Sequence[object]:
        """Run all in one transaction, each in a savepoint of its own, and sync once.

        Returns:
            For each piece of work its result or its StateError. After an error of the database itself all have one: their
            outcome is not known, and the next batch starts with a new connection.
        """
        try:
            if any(writes(work) for work in batch):
                with self._only_writer():
                    results = self._transaction(self._connection or self._connect(), batch)
                    self._confirm()
            else:
                connection = self._connection or self._connect_alone()
                results = run_reads(SqliteSession(connection), batch)
                self._confirm()
        except (sqlite3.Error, OSError) as error:
            self.close()
            return [self._failed(error) for _ in batch]
        except StateError as error:
            self.close()
            return [StateError(str(error)) for _ in batch]
        except BaseException:
            self.close()  # A transaction left open would be continued by the next batch.
            raise
        return results

    def close(self) -> None:
        """Close the connection; what was not committed is undone, and what others committed is kept."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with ExitStack() as stack:
            try:
                stack.enter_context(only_writer(self._path.parent, 0.0))
                self._confirm()
            except (OSError, StateError):
                with suppress(OSError):  # A database that was moved is left alone by SQLite itself.
                    stack.enter_context(log_kept(self._path))
            with suppress(sqlite3.Error):
                connection.close()

    def replicas(self, session: Session) -> tuple[Replica, ...]:
        """See `State.replicas`: nobody writes down who has opened a file."""
        del session
        return ()

    def tidy(self, session: Session) -> None:
        """See `Engine`: there is nothing."""

    def _only_writer(self) -> AbstractContextManager[None]:
        return only_writer(self._path.parent, self._busy_seconds)

    def _create(self) -> None:
        """An empty file that only its owner reads; SQLite gives its log the same mode."""
        make_directory(self._path.parent)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
        sync_directory(self._path.parent)

    def _connect_alone(self) -> sqlite3.Connection:
        with self._only_writer():
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        """Never makes a database: one that vanished while we ran would come back empty, with every held number free."""
        if identity(self._path) != self._database:
            raise StateError(
                f"{self._path} was replaced while vaultsigner was running; restart it if that was meant"
            )
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=self._busy_seconds,
        )
        self._connection = connection
        self._use_log(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(
            "SELECT count(*) FROM sqlite_schema"
        ).fetchone()  # Makes the log and its shared memory, which are watched from here on.
        self._log_files = log_files(self._path)
        return connection

    def _use_log(self, connection: sqlite3.Connection) -> None:
        """Write-ahead logging. Several that start at once get in each other's way here, and SQLite does not wait for them."""
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise  # a full disk, for one: waiting would only keep callers waiting
                time.sleep(0.02)
                continue
            if mode != "wal":
                raise StateError(f"{self._path}: the file system does not allow write-ahead logging ({mode})")
            return

    def _transaction(self, connection: sqlite3.Connection, batch: Sequence[Work]) -> list[object]:
        connection.execute("BEGIN IMMEDIATE")
        results = run_batch(SqliteSession(connection), batch)
        # What was read above counts only if these are still the files that everybody else reads and locks.
        self._confirm()
        connection.execute("COMMIT")
        return results

    def _confirm(self) -> None:
        """A deleted or replaced file would take what is committed with it, or hide from us what others commit."""
        if identity(self._path) != self._database or log_files(self._path) != self._log_files:
            raise StateError(
                f"{self._path}, its log or its shared memory was replaced or deleted while in use"
            )

    def _failed(self, error: Exception) -> StateError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return StateError(f"{self._path}: {reason}")
