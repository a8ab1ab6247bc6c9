"""What the engines have in common: a session that runs statements, and the work that waits for one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vaultsigner.state.counting import Count

Value = str | int | bytes
Terms = Mapping[str, Value]
Row = tuple[Any, ...]


class Session(Protocol):
    """Runs statements inside one transaction. The statements are what both engines understand, with terms as `:name`.

    Every method raises StateError where a statement cannot be done for what its terms are: then only the operation at hand
    has failed. Any other exception is the engine's own, and the end of the transaction.
    """

    def tell(self, statement: str) -> None:
        """Run a statement whose result nobody asks for. What goes wrong may be told by a later call."""

    def execute(self, statement: str, terms: Terms) -> int:
        """Run a statement; returns how many rows it wrote."""

    def execute_all(self, statement: str, many: Sequence[Terms]) -> Sequence[int]:
        """Run one statement with each of the terms, in order; returns for each how many rows it wrote."""

    def rows(self, statement: str, terms: Terms) -> Sequence[Row]:
        """Run a statement that reads; returns what it finds."""

    def clock_ms(self) -> int | None:
        """The database's own clock, in milliseconds since 1970; None where it has none but the caller's."""

    def no_later(self, now_ms: int) -> int:
        """The time by a caller's clock, where that does not run ahead of the database's own; else the time by that one.

        Several callers share what is counted, and one that is ahead would see everybody's windows as over.
        """

    def rows_all(self, statement: str, many: Sequence[Terms]) -> Sequence[Sequence[Row]]:
        """Run one statement that reads with each of the terms; returns for each what it finds."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of the session, and whether it writes. It may be run again after its effects were undone."""

    run: Callable[[Session], object]
    writes: bool


@dataclass(frozen=True, slots=True)
class Counting:
    """What is counted, by the clock of whoever asks. All that wait are counted together."""

    count: Count
    now_ms: int


Work = Operation | Counting


def writes(work: Work) -> bool:
    """True for what needs a transaction."""
    return isinstance(work, Counting) or work.writes
