"""What `./run bench` measures, a chapter of the document each, and how much of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.databases import compare_databases
from benchmarks.desk import Ground
from benchmarks.forwarding import compare_forwarding
from benchmarks.measuring import compare_measuring
from benchmarks.report import databases_chapter, forwarding_chapter, loads_chapter, measuring_chapter
from benchmarks.scenarios import measure_loads
from benchmarks.side_by_side import Rounds


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured.

    Args:
        rounds, seconds: of what is loaded long, a few times.
        failures: how often each failure to authenticate is timed.
        turns, turn_seconds: of what is compared side by side, in short loads.
    """

    rounds: int
    seconds: float
    failures: int
    turns: int
    turn_seconds: float


@dataclass(frozen=True, slots=True)
class Chapter:
    """One.

    Args:
        targets: how many are loaded.
        connections: how many are used at once, in turn.
        write: measures, and gives the chapter's text.
        long: whether it is loaded long, a few times.
    """

    name: str
    targets: int
    connections: tuple[int, ...]
    write: Callable[[Ground, Rounds, Extent], Awaitable[str]]
    long: bool = False

    def rounds(self, extent: Extent, advance: Callable[[], None] = lambda: None) -> Rounds:
        """How it is measured."""
        rounds, seconds = (
            (extent.rounds, extent.seconds) if self.long else (extent.turns, extent.turn_seconds)
        )
        return Rounds(self.connections, rounds, seconds, advance)

    def loads(self, extent: Extent) -> int:
        """How many loads that are."""
        return self.targets * len(self.connections) * self.rounds(extent).rounds


async def _signatures(ground: Ground, rounds: Rounds, extent: Extent) -> str:
    return loads_chapter(await measure_loads(ground, rounds, extent.failures), rounds)


async def _measuring(ground: Ground, rounds: Rounds, _: Extent) -> str:
    return measuring_chapter(await compare_measuring(ground, rounds), rounds)


async def _forwarding(ground: Ground, rounds: Rounds, _: Extent) -> str:
    return forwarding_chapter(await compare_forwarding(ground, rounds), rounds)


async def _databases(ground: Ground, rounds: Rounds, _: Extent) -> str:
    return databases_chapter(await compare_databases(ground, rounds), rounds)


CHAPTERS = (
    Chapter("signatures", 6, (1, 16, 64), _signatures, long=True),
    Chapter("measuring", 4, (1, 16), _measuring),
    Chapter("forwarding", 4, (1, 16), _forwarding),
    # What a database gains by doing the work of many at once is seen with many only.
    Chapter("databases", 2, (1, 16, 64), _databases),
)
