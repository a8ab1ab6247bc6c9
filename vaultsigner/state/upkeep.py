"""What is done to a state beside its use: tables brought up to date, a loss accepted. Blocks; not for the event loop."""

from pathlib import Path

from vaultsigner.config.settings import USUAL_STATE, StateOptions
from vaultsigner.config.state_urls import is_postgresql
from vaultsigner.errors import StateError
from vaultsigner.state import postgres_schema, sqlite_schema
from vaultsigner.state.postgres import postgres_engine
from vaultsigner.state.sqlite import BUSY_SECONDS
from vaultsigner.state.sqlite_engine import SqliteEngine


def newest_schema(url: str) -> int:
    """The schema that this program knows, of the engine that a URL names."""
    return len(postgres_schema.MIGRATIONS if is_postgresql(url) else sqlite_schema.MIGRATIONS)


def migrate_state(url: str, options: StateOptions = USUAL_STATE) -> tuple[int, int]:
    """Bring a state to the newest schema, as every start does. Several may do it at once: one makes the tables, the others wait.

    Args:
        url: as in config.yml.
        options: how a PostgreSQL state is opened.

    Returns:
        The schema before and after it; 0: there were no tables.

    Raises:
        StateError: it cannot be opened, or a newer vaultsigner made it.
    """
    path = Path(url.removeprefix("sqlite:///")).absolute()
    engine = postgres_engine(url, options) if is_postgresql(url) else SqliteEngine(path, BUSY_SECONDS)
    try:
        return engine.bring_up_to_date()
    finally:
        engine.close()


def accept_state(url: str, options: StateOptions = USUAL_STATE) -> str:
    """Let a PostgreSQL state be used that may have lost commits, from now on, by all replicas.

    No signed request is taken any more that could have been made before: what was used of them may be lost.

    Returns:
        Which cluster and timeline it is in.

    Raises:
        StateError: it cannot be opened or written to, or is no PostgreSQL state.
    """
    if not is_postgresql(url):
        raise StateError(
            "an SQLite state has no server that could have taken over: there is nothing to accept"
        )
    return postgres_engine(url, options).accept()
