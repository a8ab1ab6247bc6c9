"""The services that share one state."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Replica:
    """A service that has the state open, or had. Commands that look at it or change it in passing are none.

    Args:
        id: new with each start.
        name: what its configuration calls it (`audit.replica`); may be empty.
        version: of the program.
        last_commit: the number of its last transaction, of all that the database has seen.
        seen_at_ms: when that was, by the database's clock, in milliseconds since 1970. One that runs is seen every 30 seconds.
        here: it is the one that asks.
    """

    id: str
    name: str
    version: str
    last_commit: int
    seen_at_ms: int
    here: bool
