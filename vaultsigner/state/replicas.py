"""The processes that share one state."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Replica:
    """A process that has the state open, or had.

    Args:
        id: new with each start.
        last_commit: the number of its last transaction, of all that the database has seen.
        seen_at_ms: when that was, by the database's clock, in milliseconds since 1970. One that runs is seen every 30 seconds.
        here: it is the one that asks.
    """

    id: str
    last_commit: int
    seen_at_ms: int
    here: bool
