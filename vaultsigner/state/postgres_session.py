"""Statements on a PostgreSQL connection, in as few round trips as their results allow."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.types.numeric import Int8BinaryDumper

from vaultsigner.errors import StateError
from vaultsigner.state.sessions import Row, Terms

Connection = psycopg.Connection[Row]
Cursor = psycopg.Cursor[Row]
Result = TypeVar("Result")

# It warns of errors that come after the first one, which is all in our own.
logging.getLogger("psycopg").setLevel(logging.ERROR)

_NAMED = re.compile(r":([a-z_]+)")


class PostgresSession:
    """See `Session`. What is told travels with the next statement that has a result.

    Every round trip ends with a Sync message: only then does the server run its clock for idle transactions, which keeps a
    client that stops in the middle of one from holding up all others.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told: list[str] = []

    def tell(self, statement: str) -> None:
        """See `Session`."""
        self._told.append(statement)

    def execute(self, statement: str, terms: Terms) -> int:
        """See `Session`."""
        return self._run(lambda: self._connection.execute(in_psycopgs_words(statement), terms)).rowcount

    def execute_all(self, statement: str, many: Sequence[Terms]) -> Sequence[int]:
        """See `Session`."""
        return [result.rowcount for result in self._run_all(statement, many)]

    def rows(self, statement: str, terms: Terms) -> Sequence[Row]:
        """See `Session`."""
        return self._run(lambda: self._connection.execute(in_psycopgs_words(statement), terms)).fetchall()

    def rows_all(self, statement: str, many: Sequence[Terms]) -> Sequence[Sequence[Row]]:
        """See `Session`."""
        return [result.fetchall() for result in self._run_all(statement, many)]

    def commit(self, last: str) -> int:
        """Run a last statement and commit; returns the number that the statement answers."""
        return int(self._run(lambda: self._last(last)).fetchall()[0][0])

    def _run_all(self, statement: str, many: Sequence[Terms]) -> Iterator[Cursor]:
        if not many:
            return iter(())
        cursor = self._connection.cursor()
        self._run(lambda: cursor.executemany(in_psycopgs_words(statement), many, returning=True))
        return cursor.results()

    def _last(self, statement: str) -> Cursor:
        cursor = self._connection.execute(statement.encode())
        self._send_plainly(["COMMIT"])
        return cursor

    def _send_plainly(self, statements: Sequence[str]) -> None:
        """Not prepared: psycopg forgets all it prepared when it sees a ROLLBACK, and inside a pipeline too late."""
        self._connection.prepare_threshold = None
        for statement in statements:
            self._connection.execute(statement.encode())
        self._connection.prepare_threshold = 0

    def _run(self, send: Callable[[], Result]) -> Result:
        told, self._told = self._told, []
        try:
            with self._connection.pipeline():
                self._send_plainly(told)
                return send()
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise StateError(f"state does not take this: {primary_message(error)}") from error
        except (OverflowError, ValueError) as error:
            raise StateError(f"state does not take this: {error}") from error


@lru_cache
def in_psycopgs_words(statement: str) -> bytes:
    """The statement with its terms as psycopg wants them."""
    return _NAMED.sub(r"%(\1)s", statement).encode()


def primary_message(error: psycopg.Error) -> str:
    """What went wrong, on one line and without the row that it went wrong with."""
    return error.diag.message_primary or " ".join(str(error).split())


def adapt(connection: psycopg.Connection[Any]) -> None:
    """All numbers as 64 bits: else each statement would be prepared anew for each width that a number happens to have."""
    connection.adapters.register_dumper(int, Int8BinaryDumper)
    connection.prepare_threshold = 0
