"""Waiting for what will happen: a test fails when it does not happen, never because the machine is slow."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0
"""What takes longer than this, on any machine and beside any load, does not happen."""
POLL_SECONDS = 0.01

T = TypeVar("T")


def wait_until(outcome: Callable[[], T], what: str, *, poll_seconds: float = POLL_SECONDS) -> T:
    """The first outcome that is true.

    Raises:
        AssertionError: there is none; `what` says what was waited for.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := outcome()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(poll_seconds)
    return found


async def until(outcome: Callable[[], T], what: str, *, poll_seconds: float = POLL_SECONDS) -> T:
    """The same, while the event loop goes on."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := outcome()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        await asyncio.sleep(poll_seconds)
    return found
