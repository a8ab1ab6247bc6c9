"""Where a PostgreSQL database is, and how it is connected to: with limits to every wait, and never to one that loses commits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from vaultsigner.errors import StateError
from vaultsigner.state.postgres_session import PostgresSession, primary_message
from vaultsigner.state.rds_tokens import RdsTokens

SCHEMA = "vaultsigner"
"""All is in a schema of its own: a database may be shared, and nobody can put a table of theirs before ours."""

# For what the URL leaves open. A server that vanished without a word is noticed within seconds, not after libpq's hours.
_DEFAULTS: Mapping[str, Any] = {
    "application_name": "vaultsigner",
    "connect_timeout": 3,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 4_000,
}

_SEVERAL_SECONDS = 2  # The least that libpq takes.
_TRANSACTION_TIMEOUT_SINCE = 170000  # postgresql.org/docs/17/release-17.html
_SET = "SELECT set_config(:name, :value, false)"
# Without a word from us a server without an encoding answers bytes, which equal no text. Where it has one, it converts.
_CLIENT_ENCODING = "utf8"
_ENCODINGS = ("UTF8", "SQL_ASCII")
"""Those that take every letter; names of users come from the network."""
# Of the file to which the server writes now: the control file tells the timeline only once there was a checkpoint in it.
_FACTS = """
SELECT current_setting('fsync'), current_setting('server_encoding'), pg_is_in_recovery(),
(SELECT system_identifier FROM pg_control_system()), (SELECT oid FROM pg_database WHERE datname = current_database()),
CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which database this is: of which cluster, and which in it.

    Args:
        timeline: of the server, in hexadecimal digits; a promoted standby has another one.
    """

    system_identifier: int
    database: int
    timeline: str = field(compare=False)

    @property
    def place(self) -> str:
        """Which database of which cluster, and which of its timelines. A dump goes into a database of another number."""
        return (
            f"cluster {self.system_identifier}, database {self.database}, timeline {int(self.timeline, 16)}"
        )


class PostgresAddress:
    """A URL, and what may be said of it.

    Args:
        url: handed to libpq as it is (postgresql.org/docs/current/libpq-connect.html, 32.1.1.2).
        aws_region: each connection gets a token of AWS IAM for a password.

    Raises:
        StateError: libpq does not understand the URL.
    """

    def __init__(self, url: str, aws_region: str | None = None) -> None:
        try:
            self._given = conninfo_to_dict(url)
            misread = any("@" in str(self._given.get(part) or "")[1:] for part in ("host", "dbname"))
        except psycopg.Error:
            misread = True
        if misread:
            # Without libpq's reason, which quotes what it stumbled over: half of a password with an unescaped `@`, for one.
            raise StateError(
                "state.url: libpq does not understand this address; write postgresql://user:password@host:5432/database, "
                "with %40 for an @ in the password, and so on for whatever is neither letter nor digit"
            ) from None
        self._url = url
        self._tokens = RdsTokens(self._given, aws_region) if aws_region is not None else None
        place = [str(self._given.get(part) or "") for part in ("host", "port", "dbname")]
        self.name = "PostgreSQL at {}:{}/{}".format(*place)

    def connect(self, patience_ms: int) -> PostgresSession:
        """A connection on which no wait, of ours or of others for us, is much longer than `patience_ms`.

        Raises:
            psycopg.Error: there is none to be had.
            StateError: there is no token for it.
        """
        token: dict[str, Any] = {} if self._tokens is None else {"password": self._tokens.make()}
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            client_encoding=_CLIENT_ENCODING,
            **{name: value for name, value in self._defaults().items() if name not in self._given},
            **token,
        )
        session = PostgresSession(connection)
        try:
            _limit(session, connection.info.server_version, patience_ms)
        except BaseException:
            session.close()
            raise
        return session

    def _defaults(self) -> Mapping[str, Any]:
        """Of several hosts each is waited for in turn, and all of it must not take longer than a caller waits."""
        several = "," in str(self._given.get("host") or "")
        return {**_DEFAULTS, "connect_timeout": _SEVERAL_SECONDS} if several else _DEFAULTS

    def told(self, error: Exception) -> str:
        """What went wrong, fit to be read by anybody."""
        text = primary_message(error) if isinstance(error, psycopg.Error) else str(error)
        password = self._given.get("password")
        return text.replace(str(password), "***") if password else text

    def identify(self, session: PostgresSession) -> Identity:
        """Which database this is.

        Raises:
            StateError: what it commits may be lost again, it takes nothing in, or not every letter.
        """
        ((fsync, encoding, standby, system_identifier, database, timeline),) = session.rows(_FACTS, {})
        if fsync != "on":
            raise StateError(
                f"{self.name} runs with fsync = off: after a power cut it would have forgotten what was counted. Set fsync = on"
            )
        if encoding not in _ENCODINGS:
            raise StateError(
                f"{self.name} has the encoding {encoding}, which lacks most letters; make one with all of them: "
                "createdb -E UTF8 -T template0"
            )
        if standby:
            raise StateError(
                f"{self.name} is a standby, which takes nothing in; give the primary, or name all hosts in the URL and add "
                "target_session_attrs=read-write"
            )
        return Identity(system_identifier, database, timeline)


def _limit(session: PostgresSession, server_version: int, patience_ms: int) -> None:
    """Whoever stalls loses its transaction and with it the lock; whoever waits for it gives up in time."""
    patience = str(patience_ms)
    # A little longer than for a lock, so that a wait for the lock is told as one.
    statement_patience = str(patience_ms + patience_ms // 10)
    settings = {
        "search_path": f"{SCHEMA}, pg_temp",
        "synchronous_commit": "on",
        "lock_timeout": patience,
        "statement_timeout": statement_patience,
        "idle_in_transaction_session_timeout": patience,
        # The same for our side: the server's kernel asks whether our host is still there.
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "2",
        "tcp_keepalives_count": "3",
    }
    if server_version >= _TRANSACTION_TIMEOUT_SINCE:
        settings["transaction_timeout"] = str(2 * patience_ms)
    session.execute_all(_SET, [{"name": name, "value": value} for name, value in settings.items()])
