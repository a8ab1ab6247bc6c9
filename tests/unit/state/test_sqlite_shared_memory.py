"""The `-shm` file deleted under running instances: SQLite's locks go with it, and no number may be given twice."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from vaultsigner.errors import StateError
from vaultsigner.state import AccountKey, Reserved
from vaultsigner.state.sqlite import SqliteState
from vaultsigner.state.sqlite_files import only_writer

KEY = AccountKey("chain", "address")
ROOT = Path(__file__).parents[3]

INSTANCE = """
import asyncio, sys
from vaultsigner.errors import StateError
from vaultsigner.state import AccountKey
from vaultsigner.state.sqlite import SqliteState

async def main():
    async with SqliteState(sys.argv[1]) as state:
        print("open", flush=True)
        for owner in map(str.strip, sys.stdin):
            try:
                answer = await state.reserve(AccountKey("chain", "address"), "f", owner, now_ms=0, lease_ms=1_000)
                print(type(answer).__name__, flush=True)
            except StateError:
                print("StateError", flush=True)

asyncio.run(main())
"""


class Instance:
    """A process of its own, as locks are the process's."""

    def __init__(self, path: Path, owner: str) -> None:
        self._owner = owner
        self.process = subprocess.Popen(
            [sys.executable, "-c", INSTANCE, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._line() == "open"

    def reserve(self) -> str:
        """The name of the answer's type."""
        assert self.process.stdin is not None
        print(self._owner, file=self.process.stdin, flush=True)
        return self._line()

    def stop(self) -> None:
        """In order: what it has open is closed."""
        self.process.communicate(timeout=PATIENCE_SECONDS)

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with one account, closed."""
    path = tmp_path / "state" / "vaultsigner.db"
    asyncio.run(remember(path))
    return path


@pytest.fixture
def start(path: Path) -> Iterator[Callable[[str], Instance]]:
    """Starts an instance on the database, given its name."""
    started: list[Instance] = []

    def instance(owner: str) -> Instance:
        started.append(Instance(path, owner))
        return started[-1]

    yield instance
    for each in started:
        each.process.kill()
        each.process.communicate()


async def remember(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        await state.remember_account(KEY, 1, 5)


def shared_memory(path: Path) -> Path:
    return path.with_name(f"{path.name}-shm")


def holder(path: Path) -> str | None:
    """Who holds the account's number, as an instance that starts now sees it."""

    async def look() -> str | None:
        async with SqliteState(str(path)) as state:
            account = await state.account(KEY)
            return account.held.owner if account and account.held else None

    return asyncio.run(look())


def test_after_a_third_instance_has_started_the_first_two_give_no_number(
    path: Path, start: Callable[[str], Instance]
) -> None:
    first, second = start("first"), start("second")
    shared_memory(path).unlink()
    third = start("third")
    assert third.reserve() == "Reserved"
    for each in (first, second):
        assert each.reserve() == "StateError"
        assert each.reserve() == "HeldByOther", "connected anew, it sees what the third did"


def test_without_a_third_instance_the_two_meet_again_on_new_shared_memory(
    path: Path, start: Callable[[str], Instance]
) -> None:
    first, second = start("first"), start("second")
    shared_memory(path).unlink()
    assert [first.reserve(), first.reserve()] == ["StateError", "Reserved"]
    assert [second.reserve(), second.reserve()] == ["StateError", "HeldByOther"]


@pytest.mark.parametrize("noticed", [True, False])
def test_an_instance_that_closes_without_knowing_the_log_does_not_delete_what_others_wrote(
    path: Path, start: Callable[[str], Instance], noticed: bool
) -> None:
    first = start("first")
    shared_memory(path).unlink()
    third = start("third")
    assert third.reserve() == "Reserved"
    third.stop()
    if noticed:
        assert first.reserve() == "StateError"
    first.stop()
    assert holder(path) == "third"


async def test_what_is_deleted_during_a_transaction_is_noticed_before_its_commit(path: Path) -> None:
    async with SqliteState(str(path)) as state:

        def take_and_delete(connection: object) -> None:
            shared_memory(path).unlink()

        results = await asyncio.gather(
            state.reserve(KEY, "f", "a", now_ms=0, lease_ms=1_000),
            state._write(take_and_delete),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [StateError, StateError]
        account = await state.account(KEY)
        assert account is not None
        assert account.held is None, "it was not committed"


async def test_shared_memory_that_was_replaced_by_a_copy_is_noticed(path: Path) -> None:
    async with SqliteState(str(path)) as state:
        await state.account(KEY)
        copy = shared_memory(path).with_name("copy")
        copy.write_bytes(shared_memory(path).read_bytes())
        copy.rename(shared_memory(path))
        with pytest.raises(StateError, match="replaced or deleted"):
            await state.account(KEY)
        assert isinstance(await state.reserve(KEY, "f", "a", now_ms=0, lease_ms=1_000), Reserved)
    assert await asyncio.to_thread(holder, path) == "a"


async def test_one_writes_at_a_time_even_where_sqlites_locks_are_gone(path: Path) -> None:
    async with SqliteState(str(path), busy_seconds=0.1) as state:
        with only_writer(path.parent, 0.0):
            with pytest.raises(StateError, match="locked"):
                await state.reserve(KEY, "f", "a", now_ms=0, lease_ms=1_000)
            with pytest.raises(StateError, match="locked"):
                await state.remember_account(KEY, 1, 5)
        assert isinstance(await state.reserve(KEY, "f", "a", now_ms=0, lease_ms=1_000), Reserved)
