"""How much work something is: counted, or measured against work that is always the same; on every machine, however busy."""

import sys
import time
from collections.abc import Callable


def calls_of(action: Callable[[], object]) -> int:
    """How many functions an action calls, those written in C included."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(before)
    return calls


def slowness() -> float:
    """How many times more processor time a plain loop takes here than is usual; 1.0 at least.

    Work in C does not show in calls: its processor time is measured, and compared with a bound times this.
    """
    return max(1.0, min(_turning_seconds() for _ in range(5)) / _USUAL_SECONDS)


_TURNS = 200_000
_USUAL_SECONDS = 0.01


def _turning_seconds() -> float:
    began = time.thread_time()
    for number in range(_TURNS):
        _ = number * number
    return time.thread_time() - began
