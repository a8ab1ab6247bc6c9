"""State in a PostgreSQL database, for several replicas."""

from vaultsigner.group_commit import WAIT_SECONDS
from vaultsigner.state.database_state import DatabaseState
from vaultsigner.state.postgres_address import PostgresAddress
from vaultsigner.state.postgres_engine import PostgresEngine

PATIENCE_SECONDS = 4.0
"""How long to wait for another replica and for the server; less than a caller waits, so that the caller learns why."""


class PostgresState(DatabaseState):
    """See `State`. For use from the event loop in which it was entered.

    Args:
        url: of the database, as libpq understands it.
        wait_seconds: how long a stalled server may keep a caller.
        patience_seconds: how long another replica may, and how long the server may take for one statement.

    Raises:
        StateError: libpq does not understand the URL.
    """

    def __init__(
        self, url: str, *, wait_seconds: float = WAIT_SECONDS, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        super().__init__(PostgresEngine(PostgresAddress(url), patience_seconds), wait_seconds=wait_seconds)
