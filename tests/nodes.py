"""The node stand-in in a thread of its own, so that fixtures of any scope and tests of any kind can use it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from vaultsigner.dev.beacon_node import BeaconNode, run_beacon_node

Started = tuple[BeaconNode, asyncio.AbstractEventLoop, asyncio.Event]


@contextmanager
def running_beacon_node(**options: Any) -> Iterator[BeaconNode]:
    """A node as `run_beacon_node(**options)` makes it. Its plain data may be read and set from any thread."""
    started: SimpleQueue[Started | BaseException] = SimpleQueue()

    async def serve() -> None:
        stop = asyncio.Event()
        async with run_beacon_node(**options) as node:
            started.put((node, asyncio.get_running_loop(), stop))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 (handed to the test's own thread below)
            started.put(error)

    thread = threading.Thread(target=run, name="beacon-node")
    thread.start()
    outcome = started.get()
    if isinstance(outcome, BaseException):
        thread.join()
        raise outcome
    node, loop, stop = outcome
    try:
        yield node
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
