"""State in a PostgreSQL database, for several replicas."""

from vaultsigner.config.settings import USUAL_STATE, StateOptions
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
        options: how it is opened.
        name: see `open_state`.
        visiting: see `open_state`.
        wait_seconds: how long a stalled server may keep a caller.
        patience_seconds: how long another replica may, and how long the server may take for one statement.

    Raises:
        StateError: libpq does not understand the URL.
    """

    def __init__(
        self,
        url: str,
        options: StateOptions = USUAL_STATE,
        *,
        name: str = "",
        visiting: bool = False,
        wait_seconds: float = WAIT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        engine = postgres_engine(url, options, patience_seconds, name=name, visiting=visiting)
        super().__init__(engine, wait_seconds=wait_seconds, visiting=visiting)


def postgres_engine(
    url: str,
    options: StateOptions,
    patience_seconds: float = PATIENCE_SECONDS,
    *,
    name: str = "",
    visiting: bool = False,
) -> PostgresEngine:
    """The engine for a URL.

    Raises:
        StateError: libpq does not understand the URL.
    """
    address = PostgresAddress(url, options.aws_region)
    return PostgresEngine(
        address, patience_seconds, synchronous=options.synchronous, name=name, visiting=visiting
    )
