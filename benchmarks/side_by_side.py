"""Loads several targets in short turns, round by round, so that what they cost can be compared on a machine that is busy with
other things: each round's ratios are of what ran within the same few seconds, and their spread shows how far to trust them.

Beside answers a second stands the processor time that processes used for an answer. Other work on the machine makes that waver
far less: it hardly matters to it whether they had to wait for a core.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.load import Measured, Target, measure

WARM_UP_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Contender:
    """What is loaded, and the ids of the processes that work for it: at least one."""

    target: Target
    processes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median over all rounds, the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Turn:
    """One load, and the processor time that the processes used for an answer, in microseconds."""

    measured: Measured
    busy_us: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Of one contender, over all rounds. Ratios are to the first contender in the same round."""

    rate: float
    p50_ms: float
    p99_ms: float
    busy_us: float
    rate_ratio: Spread
    p50_ratio: Spread
    busy_ratio: Spread


@dataclass(frozen=True, slots=True)
class Rounds:
    """How much is measured.

    Args:
        connections: how many are used at once: each of these numbers in turn.
        rounds: how often everybody has a turn with so many.
        seconds: how long a turn lasts.
        advance: called after each turn.
    """

    connections: tuple[int, ...]
    rounds: int
    seconds: float
    advance: Callable[[], None] = lambda: None


Comparison = dict[int, dict[str, Compared]]
"""By connections, then by the contenders' names; the first of these is what the others are compared with."""


async def compare(contenders: Sequence[Contender], rounds: Rounds) -> Comparison:
    """Load each in turn, again and again; every round begins with another one."""
    return {each: await _compare(contenders, each, rounds) for each in rounds.connections}


async def _compare(contenders: Sequence[Contender], connections: int, rounds: Rounds) -> dict[str, Compared]:
    turns: dict[str, list[Turn]] = {contender.target.name: [] for contender in contenders}
    for number in range(rounds.rounds):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            turns[contender.target.name].append(await _turn(contender, connections, rounds.seconds))
            rounds.advance()
    yardstick = turns[contenders[0].target.name]
    return {name: _compared(taken, yardstick) for name, taken in turns.items()}


async def _turn(contender: Contender, connections: int, seconds: float) -> Turn:
    await measure(contender.target, connections, min(WARM_UP_SECONDS, seconds))
    before = sum(map(_busy_seconds, contender.processes))
    measured = await measure(contender.target, connections, seconds)
    used = sum(map(_busy_seconds, contender.processes)) - before
    return Turn(measured, used / measured.answers * 1e6)


def _busy_seconds(pid: int) -> float:
    """Processor time of a process, all its threads together, those that have ended too.

    The clock of another process is told by its id (clock_getcpuclockid(3)); /proc counts in hundredths of a second only.
    """
    return time.clock_gettime(~pid << 3 | 2)


def _compared(turns: Sequence[Turn], yardstick: Sequence[Turn]) -> Compared:
    pairs = list(zip(turns, yardstick, strict=True))
    return Compared(
        rate=statistics.median(turn.measured.rate for turn in turns),
        p50_ms=statistics.median(turn.measured.p50_ms for turn in turns),
        p99_ms=statistics.median(turn.measured.p99_ms for turn in turns),
        busy_us=statistics.median(turn.busy_us for turn in turns),
        rate_ratio=Spread.of([turn.measured.rate / other.measured.rate for turn, other in pairs]),
        p50_ratio=Spread.of([turn.measured.p50_ms / other.measured.p50_ms for turn, other in pairs]),
        busy_ratio=Spread.of([turn.busy_us / other.busy_us for turn, other in pairs]),
    )
