"""Lets state forget, now and then, what no request can refer to any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from vaultsigner.errors import StateError
from vaultsigner.signing.clock import Clock
from vaultsigner.state import State

EVERY_SECONDS = 30.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def forgetting(state: State, clock: Clock) -> AsyncIterator[None]:
    """Have state forget for as long as the context lasts."""
    task = asyncio.get_running_loop().create_task(_forget(state, clock))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _forget(state: State, clock: Clock) -> None:
    """A failure changes nothing but the size of the tables: requests notice by themselves that state is in trouble."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await state.forget_expired(now_ms=clock.milliseconds())
        except StateError as error:
            log.warning("nothing forgotten", problem=str(error))
