"""Which timestamps were used: a signature counts once, and two equal requests of one moment have the same signature."""

import hashlib
from collections import deque
from threading import Lock

REMEMBERED = 100_000
"""More than a client may ask in the longest window, a minute (`rate_limits.requests_per_client`, as delivered)."""


class Moments:
    """Gives each request a timestamp that no equal request of this client has had.

    Earlier ones are taken, never later ones: a window reaches back for seconds and ahead for less than one.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._used: set[tuple[bytes, int]] = set()
        self._order: deque[tuple[bytes, int]] = deque()

    def take(self, caller: bytes, text: bytes, now: int, farthest: int) -> int | None:
        """The latest moment, at most `now`, at which the caller has not asked with this text.

        Args:
            text: what is signed beside the moment.
            now: in whatever unit timestamps have.
            farthest: how far back it may lie, so that it does not come too late.

        Returns:
            None where all of these were used: it has to be asked a moment later.
        """
        digest = hashlib.sha256(caller + b"\0" + text).digest()
        with self._lock:
            for moment in range(now, now - farthest - 1, -1):
                if (digest, moment) not in self._used:
                    self._remember((digest, moment))
                    return moment
        return None

    def _remember(self, moment: tuple[bytes, int]) -> None:
        if len(self._order) >= REMEMBERED:
            self._used.discard(self._order.popleft())
        self._used.add(moment)
        self._order.append(moment)
