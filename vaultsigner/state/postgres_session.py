"""Statements on a PostgreSQL connection, in as few round trips as their results allow."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import lru_cache
from typing import TypeVar

import psycopg
from psycopg.types.numeric import Int8BinaryDumper

from vaultsigner.errors import StateError
from vaultsigner.state.sessions import Row, Terms

Connection = psycopg.Connection[Row]
Cursor = psycopg.Cursor[Row]
Result = TypeVar("Result")

# It warns of errors that come after the first one, which is all in our own.
logging.getLogger("psycopg").setLevel(logging.ERROR)

_CLOCK_MS = "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)"
_NAMED = re.compile(r":([a-z_]+)")


_CLOCK_GOOD_SECONDS = 30.0
CLOCK_TOLERANCE_MS = 1_000
"""How far ahead of the database's clock a caller's may be and still count: clocks are never quite the same."""


class LockGoneError(psycopg.DatabaseError):
    """Nothing may be written: nobody can be kept from writing at the same time."""

    def __init__(self) -> None:
        super().__init__("the row that all writers lock is gone: the table commits is empty")


class PostgresSession:
    """See `Session`. What is told travels with the next statement that has a result.

    The connection stays in pipeline mode, and each round trip ends with a Sync message and nothing after it: only then does the
    server run its clock for idle transactions, which keeps a client that stops in the middle of one from holding up all others.
    """

    def __init__(self, connection: Connection) -> None:
        # All numbers as 64 bits: else each statement would be prepared anew for each width that a number happens to have.
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        connection.prepare_threshold = 0
        self._connection = connection
        self._stack = ExitStack()
        self._pipeline = self._stack.enter_context(connection.pipeline())
        self._told: list[str] = []
        self._locking: str | None = None
        self._clock: tuple[int, float] | None = None  # The database's, and when that was on `time.monotonic`.
        self._committing = False
        self._warned: str | None = None
        connection.add_notice_handler(self._noticed)

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        self._connection.close()
        with suppress(psycopg.Error):  # Nothing is left to be waited for.
            self._stack.close()

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return self._connection.closed

    @property
    def undecided(self) -> bool:
        """Whether a COMMIT was sent to which there was no answer: it may have been done or not."""
        return self._committing

    def tell(self, statement: str) -> None:
        """See `Session`."""
        self._told.append(statement)

    def lock(self, statement: str) -> None:
        """Like `tell`, for a statement that locks what it finds; a later call raises StateError where it found nothing."""
        self.tell(statement)
        self._locking = statement

    def execute(self, statement: str, terms: Terms) -> int:
        """See `Session`."""
        return self._run(lambda: self._connection.execute(in_psycopgs_words(statement), terms)).rowcount

    def execute_all(self, statement: str, many: Sequence[Terms]) -> Sequence[int]:
        """See `Session`."""
        return [result.rowcount for result in self._run_all(statement, many)]

    def rows(self, statement: str, terms: Terms) -> Sequence[Row]:
        """See `Session`."""
        return self._run(lambda: self._connection.execute(in_psycopgs_words(statement), terms)).fetchall()

    def clock_ms(self) -> int | None:
        """See `Session`."""
        return self._clock_ms()

    def no_later(self, now_ms: int) -> int:
        """See `Session`. The database's clock is asked for twice a minute, and is ours to go on with in between."""
        moment = time.monotonic()
        if self._clock is None or moment - self._clock[1] > _CLOCK_GOOD_SECONDS:
            self._clock = self._clock_ms(), moment
        clock_ms, asked_at = self._clock
        passed_ms = int((time.monotonic() - asked_at) * 1_000)
        return min(now_ms, clock_ms + passed_ms + CLOCK_TOLERANCE_MS)

    def _clock_ms(self) -> int:
        ((clock_ms,),) = self.rows(_CLOCK_MS, {})
        return int(clock_ms)

    def rows_all(self, statement: str, many: Sequence[Terms]) -> Sequence[Sequence[Row]]:
        """See `Session`."""
        return [result.fetchall() for result in self._run_all(statement, many)]

    def commit(self, last: str) -> int:
        """Run a last statement and commit; returns the number that the statement answers.

        Raises:
            StateError: it was not committed, or where it may be lost again.
        """
        self._committing = True
        answer, end = self._run(
            lambda: (self._connection.execute(last.encode()), self._send_plainly("COMMIT"))
        )
        if self._warned is not None:
            # "canceling wait for synchronous replication": whoever reads the answer alone takes it for a good one.
            raise StateError(f"it is committed here, and perhaps on no standby: {self._warned}")
        self._committing = False
        # A transaction that failed answers ROLLBACK, which is no error to PostgreSQL.
        if end.statusmessage != "COMMIT":
            raise StateError("the database did not commit")
        return int(answer.fetchall()[0][0])

    def _noticed(self, said: psycopg.errors.Diagnostic) -> None:
        if self._committing and said.severity_nonlocalized == "WARNING":
            self._warned = said.message_primary or "the server warns of this COMMIT"

    def _run_all(self, statement: str, many: Sequence[Terms]) -> Iterator[Cursor]:
        if not many:
            return iter(())
        cursor = self._connection.cursor()
        self._run(lambda: cursor.executemany(in_psycopgs_words(statement), many, returning=True))
        return cursor.results()

    def _send_plainly(self, statement: str) -> Cursor:
        """Not prepared: psycopg forgets all it prepared when it sees a ROLLBACK, and inside a pipeline too late."""
        self._connection.prepare_threshold = None
        cursor = self._connection.execute(statement.encode())
        self._connection.prepare_threshold = 0
        return cursor

    def _run(self, send: Callable[[], Result]) -> Result:
        told, self._told = self._told, []
        try:
            return self._synced(told, send)
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise StateError(f"state does not take this: {primary_message(error)}") from error
        except (OverflowError, ValueError) as error:
            raise StateError(f"state does not take this: {error}") from error

    def _synced(self, told: Sequence[str], send: Callable[[], Result]) -> Result:
        try:
            cursors = [self._send_plainly(statement) for statement in told]
            result = send()
        except BaseException:
            with suppress(psycopg.Error):  # Of what came after the first error, which is the one to tell.
                self._pipeline.sync()
            raise
        self._pipeline.sync()
        self._check_lock(told, cursors)
        return result

    def _check_lock(self, told: Sequence[str], cursors: Sequence[Cursor]) -> None:
        """A row that is gone locks nothing, and each replica would believe that it writes alone."""
        for statement, cursor in zip(told, cursors, strict=True):
            if statement == self._locking and cursor.rowcount < 1:
                raise LockGoneError


@lru_cache
def in_psycopgs_words(statement: str) -> bytes:
    """The statement with its terms as psycopg wants them."""
    return _NAMED.sub(r"%(\1)s", statement).encode()


def primary_message(error: psycopg.Error) -> str:
    """What went wrong, on one line and without the row that it went wrong with."""
    return error.diag.message_primary or " ".join(str(error).split())
