"""One thread that does, in one go, all the work that waits at the same time: one sync serves everybody.

Used by the record and by the state, which must not know each other.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from vaultsigner.errors import VaultsignerError
from vaultsigner.telemetry.measures import Histogram, Times
from vaultsigner.telemetry.passages import StepName, step

Work = TypeVar("Work")
Done = TypeVar("Done")

QUEUE_LIMIT = 10_000
BATCH_LIMIT = 1_000
WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much a group has to do.

    Args:
        waits: how long callers waited for their results, good or bad.
        failures: of them, how many had no good one.
        waiting: how many pieces of work wait at this moment.
    """

    waits: Times
    failures: int
    waiting: int


class _Waiting(Generic[Work, Done]):
    """One caller: its work, and the future it waits on. Neither is there once nobody waits any more: it may stay in the queue for
    as long as the disk hangs, and is not to fill the memory.
    """

    __slots__ = ("future", "work")

    def __init__(self, work: Work, future: "asyncio.Future[Done]") -> None:
        self.work: tuple[Work] | None = (work,)
        self.future: asyncio.Future[Done] | None = future

    def abandon(self) -> None:
        # The future as well: its cancellation remembers the caller's frame, and with it the work.
        self.work = self.future = None


class GroupCommit(Generic[Work, Done]):
    """Hands batches of waiting work to `commit`, on one thread of its own, in the order in which they came.

    Args:
        commit: does a batch and returns one result or exception for each piece of work, in order. It is called with an
            empty batch after `idle_seconds` without work.
        failure: the exception class that callers see when the queue is full, the wait too long or the thread gone.
        name: of the thread.
        idle_seconds: None: `commit` is never called without work.
        queue_limit: how many may wait; one more is refused at once.
        wait_seconds: how long a caller waits before it is told that the outcome is unknown. Where one batch takes longer than
            that, callers are refused at once until it is done: they would wait in vain.
        step: what waiting for it is called where requests are measured; None: it is no step of any.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Work]], Sequence[Done | Exception]],
        *,
        failure: type[VaultsignerError],
        name: str,
        idle_seconds: float | None = None,
        queue_limit: int = QUEUE_LIMIT,
        wait_seconds: float = WAIT_SECONDS,
        step: StepName | None = None,
    ) -> None:
        self._commit = commit
        self._failure = failure
        self._idle_seconds = idle_seconds
        self._queue_limit = queue_limit
        self._wait_seconds = wait_seconds
        self._queue: queue.SimpleQueue[_Waiting[Work, Done] | None] = queue.SimpleQueue()
        self._open = False
        self._step = step
        self._waits = Histogram()
        self._failures = 0
        self._began: float | None = None  # when the batch that is being done was begun, on `time.monotonic`
        # A daemon: a disk that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread. Results are delivered to the running event loop, and to no other."""
        self._loop = asyncio.get_running_loop()
        self._finished = asyncio.Event()
        self._open = True
        self._thread.start()

    async def submit(self, work: Work) -> Done:
        """Wait until the work is done, and return its result or raise its exception.

        Cancelling the caller does not take the work back: what was asked for is still done.

        Raises:
            VaultsignerError: of the class `failure`: queue full, closed, or no result in time. In the last case work
                that had already begun may still be done later.
        """
        began = time.monotonic()
        with self._measured():
            try:
                return await self._wait_for(work)
            except self._failure:
                self._failures += 1
                raise
            finally:
                self._waits.observe(time.monotonic() - began)

    @property
    def load(self) -> Load:
        """How much it has to do, and how long that takes."""
        return Load(self._waits.times(), self._failures, self._queue.qsize())

    def _measured(self) -> AbstractContextManager[None]:
        return nullcontext() if self._step is None else step(self._step)

    async def _wait_for(self, work: Work) -> Done:
        if not self._open:
            raise self._failure(f"{self._thread.name} is closed")
        if self._stalled():
            raise self._failure(f"{self._thread.name}: no answer for more than {self._wait_seconds:g} s")
        if self._queue.qsize() >= self._queue_limit:
            raise self._failure(f"{self._thread.name}: {self._queue_limit} are waiting already")
        future: asyncio.Future[Done] = self._loop.create_future()
        waiting = _Waiting(work, future)
        self._queue.put(waiting)
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await future
        except TimeoutError:
            waiting.abandon()
            raise self._failure(f"{self._thread.name}: no answer within {self._wait_seconds:g} s") from None

    async def close(self) -> None:
        """Do what waits, then end the thread; no longer than `wait_seconds`.

        Raises:
            VaultsignerError: of the class `failure`, when the thread hangs.
        """
        if not self._open:
            return
        self._open = False
        self._queue.put(None)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._finished.wait()
        except TimeoutError:
            raise self._failure(f"{self._thread.name} did not end within {self._wait_seconds:g} s") from None

    def _run(self) -> None:
        going = True
        while going:
            taken, going = self._take()
            # Looked at once: a caller may give up at any moment.
            batch = [(waiting, work[0]) for waiting in taken if (work := waiting.work) is not None]
            if batch or (going and self._idle_seconds is not None):
                self._do(batch)
        self._deliver(self._finished.set)

    def _take(self) -> tuple[list[_Waiting[Work, Done]], bool]:
        """All that waits now, at least one unless idle, and whether to go on after it."""
        batch: list[_Waiting[Work, Done]] = []
        try:
            taken = self._queue.get(timeout=self._idle_seconds)
            while taken is not None:
                batch.append(taken)
                if len(batch) == BATCH_LIMIT:
                    return batch, True
                taken = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _stalled(self) -> bool:
        began = self._began
        return began is not None and time.monotonic() - began >= self._wait_seconds

    def _do(self, batch: list[tuple[_Waiting[Work, Done], Work]]) -> None:
        results: Sequence[Done | Exception]
        self._began = time.monotonic()
        try:
            results = self._commit([work for _, work in batch])
        except Exception as error:  # noqa: BLE001 - the thread's edge: it must outlive any mistake in `commit`.
            results = [self._failure(f"{self._thread.name}: {type(error).__name__}: {error}") for _ in batch]
        self._began = None
        self._deliver(lambda: _resolve([waiting for waiting, _ in batch], results))

    def _deliver(self, action: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            self._loop.call_soon_threadsafe(action)


def _resolve(batch: Sequence[_Waiting[Work, Done]], results: Sequence[Done | Exception]) -> None:
    for waiting, result in zip(batch, results, strict=True):
        future = waiting.future
        if future is None or future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
