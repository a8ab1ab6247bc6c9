"""The service's role: made by an administrator who is no superuser, as on a managed server, and good for nothing else."""

import psycopg
import pytest

from tests.postgres import PASSWORD, USER, PostgresServer
from vaultsigner.errors import StateError
from vaultsigner.state import Count, Nonce, NotCounted
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.postgres_roles import WantedRole, create_role
from vaultsigner.state.upkeep import migrate_state

NOW = 1_700_000_000_000
ADMIN = "manager"
ROLE, ROLE_PASSWORD = "signer", "canary-of-the-role"
VERIFIER = "SELECT rolpassword FROM pg_authid WHERE rolname = 'signer'"
MEMBERSHIPS = """
SELECT count(*) FROM pg_auth_members
WHERE member = 'manager'::regrole AND roleid = 'signer'::regrole AND set_option
"""
SUPERUSER = f"{USER}:{PASSWORD}"


@pytest.fixture
def managed(own_postgres: PostgresServer) -> PostgresServer:
    """As a cloud's: whoever administers it may make roles and databases, and no more."""
    own_postgres.execute(f"CREATE ROLE {ADMIN} LOGIN CREATEROLE CREATEDB PASSWORD '{ADMIN}'")
    own_postgres.execute(f"CREATE DATABASE desk OWNER {ADMIN}")
    return own_postgres


def url_of(server: PostgresServer, user: str, password: str) -> str:
    return server.url("desk").replace(SUPERUSER, f"{user}:{password}")


def admin(server: PostgresServer) -> str:
    return url_of(server, ADMIN, ADMIN)


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


async def require_it_counts(url: str) -> None:
    nonce = Nonce(bytes(32), NOW + 5_000)
    async with PostgresState(url) as state:
        assert await state.count(Count((nonce,)), now_ms=NOW) is None
        assert await state.count(Count((nonce,)), now_ms=NOW) == NotCounted("replayed")
        await state.forget_expired(now_ms=NOW)


async def test_a_role_makes_its_tables_and_nothing_else(managed: PostgresServer) -> None:
    for _ in range(2):
        told = create_role(admin(managed), WantedRole(ROLE, ROLE_PASSWORD))
        assert not any(ROLE_PASSWORD in line for line in told)
    url = url_of(managed, ROLE, ROLE_PASSWORD)
    await require_it_counts(url)
    for statement in (
        "CREATE TABLE public.elsewhere ()",
        "CREATE SCHEMA another",
        "CREATE ROLE another",
        "CREATE DATABASE another",
        f"SET ROLE {ADMIN}",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(url, statement)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(admin(managed), "SELECT * FROM vaultsigner.nonces")


async def test_a_role_for_rows_only_makes_no_tables(managed: PostgresServer) -> None:
    create_role(admin(managed), WantedRole(ROLE, ROLE_PASSWORD, rows_only=True))
    url = url_of(managed, ROLE, ROLE_PASSWORD)
    await require_it_counts(url)
    for statement in (
        "CREATE TABLE vaultsigner.more ()",
        "DROP TABLE vaultsigner.nonces",
        "TRUNCATE vaultsigner.nonces",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(url, statement)
    run(admin(managed), "CREATE TABLE vaultsigner.of_a_later_version (number BIGINT)")
    run(url, "INSERT INTO vaultsigner.of_a_later_version VALUES (1)")


async def test_the_server_never_sees_the_password(managed: PostgresServer) -> None:
    create_role(admin(managed), WantedRole(ROLE, ROLE_PASSWORD))
    ((verifier,),) = managed.execute(VERIFIER)
    assert str(verifier).startswith("SCRAM-SHA-256$")


def test_a_role_with_tokens_has_no_password(managed: PostgresServer) -> None:
    with pytest.raises(StateError, match="no Amazon RDS"):
        create_role(admin(managed), WantedRole(ROLE, aws_iam=True))
    assert managed.execute(VERIFIER) == [], "nothing is half done"
    managed.execute("CREATE ROLE rds_iam")
    managed.execute(f"GRANT rds_iam TO {ADMIN} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    create_role(admin(managed), WantedRole(ROLE, aws_iam=True))
    assert managed.execute(VERIFIER) == [(None,)]
    assert managed.execute(f"SELECT pg_has_role('{ROLE}', 'rds_iam', 'MEMBER')") == [(True,)]
    assert managed.execute(MEMBERSHIPS) == [(0,)], (
        "the administrator is no member of it, or would need a token as well"
    )


@pytest.mark.parametrize("name", ["", "a b", 'a"b', "pg_signer", "Signer", "a" * 64, "x;DROP"])
def test_names_that_need_quotes_are_refused(name: str) -> None:
    with pytest.raises(StateError, match="the name of a role"):
        create_role("postgresql://nobody@127.0.0.1:1/desk", WantedRole(name))


def test_a_mighty_role_and_a_schema_of_somebody_else_are_refused(managed: PostgresServer) -> None:
    managed.execute(f"CREATE ROLE mighty CREATEDB ADMIN {ADMIN}")
    with pytest.raises(StateError, match="may do more than the service needs"):
        create_role(admin(managed), WantedRole("mighty"))
    migrate_state(admin(managed))
    with pytest.raises(StateError, match=f"belongs to {ADMIN}"):
        create_role(admin(managed), WantedRole(ROLE))


def test_what_goes_wrong_is_told_without_the_password(managed: PostgresServer) -> None:
    with pytest.raises(StateError, match=r"cannot be made: .*password authentication failed") as told:
        create_role(url_of(managed, ADMIN, "canary-wrong"), WantedRole(ROLE))
    assert "canary" not in str(told.value)
