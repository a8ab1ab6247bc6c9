"""What is PostgreSQL's own: the connection, its limits, the lock, and what happens when the server goes away."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.patience import PATIENCE_SECONDS, wait_until
from tests.postgres import PASSWORD, PostgresServer
from vaultsigner.errors import StateError
from vaultsigner.state import (
    AccountKey,
    Count,
    HeldByOther,
    LimitUse,
    Nonce,
    NotCounted,
    Rate,
    Reserved,
    open_state,
    postgres_schema,
)
from vaultsigner.state.counting_statements import count
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.postgres_address import PostgresAddress
from vaultsigner.state.postgres_engine import MIGRATION_LOCK
from vaultsigner.state.postgres_schema import ONLY_WRITER
from vaultsigner.state.postgres_session import in_psycopgs_words
from vaultsigner.state.sessions import Session

KEY = AccountKey("chain", "address")
NOW = 1_700_000_000_000


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url


async def reserve(state: PostgresState, owner: str = "a") -> Reserved | HeldByOther | NotCounted:
    return await state.reserve(KEY, "f", owner, now_ms=0, lease_ms=1_000)


async def use(state: PostgresState, number: int = 0) -> NotCounted | None:
    nonce = Nonce(number.to_bytes(32, "big"), NOW + 5_000)
    return await state.count(Count(nonces=(nonce,)), now_ms=NOW)


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """Another client of the database, with statements that commit by themselves."""
    return psycopg.connect(url, autocommit=True, options="-c search_path=vaultsigner")


async def settings(state: PostgresState) -> dict[str, str]:
    rows = await state._read(lambda session: session.rows("SELECT name, setting FROM pg_settings", {}))
    return dict(rows)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://sam:canary@of-the-tests@host/db",
        "postgresql://sam:canary/of-the-tests@host/db",
        "postgresql://sam:5432/canary-of-the@tests/db",
        "postgresql://sam:canary%of-the-tests@host/db",
        "postgresql://host/db?canary=of-the-tests",
        "postgresql://[canary-of-the-tests/db",
    ],
)
def test_an_address_that_libpq_does_not_understand_is_not_repeated(url: str) -> None:
    with pytest.raises(StateError, match="write postgresql://") as told:
        open_state(url)
    assert "canary" not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


async def test_a_password_is_in_no_message(postgres: PostgresServer, url: str) -> None:
    wrong = url.replace("vaultsigner:", f"{PASSWORD}:")
    with pytest.raises(StateError, match="password authentication failed") as told:
        await open_state(wrong).__aenter__()
    assert PASSWORD not in str(told.value)


async def test_a_server_that_is_not_there_says_where_it_should_be(free_port: int) -> None:
    with pytest.raises(StateError, match=f"127.0.0.1:{free_port}/db: .*refused") as told:
        await open_state(f"postgresql://sam:{PASSWORD}@127.0.0.1:{free_port}/db").__aenter__()
    assert PASSWORD not in str(told.value)


async def test_a_server_that_accepts_and_never_answers_is_an_error_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(StateError, match="timeout"):
        await open_state(f"postgresql://sam@127.0.0.1:{silent.getsockname()[1]}/db").__aenter__()


async def test_waits_are_limited_and_commits_are_synced(url: str) -> None:
    async with PostgresState(url, patience_seconds=1.5) as state:
        known = await settings(state)
        for name in ("lock_timeout", "idle_in_transaction_session_timeout"):
            assert known[name] == "1500", name
        assert (known["statement_timeout"], known["transaction_timeout"]) == ("1650", "3000")
        assert (known["synchronous_commit"], known["search_path"]) == ("on", "vaultsigner, pg_temp")


async def test_what_the_url_says_of_the_connection_counts(url: str) -> None:
    async with PostgresState(f"{url}?application_name=desk-7&options=-c%20work_mem%3D8MB") as state:
        known = await settings(state)
    assert (known["application_name"], known["work_mem"]) == ("desk-7", "8192")


async def test_all_that_wait_share_one_transaction(url: str) -> None:
    async with PostgresState(url) as state:
        await state.remember_account(KEY, 1, 0)
        with connect(url) as other:
            before = other.execute("SELECT number FROM commits").fetchone()
            with connect(url) as in_between:
                in_between.execute("BEGIN")
                in_between.execute(ONLY_WRITER.encode())  # Nothing is written before all of them wait.
                asked = [asyncio.create_task(use(state, n)) for n in range(500)]
                await asyncio.sleep(0)
                in_between.execute("ROLLBACK")
            await asyncio.gather(*asked)
            after = other.execute("SELECT number FROM commits").fetchone()
    assert before is not None
    assert after is not None
    # Of those that the thread found first, and of all others.
    assert 1 <= int(str(after[0])) - int(str(before[0])) <= 2


async def test_a_mistake_in_one_operation_harms_no_other_in_its_transaction(url: str) -> None:
    keys = [AccountKey("chain", f"{n}\0" if n == 3 else str(n)) for n in range(6)]
    async with PostgresState(url) as state:
        results = await asyncio.gather(
            *(state.remember_account(key, 1, -1 if n == 2 else n) for n, key in enumerate(keys)),
            *(use(state, n) for n in range(3)),
            return_exceptions=True,
        )
        failed = [isinstance(result, StateError) for result in results]
        assert failed == [False, False, True, True, False, False, *[False] * 3]
        assert [await state.account(key) is None for n, key in enumerate(keys) if n != 3] == [
            *(False, False, True),
            *(False, False),
        ]
        assert await use(state, 1) == NotCounted("replayed")


async def test_mistakes_do_not_wear_the_connection_out(url: str) -> None:
    async with PostgresState(url) as state:
        for n in range(50):
            with pytest.raises(StateError):
                await state.remember_account(AccountKey("chain", str(n)), 1, -1)
            await state.remember_account(AccountKey("chain", str(n)), 1, n)
            assert await use(state, n) is None


async def test_a_message_does_not_repeat_what_was_to_be_stored(url: str) -> None:
    async with PostgresState(url) as state:
        with pytest.raises(StateError) as told:
            await state.remember_account(AccountKey("chain", "canary"), 1, -1)
    assert "canary" not in str(told.value)


async def test_an_error_of_the_database_is_told_and_the_next_call_starts_afresh(url: str) -> None:
    async with PostgresState(url) as state:
        await state.remember_account(KEY, 1, 5)
        with pytest.raises(StateError, match="does not exist"):
            await state._write(lambda session: session.execute("DELETE FROM nowhere", {}))
        assert isinstance(await reserve(state), Reserved)


def use_and_blunder(session: Session) -> None:
    count(session, Count(nonces=(Nonce(bytes(32), NOW + 5_000),)), NOW)
    raise TypeError("a mistake of ours")


async def test_a_mistake_of_ours_leaves_no_transaction_for_the_next_to_continue(url: str) -> None:
    async with PostgresState(url) as state:
        with pytest.raises(StateError, match="a mistake of ours"):
            await state._write(use_and_blunder)
        assert await use(state, 1) is None
        assert await use(state, 0) is None, "the mistake's transaction was not committed with the next"


async def test_a_held_number_cannot_be_moved_by_any_statement(url: str) -> None:
    async with PostgresState(url) as state:
        await state.remember_account(KEY, 1, 5)
        await reserve(state)
        with pytest.raises(StateError, match="held"):
            await state._write(lambda session: session.execute("UPDATE accounts SET sequence = 4", {}))


async def test_a_database_of_a_newer_vaultsigner_is_not_touched(url: str) -> None:
    async with PostgresState(url):
        pass
    with connect(url) as other:
        other.execute("INSERT INTO schema_version (version) VALUES (99)")
    with pytest.raises(StateError, match="made by a newer one"):
        await PostgresState(url).__aenter__()


@pytest.mark.parametrize("version", range(1, len(postgres_schema.MIGRATIONS)))
async def test_a_database_of_an_older_version_keeps_what_it_has(
    url: str, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    with monkeypatch.context() as older:
        older.setattr(postgres_schema, "MIGRATIONS", postgres_schema.MIGRATIONS[:version])
        async with PostgresState(url) as state:
            await state.remember_account(KEY, 1, 5)
            await reserve(state)
            await use(state)
    async with PostgresState(url) as state:
        assert isinstance(await reserve(state, "b"), HeldByOther)
        assert await use(state) == NotCounted("replayed")
        assert await state.count(Count(limits=(LimitUse("k", 1_000, 1, 1),)), now_ms=0) is None
        assert (await state.suspensions()).suspended == ()
        assert await state.list_approvals(now_ms=0) == ()


async def test_several_that_start_at_once_make_one_schema(url: str) -> None:
    states = [PostgresState(url) for _ in range(6)]
    await asyncio.gather(*(state.__aenter__() for state in states))
    await asyncio.gather(*(state.remember_account(KEY, 1, 5) for state in states))
    answers = await asyncio.gather(*(reserve(state, str(n)) for n, state in enumerate(states)))
    assert sum(isinstance(answer, Reserved) for answer in answers) == 1
    for state in states:
        await state.__aexit__(None, None, None)


async def test_a_role_that_may_only_read_and_write_rows_is_enough_once_the_schema_is_there(
    postgres: PostgresServer, url: str
) -> None:
    async with PostgresState(url):
        pass
    with connect(url) as other:
        other.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'")
        try:
            other.execute("GRANT USAGE ON SCHEMA vaultsigner TO modest")
            other.execute(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA vaultsigner TO modest"
            )
            async with PostgresState(url.replace(f"vaultsigner:{PASSWORD}", "modest:modest")) as state:
                await state.remember_account(KEY, 1, 5)
                assert isinstance(await reserve(state), Reserved)
                assert await use(state) is None
                assert await state.count(Count(rates=(Rate("r", 1, 1),)), now_ms=NOW) is None
                await state.forget_expired(now_ms=NOW)
        finally:
            other.execute("DROP OWNED BY modest")
            other.execute("DROP ROLE modest")


async def test_tables_that_others_put_in_the_way_are_not_used(url: str) -> None:
    with connect(url) as other:
        other.execute("CREATE SCHEMA vaultsigner")
        other.execute("CREATE TABLE public.nonces (digest bytea, expires_at_ms bigint)")
    try:
        async with PostgresState(url) as state:
            assert [await use(state), await use(state)] == [None, NotCounted("replayed")]
    finally:
        with connect(url) as other:
            other.execute("DROP TABLE public.nonces")


async def test_a_replica_whose_clock_is_ahead_forgets_nothing_that_others_still_accept(url: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    nonce, rate = Nonce(bytes(32), now_ms + 60_000), Rate("r", 1, 60_000)
    async with PostgresState(url) as state:
        assert await state.count(Count((nonce,), (rate,)), now_ms=now_ms) is None
        await state.forget_expired(now_ms=now_ms + 3_600_000)
        assert await state.count(Count((nonce,)), now_ms=now_ms) == NotCounted("replayed")
        assert isinstance(await state.count(Count(rates=(rate,)), now_ms=now_ms), NotCounted)


def look_at(looks: list[object], session: Session) -> None:
    looks.append(session.rows("SELECT horizon_ms FROM nonce_horizon", {}))


async def test_a_stalled_replica_is_an_error_in_time_and_then_it_goes_on(url: str) -> None:
    looks: list[object] = []
    async with PostgresState(url):
        """Its tables are made with more patience than the others have."""
    async with PostgresState(url, patience_seconds=1.0) as state:
        assert await use(state) is None
        with connect(url) as other:
            other.execute("BEGIN")
            other.execute(ONLY_WRITER.encode())
            for _ in range(2):
                with pytest.raises(StateError, match=r"another vaultsigner is writing for more than 1 s"):
                    await use(state, 1)
            with pytest.raises(StateError, match="another vaultsigner is writing"):
                await state._write(partial(look_at, looks))
            assert looks == [], "what decides is looked at only under the lock"
            assert await state.account(KEY) is None, "reading needs no lock"
            other.execute("ROLLBACK")
        assert await use(state, 1) is None


async def test_a_role_that_may_only_connect_stops_no_replica(url: str) -> None:
    """Nor does it keep one from starting: the lock that everybody may take is for making tables alone."""
    async with PostgresState(url) as state:
        with connect(url) as other:
            other.execute("CREATE ROLE bystander LOGIN PASSWORD 'bystander'")
        try:
            with connect(url.replace(f"vaultsigner:{PASSWORD}", "bystander:bystander")) as bystander:
                bystander.execute(f"SELECT pg_advisory_lock({MIGRATION_LOCK})".encode())
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    bystander.execute(ONLY_WRITER.replace("commits", "vaultsigner.commits").encode())
                assert await use(state) is None
                async with PostgresState(url) as started:
                    assert await use(started) == NotCounted("replayed")
        finally:
            with connect(url) as other:
                other.execute("DROP ROLE bystander")


async def test_without_the_row_that_writers_lock_nothing_is_written(url: str) -> None:
    async with PostgresState(url) as state:
        with connect(url) as other:
            other.execute("DELETE FROM commits")
            for _ in range(2):
                with pytest.raises(StateError, match="the row that all writers lock is gone"):
                    await use(state)
            assert other.execute("SELECT count(*) FROM nonces").fetchone() == (0,)


async def test_a_replica_that_stops_in_the_middle_loses_the_lock(url: str) -> None:
    """As `commit` would, up to the point where the process is stopped."""
    counted, go_on = threading.Event(), threading.Event()
    async with PostgresState(url) as state, PostgresState(url, patience_seconds=1.0) as stalled:
        asleep = asyncio.create_task(stalled._write(partial(use_and_stall, counted, go_on)))
        assert await asyncio.to_thread(counted.wait, PATIENCE_SECONDS)
        assert await use(state) is None, "what the other had counted is undone"
        go_on.set()
        with pytest.raises(StateError, match="PostgreSQL at "):
            await asleep
        assert await use(stalled) == NotCounted("replayed")


def use_and_stall(counted: threading.Event, go_on: threading.Event, session: Session) -> None:
    count(session, Count(nonces=(Nonce(bytes(32), NOW + 5_000),)), NOW)
    counted.set()
    assert go_on.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("last", ["execute", "execute_all", "rows"])
def test_a_client_that_stops_in_a_transaction_is_cut_off_by_the_clock_for_idle_ones(
    postgres: PostgresServer, url: str, last: str
) -> None:
    """Servers older than 17 have no other clock for it."""
    session = PostgresAddress(url).connect(200)
    session.rows("SELECT set_config('transaction_timeout', '0', false)", {})
    ((client,),) = session.rows("SELECT pg_backend_pid()", {})
    session.tell("BEGIN")
    getattr(session, last)("SELECT :n", [{"n": 1}] if last == "execute_all" else {"n": 1})
    clients = "SELECT pid FROM pg_stat_activity"
    wait_until(lambda: (client,) not in postgres.execute(clients), "the server cuts it off")
    session.close()


async def test_a_closed_state_answers_an_error(url: str) -> None:
    async with PostgresState(url) as state:
        pass
    with pytest.raises(StateError, match="closed"):
        await state.account(KEY)


async def open_and_close(url: str) -> None:
    async with PostgresState(url) as state:
        await use(state)


def test_no_descriptor_is_left_behind(url: str) -> None:
    asyncio.run(open_and_close(url))
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(3):
        asyncio.run(open_and_close(url))
    assert len(list(descriptors.iterdir())) == before


def test_terms_are_written_as_psycopg_wants_them() -> None:
    assert in_psycopgs_words("a = :now_us AND b = :key") == b"a = %(now_us)s AND b = %(key)s"
