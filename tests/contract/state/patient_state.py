"""A state for races: hundreds of attempts at once may take a busy machine longer than a caller of the service waits."""

from tests.patience import PATIENCE_SECONDS
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.sqlite import SqliteState


def patient_state(url: str) -> PostgresState | SqliteState:
    """The state that a URL names, which keeps its callers for as long as tests have patience."""
    if url.startswith("postgresql://"):
        return PostgresState(url, wait_seconds=PATIENCE_SECONDS)
    return SqliteState(url.removeprefix("sqlite:///"), wait_seconds=PATIENCE_SECONDS)
