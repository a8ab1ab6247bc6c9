"""A bound on what may be tried, custody's own: whoever has taken the server over can ask past its limits."""

import math
import time
from collections.abc import Callable


class Guesses:
    """So many at once, and then evenly so many a minute.

    Args:
        most: a minute.
        monotonic: seconds.
    """

    def __init__(self, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._monotonic = monotonic
        self._left = float(most)
        self._looked_at = monotonic()

    def take(self) -> int:
        """Take one: 0; or after how many seconds there will be one to take."""
        now = self._monotonic()
        self._left = min(self._most, self._left + (now - self._looked_at) * self._most / 60)
        self._looked_at = now
        if self._left < 1:
            return math.ceil((1 - self._left) * 60 / self._most)
        self._left -= 1
        return 0

    def give_back(self) -> None:
        """It was no guess."""
        self._left += 1
