"""How far an exchange's clock is from ours, by its own word."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

FRESH_SECONDS = 300.0
SORRY_SECONDS = 5.0
"""How long a measurement that failed is not tried again: whoever waits for one would wait for each."""


class Clock(Protocol):
    """Ours."""

    def milliseconds(self) -> int:
        """Milliseconds since the Unix epoch."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""


@dataclass(frozen=True, slots=True)
class _Known:
    offset_ms: int | None
    until: float


class ExchangeTime:
    """Measures the offset of each of an exchange's clocks, once for all who ask meanwhile, and remembers it.

    Args:
        ask: tells what a time endpoint says, in milliseconds since 1970, or None; raises nothing.
        clock: ours.
    """

    def __init__(self, ask: Callable[[str], Awaitable[int | None]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._measuring: dict[str, asyncio.Task[int | None]] = {}

    async def offset_ms(self, time_path: str, *, fresh: bool) -> int | None:
        """The exchange's clock minus ours, in milliseconds; None where it cannot be told.

        Args:
            time_path: of the endpoint that tells it.
            fresh: whether what is remembered does not count.
        """
        known = self._known.get(time_path)
        if known is not None and not fresh and self._clock.monotonic() < known.until:
            return known.offset_ms
        task = self._measuring.get(time_path)
        if task is None:
            task = asyncio.create_task(self._measure(time_path))
            self._measuring[time_path] = task
            task.add_done_callback(lambda _: self._measuring.pop(time_path, None))
        # One who asks may be gone before the answer comes; others still wait for it.
        measured = await asyncio.shield(task)
        if measured is None and not fresh and known is not None:
            return known.offset_ms
        return measured

    async def _measure(self, time_path: str) -> int | None:
        """Two samples, of which the one with the shorter way counts: the first may have had to open the connection."""
        samples = [sample for _ in range(2) if (sample := await self._sample(time_path)) is not None]
        now = self._clock.monotonic()
        if not samples:
            before = self._known.get(time_path)
            kept = None if before is None else before.offset_ms
            self._known[time_path] = _Known(kept, now + SORRY_SECONDS)
            return None
        _, offset_ms = min(samples)
        self._known[time_path] = _Known(offset_ms, now + FRESH_SECONDS)
        return offset_ms

    async def _sample(self, time_path: str) -> tuple[float, int] | None:
        """How long it took, in milliseconds, and the offset: the exchange read its clock when half of that had passed."""
        asked_at, began = self._clock.milliseconds(), self._clock.monotonic()
        told = await self._ask(time_path)
        took_ms = (self._clock.monotonic() - began) * 1000
        return None if told is None else (took_ms, told - asked_at - round(took_ms / 2))
