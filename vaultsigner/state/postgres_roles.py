"""The database role of the service, made once by an administrator: it can log in, and has rights in our schema alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from vaultsigner.errors import StateError
from vaultsigner.state.postgres_address import SCHEMA
from vaultsigner.state.postgres_session import primary_message
from vaultsigner.state.sessions import Row
from vaultsigner.state.upkeep import migrate_state

CONNECTIONS = 40
"""How many a role may have open: a replica has one, and commands come and go with one each."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_ROLE = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = %s"
_EXISTS = "SELECT 1 FROM pg_roles WHERE rolname = %s"
_IAM_ROLE = "rds_iam"  # docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
_MEMBER_OF = """
SELECT string_agg(pg_get_userbyid(roleid), ', ') FROM pg_auth_members
WHERE pg_get_userbyid(member) = %s AND pg_get_userbyid(roleid) <> %s
"""
_OWNER = "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s"
# postgresql.org/docs/16/release-16.html: whoever makes a role is a member of it that may only administrate it.
_SET_SINCE = 160000
_MAY_BE_IT = "SELECT pg_has_role(current_user, %s, '{}')"

Connection = psycopg.Connection[Row]


@dataclass(frozen=True, slots=True)
class WantedRole:
    """A role.

    Args:
        name: small letters, digits and underscores.
        password: None: it has none, and another way to log in.
        aws_iam: tokens of AWS IAM let it in, and nothing else.
        rows_only: it may not make tables, so that an administrator migrates.
    """

    name: str
    password: str | None = field(default=None, repr=False)
    aws_iam: bool = False
    rows_only: bool = False


def create_role(admin_url: str, wanted: WantedRole) -> tuple[str, ...]:
    """Make a role, or give one that is there what it needs and no more. May be run again. Blocks.

    Args:
        admin_url: of the service's database, as somebody who may make roles and schemas there.

    Returns:
        What was done, a line each.

    Raises:
        StateError: it cannot be made; nothing has changed then, but for tables that were migrated.
    """
    if not _NAME.fullmatch(wanted.name) or wanted.name.startswith("pg_"):
        raise StateError(
            "the name of a role: small letters, digits and underscores, a letter first, not pg_..."
        )
    try:
        if wanted.rows_only:
            migrate_state(admin_url)
        with psycopg.connect(admin_url, connect_timeout=10) as connection:
            return tuple(_steps(connection, wanted))
    except psycopg.Error as error:
        raise StateError(f"the role cannot be made: {primary_message(error)}") from None


def _steps(connection: Connection, wanted: WantedRole) -> Iterator[str]:
    yield _make(connection, wanted)
    yield _log_in(connection, wanted)
    yield from _grant_rows(connection, wanted) if wanted.rows_only else _own_schema(connection, wanted)
    if (
        wanted.aws_iam
    ):  # Last: a member of this role, as the administrator is for a moment, needs a token itself.
        if not _found(connection, _EXISTS, _IAM_ROLE):
            raise StateError(
                f"this server has no role {_IAM_ROLE}: it is no Amazon RDS, or has no IAM authentication"
            )
        _run(connection, "GRANT {} TO {}", _IAM_ROLE, wanted.name)
        yield f"{wanted.name} logs in with tokens of AWS IAM"


def _make(connection: Connection, wanted: WantedRole) -> str:
    found = connection.execute(_ROLE.encode(), (wanted.name,)).fetchone()
    if found is not None and found[0]:
        raise StateError(f"the role {wanted.name} may do more than the service needs: choose another name")
    others = connection.execute(_MEMBER_OF.encode(), (wanted.name, _IAM_ROLE)).fetchone()
    if others is not None and others[0]:
        raise StateError(
            f"the role {wanted.name} is a member of {others[0]}, and may do what that may: choose another name"
        )
    if found is None:
        _run(connection, "CREATE ROLE {} LOGIN", wanted.name)
    _run(connection, f"ALTER ROLE {{}} LOGIN CONNECTION LIMIT {CONNECTIONS}", wanted.name)
    return f"role {wanted.name} {'is there' if found else 'made'}, for at most {CONNECTIONS} connections"


def _log_in(connection: Connection, wanted: WantedRole) -> str:
    if wanted.password is None:
        if wanted.aws_iam:
            _run(connection, "ALTER ROLE {} PASSWORD NULL", wanted.name)
        return f"{wanted.name} gets no password"
    # Only its SCRAM verifier (RFC 5803) goes to the server, and into whatever log it keeps.
    verifier = connection.pgconn.encrypt_password(
        wanted.password.encode(), wanted.name.encode(), b"scram-sha-256"
    ).decode()
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
        sql.Identifier(wanted.name), sql.Literal(verifier)
    )
    connection.execute(statement)
    return f"{wanted.name} has the password that was given"


def _own_schema(connection: Connection, wanted: WantedRole) -> Iterator[str]:
    """The role makes its tables itself, at the first start."""
    owner = connection.execute(_OWNER.encode(), (SCHEMA,)).fetchone()
    if owner is not None and owner[0] != wanted.name:
        raise StateError(
            f"the schema {SCHEMA} belongs to {owner[0]}: use that role, or add --rows-only for one that makes no tables"
        )
    if owner is None:
        # Whoever is no superuser must be a member of whomever they give a schema to.
        right = "SET" if connection.info.server_version >= _SET_SINCE else "MEMBER"
        member = _found(connection, _MAY_BE_IT.format(right), wanted.name)
        if not member:
            _run(connection, "GRANT {} TO CURRENT_USER", wanted.name)
        _run(connection, "CREATE SCHEMA {} AUTHORIZATION {}", SCHEMA, wanted.name)
        if not member:
            _run(connection, "REVOKE {} FROM CURRENT_USER", wanted.name)
    yield f"schema {SCHEMA} belongs to {wanted.name}, which makes its tables at the first start"


def _grant_rows(connection: Connection, wanted: WantedRole) -> Iterator[str]:
    rights = "SELECT, INSERT, UPDATE, DELETE ON"
    _run(connection, "GRANT USAGE ON SCHEMA {} TO {}", SCHEMA, wanted.name)
    _run(connection, f"GRANT {rights} ALL TABLES IN SCHEMA {{}} TO {{}}", SCHEMA, wanted.name)
    # For what a later migration adds.
    _run(
        connection,
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {{}} GRANT {rights} TABLES TO {{}}",
        SCHEMA,
        wanted.name,
    )
    yield f"{wanted.name} may read and write rows in schema {SCHEMA}; migrate it as who you are now"


def _run(connection: Connection, statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _found(connection: Connection, question: str, name: str) -> bool:
    row = connection.execute(question.encode(), (name,)).fetchone()
    return row is not None and bool(row[0])
