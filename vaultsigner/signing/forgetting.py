"""Lets state forget, now and then, what no request can refer to any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from vaultsigner.errors import StateError
from vaultsigner.signing.clock import Clock
from vaultsigner.state import State

EVERY_SECONDS = 30.0
STEP_SECONDS = 10.0
"""So far may the clock be from where it was expected to be: it is set, now and then, by a second or less."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def forgetting(state: State, clock: Clock) -> AsyncIterator[None]:
    """Have state forget for as long as the context lasts."""
    task = asyncio.get_running_loop().create_task(_forget(state, SteadyClock(clock)))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class SteadyClock:
    """A clock that is not believed just after it has jumped: what is forgotten by a wrong time is forgotten for good."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = self._look()

    def milliseconds(self) -> int | None:
        """The time; None where the clock was set since the last look."""
        before, self._offset = self._offset, self._look()
        return None if abs(self._offset - before) > STEP_SECONDS else self._clock.milliseconds()

    def _look(self) -> float:
        return self._clock.seconds() - self._clock.monotonic()


async def _forget(state: State, clock: SteadyClock) -> None:
    """A failure changes nothing but the size of the tables: requests notice by themselves that state is in trouble."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        now_ms = clock.milliseconds()
        if now_ms is None:
            log.warning("nothing forgotten", problem="the clock was set")
            continue
        try:
            await state.forget_expired(now_ms=now_ms)
        except StateError as error:
            log.warning("nothing forgotten", problem=str(error))
