"""Another server that takes over, a copy, or lost commits: closed until an operator has accepted it, for every replica."""

import asyncio
import itertools
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.postgres import PostgresServer
from vaultsigner.authentication.open_api_tokens import AHEAD_MS, OLDEST_MS
from vaultsigner.config.settings import StateOptions
from vaultsigner.errors import StateError
from vaultsigner.state import Approval, ApprovalRefused, ApprovalUse, Count, Nonce, NotCounted, VoteRefused
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.postgres_probe import try_postgres
from vaultsigner.state.upkeep import accept_state

SYNCHRONOUS = StateOptions(synchronous=True)
REPLAYED = NotCounted("replayed")
WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
END_WAIT = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
SEND_AWAY = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'desk' AND pid <> pg_backend_pid()
"""
LATER_MS = 80_000
"""What expires so late can have been made by nobody before now."""
LONG_GONE = """
UPDATE vaultsigner.replicas SET seen_at_ms = 0
WHERE last_commit < (SELECT max(last_commit) FROM vaultsigner.replicas)
"""

KEEP_DUMP = """
DO $$ DECLARE t text; BEGIN
CREATE SCHEMA dump;
FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'vaultsigner' LOOP
EXECUTE format('CREATE TABLE dump.%I AS TABLE vaultsigner.%I', t, t);
END LOOP; END $$
"""
PUT_DUMP_BACK = """
DO $$ DECLARE t text; BEGIN
FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'vaultsigner' LOOP
EXECUTE format('TRUNCATE vaultsigner.%I CASCADE', t);
END LOOP;
FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'vaultsigner' LOOP
EXECUTE format('INSERT INTO vaultsigner.%I SELECT * FROM dump.%I', t, t);
END LOOP; END $$
"""


@pytest.fixture
async def state(own_postgres: PostgresServer) -> AsyncIterator[PostgresState]:
    async with PostgresState(own_postgres.url()) as state:
        yield state


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def use(state: PostgresState, number: int, ahead_ms: int = 5_000) -> NotCounted | None:
    moment = now_ms()
    return await state.count(
        Count(nonces=(Nonce(number.to_bytes(32, "big"), moment + ahead_ms),)), now_ms=moment
    )


def promote_now(server: PostgresServer) -> None:
    """Its own standby takes over, with all that it had. The server ends with the thread that calls this."""
    server.stop()
    server.start(standby=True)
    assert server.execute(f"SELECT pg_promote(true, {PATIENCE_SECONDS:.0f})") == [(True,)]


async def promote(server: PostgresServer) -> None:
    """The same beside the event loop."""
    await asyncio.to_thread(promote_now, server)


async def keep_copy(server: PostgresServer) -> None:
    """What a standby has that is behind."""

    def run() -> None:
        server.stop()
        subprocess.run(["cp", "-a", str(server._data), str(server._data.with_name("copy"))], check=True)
        server.start()

    await asyncio.to_thread(run)


async def put_copy_back(server: PostgresServer, *, promoted: bool) -> None:
    """The server that is behind takes over."""

    def run() -> None:
        server.crash()
        shutil.rmtree(server._data)
        server._data.with_name("copy").rename(server._data)
        server.start(standby=promoted)
        if promoted:
            assert server.execute(f"SELECT pg_promote(true, {PATIENCE_SECONDS:.0f})") == [(True,)]

    await asyncio.to_thread(run)


async def test_a_promoted_standby_serves_nobody_until_an_operator_accepts_it(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    assert await use(state, 1) is None
    await promote(own_postgres)
    for _ in range(2):
        with pytest.raises(StateError, match=r"another server has taken over .*timeline 2.*state accept"):
            await use(state, 2)
    with pytest.raises(StateError, match="another server has taken over"):
        await state.suspensions()
    with pytest.raises(StateError, match="another server has taken over"):
        await PostgresState(own_postgres.url()).__aenter__()
    with pytest.raises(StateError, match="another server has taken over"):
        await asyncio.to_thread(try_postgres, own_postgres.url())
    assert "timeline 2" in await asyncio.to_thread(accept_state, own_postgres.url())
    assert await use(state, 1) == NotCounted("clock")
    assert await use(state, 2, ahead_ms=LATER_MS) is None
    assert await asyncio.to_thread(try_postgres, own_postgres.url()) == "connected"


async def test_a_promoted_standby_that_has_everything_by_what_config_says_goes_on(
    own_postgres: PostgresServer,
) -> None:
    async with PostgresState(own_postgres.url(), SYNCHRONOUS) as state:
        assert await use(state, 1) is None
        await promote(own_postgres)
        assert await use(state, 1) == REPLAYED
        assert await use(state, 2) is None
    async with PostgresState(own_postgres.url()) as later:
        assert await use(later, 2) == REPLAYED, "it is the known server from then on"


async def test_tables_of_another_cluster_are_no_promotion_whatever_config_says(
    own_postgres: PostgresServer,
) -> None:
    """A promoted standby is of the same cluster; a dump that was put back elsewhere has what it had when it was made."""
    url = own_postgres.url()
    async with PostgresState(url, SYNCHRONOUS) as state:
        assert await use(state, 1) is None
    own_postgres.execute("UPDATE vaultsigner.commits SET place = 'cluster 17, timeline 1'")
    with pytest.raises(StateError, match="it was cluster 17, timeline 1"):
        await PostgresState(url, SYNCHRONOUS).__aenter__()
    await asyncio.to_thread(accept_state, url, SYNCHRONOUS)
    async with PostgresState(url, SYNCHRONOUS) as state:
        assert await use(state, 2, ahead_ms=LATER_MS) is None


async def test_lost_commits_close_the_state_for_replicas_that_cannot_know(
    own_postgres: PostgresServer,
) -> None:
    """The other one has gone on in the meantime, so that the number of commits alone would say nothing."""
    url = own_postgres.url()
    async with PostgresState(url, SYNCHRONOUS) as loser, PostgresState(url, SYNCHRONOUS) as other:
        assert await use(other, 1) is None
        await keep_copy(own_postgres)
        assert await use(loser, 2) is None
        await put_copy_back(own_postgres, promoted=True)
        for number in range(10, 30):
            assert await use(other, number) is None
        with pytest.raises(StateError, match="lost what was committed"):
            await use(loser, 2)
        for number in range(30, 32):
            with pytest.raises(
                StateError, match=r"a replica has found .*lost what it committed.*state accept"
            ):
                await use(other, number)
        with pytest.raises(StateError, match="a replica has found"):
            await other.suspension_version()
        with pytest.raises(StateError, match="a replica has found"):
            await PostgresState(url, SYNCHRONOUS).__aenter__()
        await asyncio.to_thread(accept_state, url)
        assert await use(loser, 2) == NotCounted("clock"), "what may have been used is not taken again"
        assert await use(other, 40, ahead_ms=LATER_MS) is None
        assert await use(loser, 41, ahead_ms=LATER_MS) is None


async def test_a_restored_copy_without_a_promotion_is_found_by_whoever_lost(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    assert await use(state, 1) is None
    await keep_copy(own_postgres)
    assert await use(state, 2) is None
    await put_copy_back(own_postgres, promoted=False)
    with pytest.raises(StateError, match="lost what was committed"):
        await use(state, 2)


async def test_a_dump_that_is_put_back_under_an_open_connection_serves_nobody(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    """The server is the same, no connection breaks, and the nonces of the last minutes are gone."""
    async with PostgresState(own_postgres.url()) as other:
        assert await use(other, 1) is None
        own_postgres.execute(KEEP_DUMP)
        assert await use(state, 2, ahead_ms=50_000) is None
        own_postgres.execute(PUT_DUMP_BACK)
        with pytest.raises(StateError, match="lost what was committed"):
            await state.suspensions()
        for _ in range(2):
            with pytest.raises(StateError, match=r"lost what (was|it) committed"):
                await use(state, 2, ahead_ms=50_000)
        with pytest.raises(StateError, match="a replica has found"):
            await use(other, 2, ahead_ms=50_000)
        await asyncio.to_thread(accept_state, own_postgres.url())
        assert await use(state, 2, ahead_ms=50_000) == NotCounted("clock")
        assert await use(other, 3, ahead_ms=LATER_MS) is None
        assert await use(state, 4, ahead_ms=LATER_MS) is None
    own_postgres.execute("DROP SCHEMA dump CASCADE")


async def test_a_dump_is_found_after_an_acceptance_too_by_who_has_written_nothing_since(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    """What was accepted is forgotten, but not what is there from then on."""
    assert await use(state, 1) is None
    own_postgres.execute(KEEP_DUMP)
    own_postgres.execute("UPDATE dump.replicas SET last_commit = 0")  # it is of no help
    assert await use(state, 2, ahead_ms=LATER_MS) is None
    await promote(own_postgres)
    await asyncio.to_thread(accept_state, own_postgres.url())
    await state.suspensions()
    own_postgres.execute(PUT_DUMP_BACK)
    for _ in range(2):
        with pytest.raises(StateError, match=r"lost what (was|it) committed|another server has taken over"):
            await use(state, 2, ahead_ms=LATER_MS)


async def test_what_others_committed_is_missed_by_who_has_seen_that(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    """The other one has ended, and would have been the only one to know."""
    assert await use(state, 1) is None
    own_postgres.execute(KEEP_DUMP)
    async with PostgresState(own_postgres.url()) as other:
        assert await use(other, 2, ahead_ms=50_000) is None
    await state.suspension_version()
    own_postgres.execute(PUT_DUMP_BACK)
    with pytest.raises(StateError, match="lost what was committed"):
        await use(state, 2, ahead_ms=50_000)
    with pytest.raises(StateError, match="a replica has found"):
        await PostgresState(own_postgres.url()).__aenter__()


async def test_what_is_good_for_longest_is_not_taken_again_after_an_acceptance(
    own_postgres: PostgresServer,
) -> None:
    """An Open API token that was made five seconds ahead, by a clock that was itself ahead of the database's by four."""
    url = own_postgres.url()
    async with PostgresState(url):
        pass
    await keep_copy(own_postgres)
    moment = now_ms() + 4_000
    token = Count(nonces=(Nonce(bytes(32), moment + AHEAD_MS + OLDEST_MS),))
    async with PostgresState(url) as state:
        assert await state.count(token, now_ms=moment) is None
    await put_copy_back(own_postgres, promoted=True)
    await asyncio.to_thread(accept_state, url)
    async with PostgresState(url) as state:
        assert await state.count(token, now_ms=moment) == NotCounted("clock")


async def test_an_approval_whose_use_is_lost_does_not_serve_again(own_postgres: PostgresServer) -> None:
    """Nor one that somebody has voted against meanwhile."""
    url, moment = own_postgres.url(), now_ms()
    given, asked = (
        Approval(name, name.encode() * 8, "{}", "client:bot", "rule", "sha256:0", 1, moment + 3_600_000)
        for name in ("given", "asked")
    )
    use_of_it = Count(approval=ApprovalUse(given.id, given.intent_digest, given.requested_by))
    async with PostgresState(url) as state:
        for approval in (given, asked):
            await state.open_approval(approval, now_ms=moment)
        await state.vote(given.id, "user:ann", approve=True, now_ms=moment)
    await keep_copy(own_postgres)
    async with PostgresState(url) as state:
        assert await state.count(use_of_it, now_ms=moment) is None
        await state.vote(asked.id, "user:ann", approve=False, now_ms=moment)
    await put_copy_back(own_postgres, promoted=True)
    await asyncio.to_thread(accept_state, url)
    async with PostgresState(url) as state:
        assert await state.count(use_of_it, now_ms=moment) == NotCounted(
            "approval", key=given.id, approval=ApprovalRefused.EXPIRED
        )
        assert await state.vote(asked.id, "user:bob", approve=True, now_ms=moment) == VoteRefused.EXPIRED
        anew = replace(given, id="anew")
        assert (await state.open_approval(anew, now_ms=moment)).approval == anew, "it can be asked for again"


async def test_a_commit_that_was_not_waited_for_is_believed_by_nobody(own_postgres: PostgresServer) -> None:
    """An administrator who ends the wait for a standby that is gone gets a COMMIT that no standby has."""
    async with PostgresState(own_postgres.url(), SYNCHRONOUS, wait_seconds=PATIENCE_SECONDS) as state:
        assert await use(state, 1) is None
        own_postgres.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        own_postgres.execute("SELECT pg_reload_conf()")
        task = await _unanswered(own_postgres, state)
        own_postgres.execute("ALTER SYSTEM RESET synchronous_standby_names")
        own_postgres.execute(END_WAIT)
        with pytest.raises(StateError, match="perhaps on no standby"):
            await task
        own_postgres.execute("SELECT pg_reload_conf()")


async def _unanswered(server: PostgresServer, state: PostgresState) -> "asyncio.Task[NotCounted | None]":
    """One use whose COMMIT waits for a standby. Those before the server has read its settings do not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for number in itertools.count(2):
        task = asyncio.create_task(use(state, number))
        while not task.done() and time.monotonic() < deadline:
            if server.execute(WAITS):
                return task
            await asyncio.sleep(0.02)
        assert time.monotonic() < deadline
        assert await task is None
    raise AssertionError


async def test_an_old_dump_is_not_opened_by_starting_anew(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    """What watches /readyz starts replicas anew by itself. By the clock, nobody has been seen in an old dump for long."""
    url = own_postgres.url()
    async with PostgresState(url) as other:
        assert await use(other, 1) is None
        own_postgres.execute(KEEP_DUMP)
        own_postgres.execute("UPDATE dump.replicas SET seen_at_ms = seen_at_ms - 86400000")
        assert await use(state, 2, ahead_ms=50_000) is None
        own_postgres.execute(PUT_DUMP_BACK)
        with pytest.raises(StateError, match="lost what was committed"):
            await use(state, 2, ahead_ms=50_000)
    with pytest.raises(StateError, match=r"a replica has found .*state accept"):
        await PostgresState(url).__aenter__()


async def test_a_dump_in_a_database_of_its_own_is_not_opened_by_starting_anew(
    own_postgres: PostgresServer,
) -> None:
    """`dropdb`, `createdb`, `pg_restore`: all connections are gone, and the server is the one that it was."""
    own_postgres.execute("CREATE DATABASE desk")
    url = own_postgres.url("desk")
    async with PostgresState(url, SYNCHRONOUS) as state:
        assert await use(state, 1) is None
        own_postgres.execute(SEND_AWAY)
        own_postgres.execute("CREATE DATABASE restored TEMPLATE desk")
        assert await use(state, 2, ahead_ms=50_000) is None
        own_postgres.execute(SEND_AWAY)
        own_postgres.execute("DROP DATABASE desk")
        own_postgres.execute("ALTER DATABASE restored RENAME TO desk")
        with pytest.raises(StateError, match="is another database than before"):
            await use(state, 2, ahead_ms=50_000)
    for options in (StateOptions(), SYNCHRONOUS):
        with pytest.raises(StateError, match=r"another server has taken over .*state accept"):
            await PostgresState(url, options).__aenter__()
    await asyncio.to_thread(accept_state, url)
    async with PostgresState(url) as state:
        assert await use(state, 2, ahead_ms=50_000) == NotCounted("clock")
        assert await use(state, 3, ahead_ms=LATER_MS) is None


async def test_a_dump_is_found_by_who_writes_first(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    own_postgres.execute(KEEP_DUMP)
    assert await use(state, 2, ahead_ms=50_000) is None
    own_postgres.execute(PUT_DUMP_BACK)
    with pytest.raises(StateError, match="lost what was committed"):
        await use(state, 2, ahead_ms=50_000)


async def test_a_restart_of_the_same_server_is_no_fail_over(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    assert await use(state, 1) is None
    await asyncio.to_thread(own_postgres.crash)
    await asyncio.to_thread(own_postgres.start)
    assert await use(state, 1) == REPLAYED
    assert await use(state, 2) is None


async def test_several_hosts_lead_to_the_one_that_writes(
    own_postgres: PostgresServer, postgres: PostgresServer
) -> None:
    def standby() -> None:
        own_postgres.stop()
        own_postgres.start(standby=True)

    await asyncio.to_thread(standby)
    with postgres.database() as url:
        name = url.rpartition("/")[2]
        own_postgres_at = own_postgres.url().rpartition("@")[2].partition("/")[0]
        here, there = url.replace("@", f"@{own_postgres_at},", 1), f"{name}?target_session_attrs=read-write"
        async with PostgresState(here.replace(name, there)) as state:
            assert await use(state, 1) is None


async def test_replicas_are_known_by_when_they_were_seen(own_postgres: PostgresServer) -> None:
    async with PostgresState(own_postgres.url()) as one, PostgresState(own_postgres.url()) as two:
        assert await use(one, 1) is None
        found = await two.replicas()
        assert [each.here for each in found] == [False, True]
        assert found[0].last_commit > found[1].last_commit
        own_postgres.execute(LONG_GONE)
        await one.forget_expired(now_ms=now_ms())
        assert [each.id for each in await one.replicas()] == [found[0].id], (
            "one that is long gone is forgotten"
        )


async def test_a_program_that_runs_stops_when_a_newer_one_has_changed_what_it_writes(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    assert await use(state, 1) is None
    own_postgres.execute("UPDATE vaultsigner.commits SET oldest_program = 99")
    with pytest.raises(StateError, match="a newer vaultsigner has changed the tables"):
        await state.suspensions()
    for _ in range(2):
        with pytest.raises(StateError, match="a newer vaultsigner has changed the tables"):
            await use(state, 2)
    assert own_postgres.execute("SELECT count(*) FROM vaultsigner.nonces") == [(1,)]


async def test_a_program_that_runs_goes_on_beside_a_newer_schema_that_leaves_its_tables_alone(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    """So replicas are replaced one after the other. One that is started is told to be replaced."""
    own_postgres.execute("INSERT INTO vaultsigner.schema_version (version) VALUES (99)")
    assert await use(state, 1) is None
    await asyncio.to_thread(own_postgres.stop)
    await asyncio.to_thread(own_postgres.start)
    assert await use(state, 1) == REPLAYED, "also over a new connection"
    with pytest.raises(StateError, match=r"has schema 99, this vaultsigner knows .* made by a newer one"):
        await PostgresState(own_postgres.url()).__aenter__()
    assert await use(state, 2) is None


async def test_who_only_reads_stops_with_the_others(
    own_postgres: PostgresServer, state: PostgresState
) -> None:
    """A suspension may be among what was lost, and there is no other look at it than this one."""
    assert (await state.suspensions()).suspended == ()
    own_postgres.execute("UPDATE vaultsigner.commits SET closed = 'a drill'")
    with pytest.raises(StateError, match="a drill; it serves nobody"):
        await state.suspension_version()
    own_postgres.execute("UPDATE vaultsigner.commits SET closed = NULL")
    assert (await state.suspensions()).suspended == ()
