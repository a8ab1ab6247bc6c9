"""State in one SQLite file, for the processes of one machine."""

from pathlib import Path

from vaultsigner.group_commit import WAIT_SECONDS
from vaultsigner.state.database_state import DatabaseState
from vaultsigner.state.sqlite_engine import SqliteEngine

BUSY_SECONDS = 4.0
"""How long to wait for another process's transaction; less than a caller waits, so that the caller learns why."""


class SqliteState(DatabaseState):
    """See `State`. For use from the event loop in which it was entered.

    Args:
        path: of the database; the directory is made if missing.
        wait_seconds: how long a stalled disk may keep a caller.
        busy_seconds: how long another process may.
        visiting: see `open_state`.
    """

    def __init__(
        self,
        path: str,
        *,
        wait_seconds: float = WAIT_SECONDS,
        busy_seconds: float = BUSY_SECONDS,
        visiting: bool = False,
    ) -> None:
        engine = SqliteEngine(Path(path).absolute(), busy_seconds)
        super().__init__(engine, wait_seconds=wait_seconds, visiting=visiting)
