"""The clock, as a part that tests can set."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the pipeline learns the time."""

    def seconds(self) -> float:
        """Seconds since the Unix epoch."""

    def milliseconds(self) -> int:
        """Milliseconds since the Unix epoch."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""


class SystemClock:
    """The machine's clock."""

    def seconds(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()

    def milliseconds(self) -> int:
        """Milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""
        return time.monotonic()
