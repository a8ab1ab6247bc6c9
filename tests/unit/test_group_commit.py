"""Group commit: batches in order, every caller its own result, and no mistake that ends the thread."""

import asyncio
import gc
import itertools
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS, until
from vaultsigner.errors import StateError
from vaultsigner.group_commit import BATCH_LIMIT, GroupCommit


class Desk:
    """Doubles numbers, in batches that it remembers; refuses -1, breaks down at -2."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def commit(self, batch: Sequence[int]) -> Sequence[int | Exception]:
        self.begun.set()
        self.go.wait(PATIENCE_SECONDS)
        self.batches.append(list(batch))
        if -2 in batch:
            raise RuntimeError("broken down")
        return [StateError("refused") if number == -1 else 2 * number for number in batch]


def group(
    desk: Desk, *, wait_seconds: float = PATIENCE_SECONDS, idle_seconds: float | None = None
) -> GroupCommit[int, int]:
    made = GroupCommit[int, int](
        desk.commit, failure=StateError, name="desk", wait_seconds=wait_seconds, idle_seconds=idle_seconds
    )
    made.start()
    return made


async def test_each_caller_gets_its_own_result_and_the_order_is_kept() -> None:
    desk = Desk()
    commits = group(desk)
    assert await asyncio.gather(*(commits.submit(n) for n in range(50))) == [2 * n for n in range(50)]
    assert [n for batch in desk.batches for n in batch] == list(range(50))
    await commits.close()


async def test_what_waits_goes_together_up_to_a_limit() -> None:
    desk = Desk()
    commits = group(desk)
    desk.go.clear()
    waiting = [asyncio.create_task(commits.submit(n)) for n in range(BATCH_LIMIT * 2 + 100)]
    await asyncio.sleep(0.1)
    desk.go.set()
    await asyncio.gather(*waiting)
    assert max(len(batch) for batch in desk.batches) == BATCH_LIMIT
    assert len(desk.batches) <= 4
    await commits.close()


async def test_one_refusal_is_one_callers_alone() -> None:
    desk = Desk()
    commits = group(desk)
    results = await asyncio.gather(*(commits.submit(n) for n in (12, -1, 14)), return_exceptions=True)
    assert results[0] == 24
    assert isinstance(results[1], StateError)
    assert results[2] == 28
    await commits.close()


async def test_a_mistake_is_an_error_for_its_batch_and_does_not_end_the_thread() -> None:
    commits = group(Desk())
    with pytest.raises(StateError, match="RuntimeError: broken down"):
        await commits.submit(-2)
    assert await commits.submit(1) == 2
    await commits.close()


async def refused(commits: GroupCommit[Any, Any], work: object) -> None:
    """Submit it, to be told that there is no answer."""
    with pytest.raises(StateError, match="no answer"):
        await commits.submit(work)


@asynccontextmanager
async def hanging(
    commits: GroupCommit[Any, Any], begun: threading.Event, work: Callable[[], object]
) -> AsyncIterator[None]:
    """For as long as its caller waits for a batch that has just begun, and is not done before the thread may go on.

    What was given up before the thread was awake is never begun: another one is, then.
    """
    while not begun.is_set():
        waiting = asyncio.create_task(refused(commits, work()))
        await until(lambda: begun.is_set() or waiting.done(), "the batch begins")  # noqa: B023 - asked only here.
    yield
    await waiting


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    desk = Desk()
    commits = group(desk, wait_seconds=0.2)
    desk.go.clear()
    async with hanging(commits, desk.begun, lambda: 1):
        await asyncio.gather(*(refused(commits, n) for n in range(100, 103)))
    desk.go.set()
    assert await first_done(commits, itertools.count(7)) >= 7
    begun = [n for batch in desk.batches for n in batch]
    assert not set(begun) & {100, 101, 102}
    await closed(commits)


async def closed(commits: GroupCommit[Any, int]) -> None:
    """Close it, however little it waits for else."""
    commits._wait_seconds = PATIENCE_SECONDS
    await commits.close()


async def first_done(commits: GroupCommit[int, int], numbers: Iterator[int]) -> int:
    """Submits one number after the other until one is done in time, which on a slow machine may take some."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for number in numbers:
            with suppress(StateError):
                assert await commits.submit(number) == 2 * number
                break
    return number


async def test_a_cancelled_callers_work_is_still_done() -> None:
    desk = Desk()
    commits = group(desk)
    desk.go.clear()
    task = asyncio.create_task(commits.submit(5))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    desk.go.set()
    await commits.close()
    assert desk.batches == [[5]]


async def test_closing_does_what_waits_and_nothing_after() -> None:
    desk = Desk()
    commits = group(desk)
    waiting = [asyncio.create_task(commits.submit(n)) for n in range(3)]
    await asyncio.sleep(0)
    await commits.close()
    assert await asyncio.gather(*waiting) == [0, 2, 4]
    with pytest.raises(StateError, match="closed"):
        await commits.submit(4)
    await commits.close()


async def test_a_thread_that_hangs_does_not_hang_the_closing() -> None:
    desk = Desk()
    commits = group(desk, wait_seconds=0.05)
    desk.go.clear()
    async with hanging(commits, desk.begun, lambda: 1):
        pass
    with pytest.raises(StateError, match="did not end"):
        await commits.close()
    desk.go.set()


async def test_without_work_it_looks_around_when_told_to() -> None:
    desk = Desk()
    commits = group(desk, idle_seconds=0.01)
    await until(lambda: [] in desk.batches, "it looks around")
    await commits.close()


async def test_once_the_stall_is_known_nobody_waits_for_it_any_more() -> None:
    desk = Desk()
    commits = group(desk, wait_seconds=0.2)
    desk.go.clear()
    async with hanging(commits, desk.begun, lambda: 1):
        # Counted from when the batch began, which is a little after its caller began to wait.
        await until(commits._stalled, "the stall is known")
    # A task that is done after one turn of the loop has not waited.
    asked = [asyncio.create_task(commits.submit(number)) for number in range(100, 200)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert all("no answer for more than" in str(task.exception()) for task in asked)
    desk.go.set()
    assert await first_done(commits, itertools.count(7)) >= 7
    assert not {n for batch in desk.batches for n in batch} & set(range(100, 200))
    await closed(commits)


class Heavy:
    """Work that can be watched."""


async def test_what_nobody_waits_for_is_not_kept_in_memory() -> None:
    begun, go = threading.Event(), threading.Event()

    def commit(batch: Sequence[Heavy]) -> Sequence[int]:
        begun.set()
        go.wait(PATIENCE_SECONDS)
        return [1 for _ in batch]

    commits = GroupCommit[Heavy, int](commit, failure=StateError, name="desk", wait_seconds=0.2)
    commits.start()

    async with hanging(commits, begun, Heavy):
        heavy = Heavy()
        left = weakref.ref(heavy)
        waiting = asyncio.create_task(refused(commits, heavy))
        del heavy
        await waiting
        del waiting
    gc.collect()
    assert left() is None
    go.set()
    await closed(commits)
