"""What is SQLite's own: the file, its log, its locks, and what happens when they go away."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS, until
from vaultsigner.errors import StateError
from vaultsigner.state import (
    AccountKey,
    Count,
    HeldByOther,
    LimitUse,
    Nonce,
    NotCounted,
    Reserved,
    open_state,
    sqlite_schema,
)
from vaultsigner.state.counting_statements import count
from vaultsigner.state.sessions import Session
from vaultsigner.state.sqlite import SqliteState
from vaultsigner.state.sqlite_engine import SqliteSession

KEY = AccountKey("chain", "address")
NONCE = Nonce(b"n" * 32, 5_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "vaultsigner.db"


async def reserve(state: SqliteState, owner: str = "a") -> Reserved | HeldByOther | NotCounted:
    return await state.reserve(KEY, "f", owner, now_ms=0, lease_ms=1_000)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "state/vaultsigner.db",
        "file:///x",
    ],
)
def test_a_url_without_an_engine_says_what_to_write(url: str) -> None:
    with pytest.raises(StateError, match="write sqlite:///"):
        open_state(url)


async def test_three_slashes_are_relative_and_four_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_state("sqlite:///state/a b?c#d.db"), open_state(f"sqlite:///{tmp_path}/absolute.db"):
        pass
    assert (tmp_path / "state" / "a b?c#d.db").is_file()
    assert (tmp_path / "absolute.db").is_file()


async def test_only_the_owner_reads_the_state(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 0)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert modes == {"vaultsigner.db": 0o600, "vaultsigner.db-wal": 0o600, "vaultsigner.db-shm": 0o600}


def ask(statement: str, session: Session) -> object:
    return session.rows(statement, {})[0]


def trace(statements: list[str], session: Session) -> None:
    assert isinstance(session, SqliteSession)
    session.connection.set_trace_callback(statements.append)


async def test_writes_are_logged_ahead_and_synced_in_full(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        for pragma, value in [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]:
            row = await state._read(partial(ask, f"PRAGMA {pragma}"))
            assert row == (value,)


async def test_all_that_wait_share_one_transaction(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 0)
        statements: list[str] = []
        await state._read(partial(trace, statements))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # Nothing is written before all of them wait.
            asked = [
                asyncio.create_task(state.remember_account(AccountKey("chain", str(n)), 1, n))
                for n in range(50)
            ]
            await asyncio.sleep(0)
            other.execute("ROLLBACK")
        await asyncio.gather(*asked)
        # Of those that the thread found first, and of all others.
        assert 1 <= statements.count("COMMIT") <= 2
        # A transaction that turned into a writing one half-way could be refused by another process's commit in between.
        assert statements.count("BEGIN IMMEDIATE") == statements.count("COMMIT")


async def test_a_mistake_in_one_operation_harms_no_other_in_its_transaction(path: Path) -> None:
    keys = [AccountKey("chain", str(n)) for n in range(5)]
    async with SqliteState(str(path)) as state:
        results = await asyncio.gather(
            *(state.remember_account(key, 1, -1 if n == 2 else n) for n, key in enumerate(keys)),
            return_exceptions=True,
        )
        assert [isinstance(result, StateError) for result in results] == [False, False, True, False, False]
        assert [await state.account(key) is None for key in keys] == [False, False, True, False, False]


async def test_an_error_of_the_database_is_told_and_the_next_call_starts_afresh(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 5)
        with pytest.raises(StateError, match="no such table"):
            await state._write(lambda session: session.execute("DELETE FROM nowhere", {}))
        assert isinstance(await reserve(state), Reserved)


class Contended(sqlite3.Connection):
    """Is told at first that the database is locked, as happens when several switch it to write-ahead logging at once."""

    refusals = 2

    def execute(self, statement: str, *terms: Any) -> sqlite3.Cursor:
        if "journal_mode" in statement and Contended.refusals:
            Contended.refusals -= 1
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise busy
        return super().execute(statement, *terms)


async def test_opening_gives_way_to_others_that_open_it_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Contended))
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 5)
    assert Contended.refusals == 0


def use_and_blunder(session: Session) -> None:
    count(session, Count(nonces=(NONCE,)), 0)
    raise TypeError("a mistake of ours")


async def test_a_mistake_of_ours_leaves_no_transaction_for_the_next_to_continue(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        with pytest.raises(StateError, match="a mistake of ours"):
            await state._write(use_and_blunder)
        with closing(sqlite3.connect(path, timeout=0.1)) as other:
            other.execute("BEGIN IMMEDIATE")
        assert await state.count(Count(nonces=(Nonce(b"another", 5_000),)), now_ms=0) is None
        assert await state.count(Count(nonces=(NONCE,)), now_ms=0) is None, (
            "the mistake was committed with the next"
        )


async def test_a_missing_row_of_the_nonces_horizon_is_told_and_nothing_counts(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 5)
        await state._write(lambda session: session.execute("DELETE FROM nonce_horizon", {}))
        with pytest.raises(StateError, match="the row of nonce_horizon is gone"):
            await state.count(Count(nonces=(NONCE,)), now_ms=0)
        await state.forget_expired(now_ms=10**13)
        assert isinstance(await reserve(state), Reserved)


async def test_a_held_number_cannot_be_moved_by_any_statement(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 5)
        await reserve(state)
        with pytest.raises(StateError, match="held"):
            await state._write(lambda session: session.execute("UPDATE accounts SET sequence = 4", {}))


async def test_a_database_of_a_newer_vaultsigner_is_not_touched(path: Path) -> None:
    async with SqliteState(str(path)):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO schema_version (version) VALUES (99)")
    with pytest.raises(StateError, match="made by a newer one"):
        await SqliteState(str(path)).__aenter__()


@pytest.mark.parametrize("version", range(1, len(sqlite_schema.MIGRATIONS)))
async def test_a_database_of_an_older_version_keeps_what_it_has(
    path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    with monkeypatch.context() as older:
        older.setattr(sqlite_schema, "MIGRATIONS", sqlite_schema.MIGRATIONS[:version])
        async with SqliteState(str(path)) as state:
            await state.remember_account(KEY, 1, 5)
            await reserve(state)
    async with SqliteState(str(path)) as state:
        assert isinstance(await reserve(state, "b"), HeldByOther)
        count = Count((Nonce(bytes(32), 1),), limits=(LimitUse("k", 1_000, 1, 1),))
        assert await state.count(count, now_ms=0) is None
        assert (await state.suspensions()).suspended == ()
        assert await state.list_approvals(now_ms=0) == ()


def test_a_file_that_is_no_database_is_an_error_and_stays_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"precious " * 1_000)
    with pytest.raises(StateError, match="not a database"):
        asyncio.run(SqliteState(str(path)).__aenter__())
    assert path.read_bytes() == b"precious " * 1_000


async def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="file"):
        await SqliteState(str(tmp_path / "file" / "state.db")).__aenter__()


async def test_several_that_start_at_once_make_one_database(path: Path) -> None:
    states = [SqliteState(str(path)) for _ in range(8)]
    await asyncio.gather(*(state.__aenter__() for state in states))
    await asyncio.gather(*(state.remember_account(KEY, 1, 5) for state in states))
    answers = await asyncio.gather(*(reserve(state, str(n)) for n, state in enumerate(states)))
    assert sum(isinstance(answer, Reserved) for answer in answers) == 1
    for state in states:
        await state.__aexit__(None, None, None)


async def test_another_processs_lock_is_an_error_and_then_it_goes_on(path: Path) -> None:
    async with SqliteState(str(path), busy_seconds=0.1) as state:
        await state.remember_account(KEY, 1, 5)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StateError, match="locked"):
                await reserve(state)
            assert await state.account(KEY) is not None
            other.execute("ROLLBACK")
        assert isinstance(await reserve(state), Reserved)


def addresses_in(path: Path) -> set[str]:
    """What a database holds; nothing when there is none."""
    if not path.exists():
        return set()
    with closing(sqlite3.connect(path)) as connection:
        return {address for (address,) in connection.execute("SELECT address FROM accounts")}


def delete(path: Path) -> None:
    path.unlink()


def replace_by_a_copy(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").rename(path)


def delete_the_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def delete_the_shared_memory(path: Path) -> None:
    path.with_name(f"{path.name}-shm").unlink()


@pytest.mark.parametrize("harm", [delete, replace_by_a_copy, delete_the_log, delete_the_shared_memory])
async def test_a_commit_into_a_file_that_is_gone_is_an_error(
    path: Path, harm: Callable[[Path], None]
) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 5)
        harm(path)
        with pytest.raises(StateError, match=r"replaced|deleted|No such file"):
            await reserve(state)


@pytest.mark.parametrize("harm", [delete, replace_by_a_copy])
async def test_a_lost_database_never_comes_back_empty_without_a_restart(
    path: Path, harm: Callable[[Path], None]
) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 5)
        harm(path)
        for address in ("noticed after it was written", "second", "third"):
            with pytest.raises(StateError):
                await state.remember_account(AccountKey("chain", address), 1, 5)
            with pytest.raises(StateError):
                await state.account(KEY)
    assert not addresses_in(path) & {"second", "third"}


async def test_a_database_that_was_moved_away_works_again_when_it_is_back(path: Path, tmp_path: Path) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 5)
        away = shutil.move(path, tmp_path / "away")
        with pytest.raises(StateError, match="No such file"):
            await reserve(state)
        shutil.move(away, path)
        assert await state.account(KEY) is not None


async def test_a_stalled_disk_is_an_error_within_the_bounded_wait(path: Path) -> None:
    async with SqliteState(str(path)) as before:
        await before.remember_account(KEY, 1, 5)
    async with SqliteState(str(path), wait_seconds=1.0, busy_seconds=PATIENCE_SECONDS) as state:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            while state._group._began is None:  # What is given up before the thread was awake is never begun.
                with pytest.raises(StateError, match=r"within 1 s"):
                    await reserve(state)
            # Counted from when the work began, which is a little after its caller began to wait.
            await until(state._group._stalled, "the stall is known")
            with pytest.raises(StateError, match=r"for more than 1 s"):
                await reserve(state, "never begun")
            other.execute("ROLLBACK")
        await until(lambda: not state._group._stalled(), "it goes on")
    async with SqliteState(str(path)) as after:
        account = await after.account(KEY)
        assert account is not None
        assert account.held is not None
        # Begun before the caller gave up: done late, and bound to its owner.
        assert account.held.owner == "a"


async def test_a_closed_state_answers_an_error(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        pass
    with pytest.raises(StateError, match="closed"):
        await state.account(KEY)


FULL_DISK = """
import asyncio, os, resource, sys
from vaultsigner.errors import StateError
from vaultsigner.state import AccountKey, open_state

async def main():
    async with open_state(sys.argv[1]) as state:
        largest = max(os.path.getsize(sys.argv[1].removeprefix("sqlite:///") + end) for end in ("", "-wal"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 50_000, resource.RLIM_INFINITY))
        good, bad = [], 0
        for number in range(120):
            try:
                await state.remember_account(AccountKey("c" * 200, str(number)), 1, number)
                good.append(number)
            except StateError:
                bad += 1
        assert good and bad, (good, bad)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await state.remember_account(AccountKey("c", "after"), 1, 0)
        for number in good:
            account = await state.account(AccountKey("c" * 200, str(number)))
            assert account and account.sequence == number, number

asyncio.run(main())
"""


def test_a_file_that_may_not_grow_is_an_error_and_loses_nothing(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, f"sqlite:///{path}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


async def open_and_close(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 5)


def test_no_descriptor_is_left_behind(path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(3):
        asyncio.run(open_and_close(path))
    assert len(list(descriptors.iterdir())) == before
