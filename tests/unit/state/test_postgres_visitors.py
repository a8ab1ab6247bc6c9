"""Commands that look at the state beside the services: they are no replicas, and what they only look at stays as it is."""

import asyncio

import pytest

from tests.postgres import PostgresServer
from tests.unit.state.test_postgres_failover import (
    KEEP_DUMP,
    PUT_DUMP_BACK,
    SYNCHRONOUS,
    now_ms,
    promote,
    promote_now,
    use,
)
from vaultsigner import __version__
from vaultsigner.errors import StateError
from vaultsigner.state import State, Suspension
from vaultsigner.state.postgres import PostgresState

EVERYTHING = Suspension("all", "", "a drill", "cli:root", 1)


def kept(server: PostgresServer) -> list[tuple[object, ...]]:
    """What each transaction that counts leaves behind: rows with the transaction that wrote them last."""
    return server.execute(
        "SELECT number::text, xmin::text, place FROM vaultsigner.commits "
        "UNION ALL SELECT id, xmin::text, name FROM vaultsigner.replicas ORDER BY 1"
    )


async def look_around(state: State) -> None:
    await state.suspensions()
    await state.list_approvals(now_ms=now_ms())
    await state.limit_usage(["l"], now_ms=now_ms())
    await state.noted_checkpoints()
    await state.replicas()


async def test_a_look_leaves_nothing_behind(own_postgres: PostgresServer) -> None:
    url = own_postgres.url()
    async with PostgresState(url):
        before = kept(own_postgres)
        async with PostgresState(url, visiting=True) as visitor:
            await look_around(visitor)
        assert kept(own_postgres) == before
        async with PostgresState(url):
            assert kept(own_postgres) != before, "a replica leaves something"


async def test_a_visitor_writes_what_it_came_for_and_takes_no_place(own_postgres: PostgresServer) -> None:
    url = own_postgres.url()
    async with PostgresState(url, name="desk-a") as replica:
        (before,) = await replica.replicas()
        number = own_postgres.execute("SELECT number FROM vaultsigner.commits")
        async with PostgresState(url, visiting=True) as visitor:
            assert await visitor.suspend(EVERYTHING)
            assert await visitor.resume("all", "")
            assert await visitor.suspend(EVERYTHING)
            assert [(each.id, each.here) for each in await visitor.replicas()] == [(before.id, False)]
        assert (await replica.suspensions()).suspended == (EVERYTHING,)
        assert await replica.replicas() == (before,)
        assert own_postgres.execute("SELECT number - 3 FROM vaultsigner.commits") == number, "each is counted"


async def test_replicas_tell_their_name_and_version(own_postgres: PostgresServer) -> None:
    url = own_postgres.url()
    async with PostgresState(url, name="desk-a") as one, PostgresState(url):
        assert await use(one, 1) is None
        found = {(each.name, each.version, each.here) for each in await one.replicas()}
        assert found == {("desk-a", __version__, True), ("", __version__, False)}


async def test_a_visitor_is_refused_where_a_replica_is(own_postgres: PostgresServer) -> None:
    url = own_postgres.url()
    async with PostgresState(url) as replica, PostgresState(url, visiting=True) as visitor:
        assert await visitor.suspend(EVERYTHING)
        assert await use(replica, 1) is None
        own_postgres.execute("UPDATE vaultsigner.commits SET closed = 'a loss'")
        with pytest.raises(StateError, match="a loss; it serves nobody"):
            await visitor.suspensions()
        with pytest.raises(StateError, match="a loss; it serves nobody"):
            await visitor.resume("all", "")
        with pytest.raises(StateError, match="a loss; it serves nobody"):
            await PostgresState(url, visiting=True).__aenter__()
        own_postgres.execute("UPDATE vaultsigner.commits SET closed = NULL")
        await promote(own_postgres)
        with pytest.raises(StateError, match="another server has taken over"):
            await visitor.resume("all", "")
        with pytest.raises(StateError, match="another server has taken over"):
            await PostgresState(url, visiting=True).__aenter__()
    assert own_postgres.execute("SELECT count(*) FROM vaultsigner.suspensions") == [(1,)]


async def test_what_a_visitor_wrote_and_misses_is_told_to_all(own_postgres: PostgresServer) -> None:
    async with (
        PostgresState(own_postgres.url()) as replica,
        PostgresState(own_postgres.url(), visiting=True) as visitor,
    ):
        assert await use(replica, 1) is None
        own_postgres.execute(KEEP_DUMP)
        assert await visitor.suspend(EVERYTHING)
        own_postgres.execute(PUT_DUMP_BACK)
        with pytest.raises(StateError, match="lost what was committed"):
            await visitor.suspensions()
        with pytest.raises(StateError, match=r"lost what (was|it) committed"):
            await visitor.resume("all", "")
        with pytest.raises(StateError, match="a replica has found"):
            await use(replica, 2)


async def test_a_promoted_server_is_noted_by_a_visitor_that_writes(own_postgres: PostgresServer) -> None:
    """What it wrote would be missing on the server of before, and nobody would know it there."""
    url = own_postgres.url()
    async with PostgresState(url, SYNCHRONOUS):
        pass
    await asyncio.to_thread(promote_now, own_postgres)
    before = kept(own_postgres)
    assert "timeline 1" in str(before)
    async with PostgresState(url, SYNCHRONOUS, visiting=True) as visitor:
        await look_around(visitor)
        assert kept(own_postgres) == before
        assert await visitor.suspend(EVERYTHING)
    assert own_postgres.execute("SELECT place LIKE '%timeline 2' FROM vaultsigner.commits") == [(True,)]
