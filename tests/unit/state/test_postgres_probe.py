"""What `try_postgres` passes opens, what it refuses does not, and neither it nor a refusal leaves anything behind."""

import asyncio

import pytest

from tests.postgres import PASSWORD, USER, PostgresServer
from vaultsigner.config.settings import StateOptions
from vaultsigner.errors import StateError
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.postgres_probe import try_postgres, what_to_accept

BY_AN_EARLIER_SERVER = "UPDATE vaultsigner.commits SET place = replace(place, 'timeline 1', 'timeline 0')"


async def opened(url: str) -> None:
    async with PostgresState(url):
        pass


async def refused_both_ways(url: str, told: str) -> None:
    with pytest.raises(StateError, match=told) as probed:
        await asyncio.to_thread(try_postgres, url)
    with pytest.raises(StateError, match=told):
        await opened(url)
    assert PASSWORD not in str(probed.value)


async def test_an_empty_database_passes_and_stays_empty(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        assert "makes the tables" in try_postgres(url)
        name = url.rpartition("/")[2]
        assert postgres.execute("SELECT to_regnamespace('vaultsigner')", name) == [(None,)]
        await opened(url)


async def test_a_database_in_use_passes_and_counts_no_commit(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        async with PostgresState(url):
            name = url.rpartition("/")[2]
            before = postgres.execute("SELECT number, xmin::text FROM vaultsigner.commits", name)
            assert try_postgres(url) == "connected"
            assert postgres.execute("SELECT number, xmin::text FROM vaultsigner.commits", name) == before


async def test_a_role_that_only_reads_by_default_is_no_obstacle(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        role = f"ALTER ROLE {USER} IN DATABASE {url.rpartition('/')[2]}"
        await opened(url)
        postgres.execute(f"{role} SET default_transaction_read_only = on")
        try:
            assert try_postgres(url) == "connected"
            await opened(url)
        finally:
            postgres.execute(f"{role} RESET default_transaction_read_only")


async def test_a_server_that_does_not_sync_is_refused(own_postgres: PostgresServer) -> None:
    own_postgres.stop()
    own_postgres.start(fsync="off")
    await refused_both_ways(own_postgres.url(), "Set fsync = on")


async def test_a_standby_is_refused(own_postgres: PostgresServer) -> None:
    await opened(own_postgres.url())
    own_postgres.stop()
    own_postgres.start(standby=True)
    await refused_both_ways(own_postgres.url(), "is a standby")


async def test_a_database_of_a_newer_vaultsigner_is_refused(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        await opened(url)
        postgres.execute(
            "INSERT INTO vaultsigner.schema_version (version) VALUES (99)", url.rpartition("/")[2]
        )
        await refused_both_ways(url, "made by a newer one")


async def test_roles_that_may_not_do_what_is_needed_are_refused(own_postgres: PostgresServer) -> None:
    own_postgres.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'")
    modest = own_postgres.url().replace(f"{USER}:{PASSWORD}", "modest:modest")
    await refused_both_ways(modest, "CREATE SCHEMA vaultsigner AUTHORIZATION")
    own_postgres.execute("CREATE SCHEMA vaultsigner")
    own_postgres.execute("GRANT USAGE ON SCHEMA vaultsigner TO modest")
    await refused_both_ways(modest, "CREATE SCHEMA vaultsigner AUTHORIZATION")
    own_postgres.execute("DROP SCHEMA vaultsigner")
    await opened(own_postgres.url())
    own_postgres.execute("GRANT USAGE ON SCHEMA vaultsigner TO modest")
    own_postgres.execute("GRANT SELECT ON ALL TABLES IN SCHEMA vaultsigner TO modest")
    await refused_both_ways(modest, "permission denied for table commits")


async def test_what_has_to_be_accepted_is_told_and_nothing_else(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        name = url.rpartition("/")[2]
        assert what_to_accept(url) is None
        assert postgres.execute("SELECT to_regnamespace('vaultsigner')", name) == [(None,)]
        await opened(url)
        assert what_to_accept(url) is None
        ((place,),) = postgres.execute("SELECT place FROM vaultsigner.commits", name)
        earlier = str(place).replace("timeline 1", "timeline 0")
        assert earlier != place
        postgres.execute(BY_AN_EARLIER_SERVER, name)
        assert f"it was {earlier}, it is {place}" in str(what_to_accept(url))
        assert what_to_accept(url, StateOptions(synchronous=True)) is None, "replicas go on by themselves"
        postgres.execute("UPDATE vaultsigner.commits SET closed = 'a loss'", name)
        assert what_to_accept(url, StateOptions(synchronous=True)) == "a loss"
        assert postgres.execute("SELECT accepted FROM vaultsigner.commits", name) == [(0,)]
