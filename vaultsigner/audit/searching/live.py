"""What is recorded at this moment, for any number of people who watch: the files are looked at once for all of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path

from vaultsigner.audit.files.following import Follower
from vaultsigner.audit.searching.query_client import QueryBusyError, QueryError
from vaultsigner.errors import AuditError

LOOKS_EVERY_SECONDS = 0.5
MOST_WATCHING = 16
MOST_HELD = 64
"""Looks that found something and that somebody has not taken yet; whoever is further behind is cut off."""

Lines = list[bytes]


class LiveRecords:
    """The lines that come, in all chains of a directory, from whatever process."""

    def __init__(self, directory: Path, *, every_seconds: float = LOOKS_EVERY_SECONDS) -> None:
        self._directory = directory
        self._every_seconds = every_seconds
        self._watching: set[asyncio.Queue[Lines | None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def watch(self) -> "Watch":
        """What comes from now on. Whoever has it closes it.

        Raises:
            QueryBusyError: too many watch already.
            QueryError: the files cannot be read.
        """
        if len(self._watching) >= MOST_WATCHING:
            raise QueryBusyError(f"{MOST_WATCHING} others watch the record at this moment")
        queue: asyncio.Queue[Lines | None] = asyncio.Queue(MOST_HELD)
        self._watching.add(queue)
        if self._looking is None or self._looking.done():
            self._ready = asyncio.Event()
            self._looking = asyncio.get_running_loop().create_task(self._look(self._ready))
        try:
            await self._ready.wait()
        except asyncio.CancelledError:
            self._leave(queue)
            raise
        if queue not in self._watching:
            raise QueryError("The records cannot be read just now")
        return Watch(queue, self._leave)

    def hang_up(self) -> None:
        """Tell everybody that this is the end."""
        for queue in [*self._watching]:
            self._end(queue)

    async def close(self) -> None:
        """Look no more."""
        self.hang_up()
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    def _leave(self, queue: asyncio.Queue[Lines | None]) -> None:
        self._watching.discard(queue)
        if not self._watching and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _end(self, queue: asyncio.Queue[Lines | None]) -> None:
        self._watching.discard(queue)
        while queue.full():
            queue.get_nowait()
        queue.put_nowait(None)

    async def _look(self, ready: asyncio.Event) -> None:
        follower = Follower(self._directory)
        try:
            await asyncio.to_thread(follower.last, 0)
            ready.set()
            while True:
                await asyncio.sleep(self._every_seconds)
                lines = await asyncio.to_thread(follower.new)
                for queue in [*self._watching] if lines else ():
                    if queue.qsize() == MOST_HELD:
                        self._end(queue)
                    else:
                        queue.put_nowait(lines)
        except AuditError:
            self.hang_up()
        finally:
            ready.set()


class Watch:
    """One who watches."""

    def __init__(
        self, queue: asyncio.Queue[Lines | None], leave: Callable[[asyncio.Queue[Lines | None]], None]
    ) -> None:
        self._queue = queue
        self._leave = leave

    async def lines(self, sign_every_seconds: float) -> AsyncGenerator[Lines, None]:
        """What comes, until there is no more; nothing, now and then, where nothing comes."""
        while True:
            try:
                async with asyncio.timeout(sign_every_seconds):
                    lines = await self._queue.get()
            except TimeoutError:
                yield []
                continue
            if lines is None:
                return
            yield lines

    def close(self) -> None:
        """No more is wanted."""
        self._leave(self._queue)
