"""Whether a PostgreSQL state would open: the same connection and the same tests, and nothing is made, migrated or committed."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from vaultsigner.config.settings import USUAL_STATE, StateOptions
from vaultsigner.errors import StateError
from vaultsigner.state.postgres import PATIENCE_SECONDS
from vaultsigner.state.postgres_address import SCHEMA, PostgresAddress
from vaultsigner.state.postgres_schema import MIGRATIONS, is_newest, version
from vaultsigner.state.postgres_session import PostgresSession
from vaultsigner.state.postgres_standing import (
    SINCE_SCHEMA,
    look,
    require_open,
    require_same_place,
    why_closed,
)

_FACTS = f"""
SELECT to_regnamespace('{SCHEMA}') IS NOT NULL, to_regclass('{SCHEMA}.schema_version') IS NOT NULL,
CASE WHEN to_regnamespace('{SCHEMA}') IS NULL THEN has_database_privilege(current_database(), 'CREATE')
ELSE has_schema_privilege('{SCHEMA}', 'CREATE') END
"""
_VERSION = "SELECT coalesce(max(version), 0) FROM schema_version"
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_WRITE_NOTHING = "UPDATE commits SET number = number"
_GRANT = f"for the first start, let an administrator run CREATE SCHEMA {SCHEMA} AUTHORIZATION <our role>"


def try_postgres(url: str, options: StateOptions = USUAL_STATE) -> str:
    """Connect as the service does, and look at what opening the state would look at. Blocks, for seconds at most.

    Args:
        url: of the database, as libpq understands it.
        options: how the service opens it.

    Returns:
        What was found, in a few words.

    Raises:
        StateError: the service would not start; the message names the place and never holds a password.
    """
    address = PostgresAddress(url, options.aws_region)
    with _connected(address) as session:
        place = address.identify(session).place
        found = _try_tables(session, address.name)
        if is_newest(session):
            standing = look(session, "")
            require_open(standing, address.name)
            require_same_place(standing, place, address.name, synchronous=options.synchronous)
        return found


def what_to_accept(url: str, options: StateOptions = USUAL_STATE) -> str | None:
    """Why nobody is served by a PostgreSQL state before an operator has accepted it; None: nothing has to be. Changes nothing.

    Args:
        url: of the database, as libpq understands it.
        options: how the service opens it.

    Raises:
        StateError: it cannot be reached, or could not be written to.
    """
    address = PostgresAddress(url, options.aws_region)
    with _connected(address) as session:
        place = address.identify(session).place
        if version(session) < SINCE_SCHEMA:
            return None
        return why_closed(look(session, ""), place, synchronous=options.synchronous)


@contextmanager
def _connected(address: PostgresAddress) -> Iterator[PostgresSession]:
    try:
        session = address.connect(round(PATIENCE_SECONDS * 1_000))
        try:
            yield session
        finally:
            session.close()
    except psycopg.errors.LockNotAvailable as error:
        text = f"another vaultsigner is writing for more than {PATIENCE_SECONDS:g} s"
        raise StateError(f"{address.name}: {text} ({address.told(error)})") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise StateError(f"{address.name}: {address.told(error)}; {_GRANT}") from None
    except psycopg.Error as error:
        raise StateError(f"{address.name}: {address.told(error)}") from None


def _try_tables(session: PostgresSession, name: str) -> str:
    ((schema, tables, may_make),) = session.rows(_FACTS, {})
    version = int(session.rows(_VERSION, {})[0][0]) if tables else 0
    if version > len(MIGRATIONS):
        raise StateError(
            f"{name}: the database has schema {version}, this vaultsigner knows {len(MIGRATIONS)}: "
            "it was made by a newer one"
        )
    if version < len(MIGRATIONS):
        if not may_make:
            what = f"tables in the schema {SCHEMA}" if schema else "a schema"
            raise StateError(f"{name}: this role may not make {what}; {_GRANT}")
        return (
            "connected; the next start makes the tables"
            if not version
            else "connected; the next start migrates it"
        )
    session.tell(_BEGIN)
    session.execute(_WRITE_NOTHING, {})  # Undone by closing the connection.
    return "connected"
