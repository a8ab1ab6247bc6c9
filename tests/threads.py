"""A server of this event loop's kind in a thread of its own, so that fixtures of any scope and tests of any kind can use it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from queue import SimpleQueue
from typing import TypeVar

Server = TypeVar("Server")


@contextmanager
def in_thread(name: str, run: Callable[[], AbstractAsyncContextManager[Server]]) -> Iterator[Server]:
    """What `run()` yields, served by a thread of that name. Its plain data may be read and set from any thread."""
    started: SimpleQueue[tuple[Server, asyncio.AbstractEventLoop, asyncio.Event] | BaseException]
    started = SimpleQueue()

    async def serve() -> None:
        stop = asyncio.Event()
        async with run() as server:
            started.put((server, asyncio.get_running_loop(), stop))
            await stop.wait()

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 (handed to the test's own thread below)
            started.put(error)

    thread = threading.Thread(target=work, name=name)
    thread.start()
    outcome = started.get()
    if isinstance(outcome, BaseException):
        thread.join()
        raise outcome
    server, loop, stop = outcome
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
