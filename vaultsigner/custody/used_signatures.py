"""Which clients' signatures have been signed for: each once, whatever the server says and however many tickets it got.

The server counts in its database, for all replicas. This memory is custody's own, and binds a server that no longer counts.
A server that has been taken over can kill custody, and so this memory: what the one before may have seen is not signed for.
"""

from collections.abc import Callable
from heapq import heappop, heappush

from vaultsigner.errors import CustodyError

MOST_USED = 1 << 18
KEPT_AFTER_MS = 60_000
"""So long after a signature has expired, a ticket for it may still be about."""


class UsedSignatures:
    """Nonces that have been used, until they cannot come again.

    Args:
        clock_ms: milliseconds since 1970.
        most: how many are kept; no more are taken then.
        after_crash: whether there was a memory before this one.
    """

    def __init__(
        self, clock_ms: Callable[[], int], most: int = MOST_USED, *, after_crash: bool = False
    ) -> None:
        self._clock_ms = clock_ms
        self._unknown_until_ms = clock_ms() if after_crash else None
        self._most = most
        self._used: set[bytes] = set()
        self._by_expiry: list[tuple[int, bytes]] = []
        self._forgotten_until_ms = -1

    def __contains__(self, nonce: bytes) -> bool:
        return nonce in self._used

    def mark(self, nonce: bytes, expires_at_ms: int, good_from_ms: int) -> None:
        """Note that a signature is used now.

        Args:
            good_from_ms: nobody accepted it before then.

        Raises:
            CustodyError: replayed; or custody_unavailable, where it may have been used before there was this memory, or there
                is no room to remember it.
        """
        self._forget()
        if self._unknown_until_ms is not None and good_from_ms <= self._unknown_until_ms:
            raise CustodyError(
                "custody_unavailable",
                "custody has just started again and cannot know whether it signed for this request before: sign the request "
                "anew, in a second or, with an Open API token, in five",
            )
        # What expired before something that has been forgotten may have been used itself: the clock has stepped back.
        if nonce in self._used or expires_at_ms <= self._forgotten_until_ms:
            raise CustodyError("replayed", "the client's signature has been signed for already")
        if len(self._used) >= self._most:
            raise CustodyError("custody_unavailable", "custody has signed too much in a minute: try again")
        self._used.add(nonce)
        heappush(self._by_expiry, (expires_at_ms, nonce))

    def _forget(self) -> None:
        oldest_ms = self._clock_ms() - KEPT_AFTER_MS
        while self._by_expiry and self._by_expiry[0][0] < oldest_ms:
            expires_at_ms, nonce = heappop(self._by_expiry)
            self._used.discard(nonce)
            self._forgotten_until_ms = max(self._forgotten_until_ms, expires_at_ms)
