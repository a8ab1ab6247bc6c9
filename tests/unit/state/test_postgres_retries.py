"""What PostgreSQL has undone is done again within the patience; what may have been committed never is."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest

from tests.patience import PATIENCE_SECONDS
from tests.postgres import PostgresServer
from vaultsigner.errors import StateError
from vaultsigner.state import AccountKey, Count, Nonce, NotCounted
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.sessions import Session

NOW = 1_700_000_000_000
KEY = AccountKey("chain", "address")
FAILING = """
CREATE SEQUENCE vaultsigner.tries;
CREATE FUNCTION vaultsigner.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('vaultsigner.tries') <= {times} THEN
    RAISE EXCEPTION 'as PostgreSQL would' USING ERRCODE = '{code}';
  END IF;
  RETURN NULL;
END $$;
"""
AT_ONCE = "CREATE TRIGGER fails AFTER INSERT ON vaultsigner.nonces EXECUTE FUNCTION vaultsigner.fail()"
AT_COMMIT = """
CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON vaultsigner.nonces DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION vaultsigner.fail()
"""


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url


async def use(state: PostgresState, number: int = 0) -> NotCounted | None:
    return await state.count(Count(nonces=(Nonce(number.to_bytes(32, "big"), NOW + 5_000),)), now_ms=NOW)


def run(url: str, *statements: str) -> int:
    """Runs them as another client; answers the last one's number."""
    with psycopg.connect(url, autocommit=True) as other:
        for statement in statements:
            cursor = other.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return int(row[0]) if row else 0


def tries(url: str) -> int:
    return run(url, "SELECT last_value FROM vaultsigner.tries")


@pytest.mark.parametrize("code", ["40001", "40P01"])
@pytest.mark.parametrize("when", [AT_ONCE, AT_COMMIT])
async def test_what_was_undone_is_done_again(url: str, code: str, when: str) -> None:
    async with PostgresState(url) as state:
        run(url, FAILING.format(times=3, code=code), when)
        assert await use(state) is None
        assert tries(url) == 4
        assert await use(state) == NotCounted("replayed"), "counted, and counted once"


async def test_what_is_undone_each_time_is_an_error_within_the_patience(url: str) -> None:
    async with PostgresState(url):
        """Its tables are made with more patience than the next one has."""
    async with PostgresState(url, patience_seconds=2.0) as state:
        run(url, FAILING.format(times=1_000_000, code="40001"), AT_ONCE)
        with pytest.raises(StateError, match="as PostgreSQL would"):
            await use(state)
        assert tries(url) > 3, "it was tried again"
        assert run(url, "SELECT count(*) FROM vaultsigner.nonces") == 0


async def test_any_other_error_is_told_at_once(url: str) -> None:
    async with PostgresState(url) as state:
        run(url, FAILING.format(times=1, code="XX000"), AT_ONCE)
        with pytest.raises(StateError, match="as PostgreSQL would"):
            await use(state)
        assert tries(url) == 1


def pause(counted: threading.Event, go_on: threading.Event, session: Session) -> int:
    """Reads in the middle of a transaction, and waits there the first time."""
    rows = session.rows("SELECT pg_backend_pid()", {})
    counted.set()
    assert go_on.wait(PATIENCE_SECONDS)
    session.rows("SELECT 1", {})
    return int(rows[0][0])


async def test_a_connection_that_is_lost_before_the_commit_is_no_error(url: str) -> None:
    counted, go_on = threading.Event(), threading.Event()
    async with PostgresState(url) as state:
        asleep = asyncio.create_task(state._write(partial(pause, counted, go_on)))
        assert await asyncio.to_thread(counted.wait, PATIENCE_SECONDS)
        run(
            url,
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'vaultsigner'",
        )
        go_on.set()
        assert await asleep
        assert await use(state) is None


async def test_a_commit_without_an_answer_is_not_sent_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the connection after it has committed, and before it has said so."""
    async with PostgresState(url) as state:
        session = state._engine._session  # type: ignore[attr-defined]  # where a proxy would stand
        send = session._send_plainly

        def commit_and_vanish(statement: str) -> object:
            if statement != "COMMIT":
                return send(statement)
            send(statement)
            session._pipeline.sync()
            session._connection.close()
            raise psycopg.OperationalError("the connection is lost")

        monkeypatch.setattr(session, "_send_plainly", commit_and_vanish)
        with pytest.raises(StateError, match="the connection is lost"):
            await use(state)
        assert await use(state) == NotCounted("replayed"), "it was committed"
        assert run(url, "SELECT count(*) FROM vaultsigner.nonces") == 1


async def test_a_replica_has_one_connection(url: str) -> None:
    async with PostgresState(url, patience_seconds=PATIENCE_SECONDS) as state:
        await state.remember_account(KEY, 1, 0)
        await asyncio.gather(*(use(state, n) for n in range(200)), *(state.account(KEY) for _ in range(50)))
        assert (
            run(
                url,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vaultsigner'",
            )
            == 1
        )
