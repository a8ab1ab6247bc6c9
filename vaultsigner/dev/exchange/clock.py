"""The exchange's own clock, which need not be right."""

import time
from dataclasses import dataclass

MAX_AHEAD_MS = 1_000
MAX_WINDOW_MS = 60_000
DEFAULT_WINDOW_MS = 5_000


@dataclass(slots=True)
class Clock:
    """Set `skew_ms` to make it go wrong by that much, `frozen_ms` to stop it at that instant."""

    skew_ms: int = 0
    frozen_ms: int | None = None

    def now_ms(self) -> int:
        """Milliseconds since 1970, as the exchange believes."""
        if self.frozen_ms is not None:
            return self.frozen_ms
        return time.time_ns() // 1_000_000 + self.skew_ms


def is_timely(timestamp_ms: float, window_ms: float, now_ms: int) -> bool:
    """Binance's rule (rest-api.md, Timing security)."""
    return timestamp_ms < now_ms + MAX_AHEAD_MS and now_ms - timestamp_ms <= window_ms
