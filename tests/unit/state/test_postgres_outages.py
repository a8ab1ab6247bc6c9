"""A PostgreSQL server that stops, dies, loses what it had or is another one: nothing is counted, or it is counted for good."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.patience import until
from tests.postgres import PostgresServer
from vaultsigner.errors import StateError
from vaultsigner.state import Count, Nonce, NotCounted, open_state
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.upkeep import accept_state

NOW = 1_700_000_000_000
REPLAYED = NotCounted("replayed")


@pytest.fixture
async def state(own_postgres: PostgresServer) -> AsyncIterator[PostgresState]:
    async with PostgresState(own_postgres.url()) as state:
        yield state


async def use(state: PostgresState, number: int) -> NotCounted | None:
    nonce = Nonce(number.to_bytes(32, "big"), NOW + 5_000)
    return await state.count(Count(nonces=(nonce,)), now_ms=NOW)


async def use_until_it_fails(state: PostgresState, numbers: AsyncIterator[int], accepted: list[int]) -> None:
    """Adds those that were accepted."""
    try:
        async for number in numbers:
            assert await use(state, number) is None
            accepted.append(number)
    except StateError:
        pass


async def counting_up(first: int, step: int) -> AsyncIterator[int]:
    while True:
        yield first
        first += step


async def test_a_server_that_stops_fails_closed_and_recovers(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    assert await use(state, 1) is None
    await asyncio.to_thread(own_postgres.stop)
    with pytest.raises(StateError, match="PostgreSQL at "):
        await use(state, 1)
    for number in (2, 3):
        with pytest.raises(StateError, match=r"PostgreSQL at .*refused"):
            await use(state, number)
    await asyncio.to_thread(own_postgres.start)
    assert await use(state, 1) == REPLAYED
    assert await use(state, 4) is None


async def test_what_was_accepted_before_the_server_died_stays_used(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    accepted: list[int] = []
    async with PostgresState(own_postgres.url()) as other:
        callers = [
            asyncio.create_task(use_until_it_fails([state, other][n % 2], counting_up(n, 32), accepted))
            for n in range(32)
        ]
        await until(lambda: len(accepted) > 100, "many are accepted")
        await asyncio.to_thread(own_postgres.crash)
        await asyncio.gather(*callers)
        await asyncio.to_thread(own_postgres.start)
        answers = await asyncio.gather(*(use(state, number) for number in accepted))
        assert set(answers) == {REPLAYED}


async def test_a_database_that_was_replaced_is_not_written_to(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    own_postgres.execute("CREATE DATABASE desk")
    async with PostgresState(own_postgres.url("desk")) as state:
        assert await use(state, 1) is None
        own_postgres.execute("CREATE DATABASE copy")
        own_postgres.execute("DROP DATABASE desk WITH (FORCE)")
        own_postgres.execute("ALTER DATABASE copy RENAME TO desk")
        for _ in range(3):
            with pytest.raises(StateError, match="PostgreSQL at "):
                await use(state, 1)
        with pytest.raises(StateError, match="another database than before"):
            await use(state, 2)
        assert own_postgres.execute("SELECT to_regnamespace('vaultsigner')", "desk") == [(None,)]


async def test_a_database_from_before_the_last_commit_is_not_written_to(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    """As after a restored backup, or a standby that took over without the last commits; a restart is no operator."""
    assert await use(state, 1) is None
    own_postgres.execute("DELETE FROM vaultsigner.nonces")
    own_postgres.execute("UPDATE vaultsigner.commits SET number = number - 1")
    await asyncio.to_thread(own_postgres.stop)
    await asyncio.to_thread(own_postgres.start)
    with pytest.raises(StateError):
        await use(state, 1)
    with pytest.raises(StateError, match="the database has lost what it committed"):
        await use(state, 1)
    with pytest.raises(StateError, match="vaultsigner state accept"):
        await open_state(own_postgres.url()).__aenter__()
    await asyncio.to_thread(accept_state, own_postgres.url())
    async with PostgresState(own_postgres.url()) as restarted:
        refused = await use(restarted, 1)
        assert refused is not None
        assert refused.why == "clock"


async def test_a_server_that_does_not_sync_is_refused(own_postgres: PostgresServer) -> None:
    await asyncio.to_thread(own_postgres.stop)
    await asyncio.to_thread(own_postgres.start, fsync="off")
    with pytest.raises(StateError, match="Set fsync = on"):
        await open_state(own_postgres.url()).__aenter__()


async def test_a_server_that_has_become_a_standby_is_refused(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    assert await use(state, 1) is None
    await asyncio.to_thread(own_postgres.stop)
    await asyncio.to_thread(own_postgres.start, standby=True)
    with pytest.raises(StateError):
        await use(state, 2)
    with pytest.raises(StateError, match="is a standby"):
        await use(state, 2)
    with pytest.raises(StateError, match="is a standby"):
        await open_state(own_postgres.url()).__aenter__()


async def over(state: PostgresState, number: int) -> object:
    """The answer once the stall, which is known and refused at once, is over."""
    while True:
        try:
            return await use(state, number)
        except StateError as error:
            if "for more than" not in str(error):
                raise
            await asyncio.sleep(0.05)


async def test_a_server_that_hangs_is_an_error_in_time_and_then_it_goes_on(
    own_postgres: PostgresServer,
) -> None:
    async with PostgresState(own_postgres.url(), wait_seconds=3.0) as state:
        assert await use(state, 1) is None
        with own_postgres.frozen(), pytest.raises(StateError, match=r"no answer within 3 s"):
            await use(state, 2)
        assert await over(state, 2) == REPLAYED, "begun before the caller gave up: done late"
        assert await use(state, 3) is None


async def test_a_role_that_may_not_make_the_schema_is_told_what_it_needs(
    own_postgres: PostgresServer,
) -> None:
    own_postgres.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'")
    modest = own_postgres.url().replace("vaultsigner:canary-of-the-tests", "modest:modest")
    with pytest.raises(StateError, match="CREATE SCHEMA vaultsigner AUTHORIZATION"):
        await open_state(modest).__aenter__()
    own_postgres.execute("CREATE SCHEMA vaultsigner AUTHORIZATION modest")
    async with PostgresState(modest) as state:
        assert await use(state, 1) is None
