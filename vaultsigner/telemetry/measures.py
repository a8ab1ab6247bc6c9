"""Times in buckets. Pure, and cheap enough to be kept by the process that holds keys."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of the buckets: from a read of Vault on the same machine to the longest that anybody waits for custody."""


@dataclass(frozen=True, slots=True)
class Times:
    """What a histogram holds at one moment.

    Args:
        counts: of each bucket by itself; the last one is for all that is longer than the last bound.
        total_seconds: the sum of all.

    Raises:
        ValueError: there are more or fewer counts than buckets.
    """

    counts: tuple[int, ...]
    total_seconds: float

    def __post_init__(self) -> None:
        """See the class."""
        if len(self.counts) != len(SECONDS) + 1:
            raise ValueError(f"there are {len(SECONDS) + 1} buckets")

    @property
    def count(self) -> int:
        """How many were measured."""
        return sum(self.counts)

    def up_to(self) -> Sequence[tuple[float, int]]:
        """How many were at most so long, for each bound; the last one is infinity."""
        return list(zip((*SECONDS, float("inf")), accumulate(self.counts), strict=True))

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {"counts": list(self.counts), "total_seconds": self.total_seconds}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Times":
        """What `document` was made of.

        Raises:
            ValueError, KeyError, TypeError: it was not.
        """
        return cls(tuple(map(int, document["counts"])), float(document["total_seconds"]))


class Histogram:
    """Gathers times, from one thread."""

    __slots__ = ("_counts", "_total_seconds")

    def __init__(self) -> None:
        self._counts = [0] * (len(SECONDS) + 1)
        self._total_seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Take one in. A bucket holds what is at most as long as its bound, as Prometheus wants it."""
        self._counts[bisect_left(SECONDS, seconds)] += 1
        self._total_seconds += seconds

    def times(self) -> Times:
        """All that was measured so far."""
        return Times(tuple(self._counts), self._total_seconds)
