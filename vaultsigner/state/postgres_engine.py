"""One connection to one PostgreSQL database: watched, opened again after a failure, and committed for many at once.

One transaction at a time writes, over all replicas: each locks the same row first. So all that counts has one order, as with
SQLite's single writer; no two transactions can lock each other out, none has to be tried again, and what one statement
found is still so for the next. What that costs is paid back by doing all that waits in one transaction.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

from vaultsigner.errors import StateError
from vaultsigner.state import postgres_standing
from vaultsigner.state.batches import run_batch, run_reads
from vaultsigner.state.postgres_address import SCHEMA, Identity, PostgresAddress
from vaultsigner.state.postgres_schema import be_patient, is_newest, migrate, version
from vaultsigner.state.postgres_session import LockGoneError, PostgresSession
from vaultsigner.state.postgres_standing import LostCommitsError, Memory, Standing
from vaultsigner.state.replicas import Replica
from vaultsigner.state.sessions import Session, Work, writes

Result = TypeVar("Result")

MIGRATION_LOCK = 0x7661756C74736967
"""The number of the advisory lock under which the tables are made: "vaultsig" in ASCII.

Any role of the database may take such a lock, so nothing else waits for it.
"""

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_ONLY_MIGRATOR = f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
_COMMITS = "SELECT number FROM commits"
_COUNT_COMMIT = "UPDATE commits SET number = number + 1 RETURNING number"
_REPLICAS = "SELECT id, name, version, last_commit, seen_at_ms FROM replicas ORDER BY seen_at_ms DESC, id"
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.005, 0.1
_UNDONE = (
    psycopg.errors.SerializationFailure,  # 40001
    psycopg.errors.DeadlockDetected,  # 40P01
)
"""After these PostgreSQL has undone the transaction, whatever it was doing, and says that it may be tried again."""


class PostgresEngine:
    """Not for use from two threads at a time.

    Args:
        patience_seconds: how long to wait for another replica's transaction, and for the answer to a statement; and how long
            what PostgreSQL has undone is tried again.
        synchronous: see `postgres_standing.require_same_place`.
        name: what other replicas are told it is called.
        visiting: it is no replica: it commits only what it writes, and the database notes nothing of its own.
    """

    def __init__(
        self,
        address: PostgresAddress,
        patience_seconds: float,
        *,
        synchronous: bool = False,
        name: str = "",
        visiting: bool = False,
    ) -> None:
        self._address = address
        self._patience_seconds = patience_seconds
        self._patience_ms = round(patience_seconds * 1_000)
        self._synchronous = synchronous
        self._session: PostgresSession | None = None
        self._database: Identity | None = None
        self._name = name
        self._replica = "" if visiting else secrets.token_hex(8)
        self._place = ""
        self._commits = self._seen = 0
        self._accepted: int | None = None

    def open(self) -> None:
        """Connect, and bring the database to the newest schema.

        Raises:
            StateError: it cannot be reached, would lose what it commits or may have lost some, or a newer vaultsigner made it.
        """
        self.bring_up_to_date()
        try:
            session, place = self._opened()
            self._require_standing(session, place)
            if self._replica:
                self._transaction(session, lambda: postgres_standing.take_place(session, place.place))
        except psycopg.Error as error:
            self.close()
            raise self._failed(error) from error
        except StateError:
            self.close()
            raise

    def bring_up_to_date(self) -> tuple[int, int]:
        """The first half of `open`: connect, and migrate. Returns the schema before and after it; 0: there was none.

        Raises:
            StateError: as `open` does, but whatever has to be accepted.
        """
        try:
            session = self._session = self._address.connect(self._patience_ms)
            self._database = self._address.identify(session)
            before = version(session) if is_newest(session) else self._migrate(session)
            return before, version(session)
        except psycopg.Error as error:
            self.close()
            raise self._failed(error) from error
        except StateError:
            self.close()
            raise

    def commit(self, batch: Sequence[Work]) -> Sequence[object]:
        """Run all in one transaction, each operation in a savepoint of its own, and wait until it is on disk.

        What cannot have been committed is tried again: after a serialization failure or a deadlock for as long as the patience
        lasts, after a lost connection once. A COMMIT without an answer is never sent again.

        Returns:
            For each piece of work its result or its StateError. After an error of the database itself all have one: their
            outcome is not known, and the next batch starts with a new connection.
        """
        deadline, pause, reconnected = time.monotonic() + self._patience_seconds, _FIRST_PAUSE_SECONDS, False
        while True:
            try:
                return self._attempt(batch)
            except psycopg.Error as error:
                undone, gone = isinstance(error, _UNDONE), self._lost_undone(error)
                self.close()
                in_time = time.monotonic() + pause < deadline
                if not in_time or not (undone or (gone and not reconnected)):
                    return [self._failed(error) for _ in batch]
                reconnected = reconnected or gone
            except StateError as error:
                self.close()
                return [StateError(str(error)) for _ in batch]
            except BaseException:
                self.close()  # A transaction left open would be continued by the next batch.
                raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def replicas(self, session: Session) -> tuple[Replica, ...]:
        """See `State.replicas`."""
        return tuple(
            Replica(id_, name, version, commit, seen, here=id_ == self._replica)
            for id_, name, version, commit, seen in session.rows(_REPLICAS, {})
        )

    def tidy(self, session: Session) -> None:
        """Forget replicas that have been gone for long."""
        postgres_standing.forget_replicas(session)

    def accept(self) -> str:
        """See `accepting.accept_database`; for an engine that is not open. Returns where the state is from now on.

        Raises:
            StateError: it cannot be reached, or cannot be written to.
        """
        self.bring_up_to_date()
        try:
            session, place = self._opened()
            session.tell(_BEGIN)
            postgres_standing.accept(session, place.place)
            session.commit(_COUNT_COMMIT)
        except psycopg.Error as error:
            raise self._failed(error) from error
        finally:
            self.close()
        return place.place

    def _attempt(self, batch: Sequence[Work]) -> Sequence[object]:
        session = self._session or self._connect_again()
        if any(writes(work) for work in batch):
            return self._transaction(session, lambda: self._write(session, batch))
        # Who reads what is suspended must not go on where nothing may be written, or where that may be lost.
        standing, name = self._look(session), self._address.name
        postgres_standing.require_open(standing, name)
        postgres_standing.require_kept(standing, self._memory, name)
        self._seen = standing.number
        return run_reads(session, batch)

    def _write(self, session: PostgresSession, batch: Sequence[Work]) -> Sequence[object]:
        if not self._replica:  # What it is about to write is the first that it changes.
            postgres_standing.take_place(session, self._place)
        return run_batch(session, batch)

    def _lost_undone(self, error: psycopg.Error) -> bool:
        """Whether the connection, or the right to write, went away before a COMMIT was sent; False where there was none."""
        session = self._session
        if session is None:
            return False
        return not session.undecided and (session.lost or isinstance(error, LockGoneError))

    def _migrate(self, session: PostgresSession) -> int:
        session.tell(_BEGIN)
        be_patient(session)
        session.tell(_ONLY_MIGRATOR)
        before = migrate(session)  # Another may have done it while we waited.
        session.commit(_COUNT_COMMIT)
        return before

    def _transaction(self, session: PostgresSession, run: Callable[[], Result]) -> Result:
        session.tell(_BEGIN)
        session.lock(postgres_standing.only_writer(self._memory))
        result = run()
        commits = session.commit(postgres_standing.next_commit(self._replica, self._name))
        self._commits = self._seen = commits
        return result

    def _connect_again(self) -> PostgresSession:
        """Never to another database: one from before our last commit would give numbers and nonces again."""
        session = self._session = self._address.connect(self._patience_ms)
        try:
            place = self._address.identify(session)
            if place != self._database:
                postgres_standing.refuse_as_lost(self._address.name)
            standing = self._require_standing(session, place)
            if self._replica and standing.place != place.place:
                self._transaction(session, lambda: postgres_standing.take_place(session, place.place))
        except BaseException:
            self.close()
            raise
        return session

    def _opened(self) -> tuple[PostgresSession, Identity]:
        if self._session is None or self._database is None:
            raise StateError(f"{self._address.name} is not open")
        return self._session, self._database

    @property
    def _memory(self) -> Memory:
        return Memory(self._replica, self._commits, self._seen, self._accepted)

    def _look(self, session: PostgresSession) -> Standing:
        return postgres_standing.look(session, self._replica)

    def _require_standing(self, session: PostgresSession, place: Identity) -> Standing:
        """What the database says of itself, where nothing keeps us from counting in it."""
        standing, name = self._look(session), self._address.name
        postgres_standing.require_open(standing, name)
        postgres_standing.require_same_place(standing, place.place, name, synchronous=self._synchronous)
        try:
            postgres_standing.require_kept(standing, self._memory, name)
        except LostCommitsError:
            self._close(session)
            raise
        if self._accepted != standing.accepted:
            self._accepted, self._commits = standing.accepted, 0
        self._seen, self._place = standing.number, place.place
        return standing

    def _close(self, session: PostgresSession) -> None:
        session.tell(_BEGIN)
        postgres_standing.close(session)
        session.commit(_COMMITS)

    def _failed(self, error: psycopg.Error) -> StateError:
        text = self._address.told(error)
        if isinstance(error, psycopg.errors.LockNotAvailable):
            text = f"another vaultsigner is writing for more than {self._patience_ms / 1_000:g} s ({text})"
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            text = f"{text}; for the first start, let an administrator run CREATE SCHEMA {SCHEMA} AUTHORIZATION <our role>"
        return StateError(f"{self._address.name}: {text}")
