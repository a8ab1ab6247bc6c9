"""How much may be done in a rolling window, and what is used of it. Pure."""

from dataclasses import dataclass

MOST_UNITS = 2**63 - 1
"""The most that one use, or one window, may have."""


@dataclass(frozen=True, slots=True)
class LimitUse:
    """What somebody wants to use of a window: it counts from now on for `window_ms`, to the millisecond, whatever becomes of it.

    Args:
        key: whose window it is, and of which limit. Whoever shares a key shares the window, over all processes.
        window_ms: at least 1. A use is remembered for as long as the window was when it was made.
        units: at least 0: 1 for a count; amounts in whole units of their smallest part, rounded up.
        most_units: how many units all uses in the window may have together.

    Raises:
        ValueError: a number that is out of range.
    """

    key: str
    window_ms: int
    units: int
    most_units: int

    def __post_init__(self) -> None:
        """See the class."""
        if self.window_ms < 1 or not 0 <= self.units <= MOST_UNITS or not 0 <= self.most_units <= MOST_UNITS:
            raise ValueError(f"limit {self.key}: a window of at least 1 ms, and units from 0 to {MOST_UNITS}")
