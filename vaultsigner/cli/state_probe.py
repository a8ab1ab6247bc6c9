"""Whether a PostgreSQL state can be reached and written, found out by connecting alone: nothing is changed there."""

import psycopg
from psycopg.conninfo import make_conninfo

from vaultsigner.cli.check_report import StateFinding
from vaultsigner.config.state_urls import is_postgresql, parse_postgresql

CONNECT_SECONDS = 5


async def try_state(url: str) -> StateFinding | None:
    """What a connection comes to; None for an SQLite file, whose directory is tried instead.

    A standby is refused: it takes connections, and no writes.
    """
    if not is_postgresql(url):
        return None
    found = parse_postgresql(url)
    defaults = {"connect_timeout": str(CONNECT_SECONDS), "target_session_attrs": "read-write"}
    missing = {name: value for name, value in defaults.items() if name not in found.parameters}
    problem = None
    try:
        connection = await psycopg.AsyncConnection.connect(make_conninfo(url, **missing))
        await connection.close()
    except psycopg.Error as error:
        problem = _reason(error, found.password)
    return StateFinding(str(found), problem)


def _reason(error: psycopg.Error, password: str) -> str:
    """In one line. libpq does not repeat passwords; should it ever, its words are not shown at all."""
    words = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
    if not words or (password and password in words):
        return f"it cannot be reached ({error.sqlstate or type(error).__name__})"
    return words
