"""What must not happen twice, or too often: nonces, rates, account sequences and held transactions, durably.

Knows nothing of nodes, keys or HTTP; the engine is chosen by the URL.
"""

from contextlib import AbstractAsyncContextManager

from vaultsigner.errors import StateError
from vaultsigner.state.accounts import (
    Account,
    AccountKey,
    Held,
    HeldByOther,
    HeldStatus,
    Reserved,
    Resynchronised,
)
from vaultsigner.state.counting import CLOCK_SLACK_MS, Count, Nonce, NotCounted, Rate
from vaultsigner.state.interface import State
from vaultsigner.state.performances import Pending, Performed
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.sqlite import SqliteState

__all__ = [
    "CLOCK_SLACK_MS",
    "Account",
    "AccountKey",
    "Count",
    "Held",
    "HeldByOther",
    "HeldStatus",
    "Nonce",
    "NotCounted",
    "Pending",
    "Performed",
    "Rate",
    "Reserved",
    "Resynchronised",
    "State",
    "open_state",
]


def open_state(url: str) -> AbstractAsyncContextManager[State]:
    """The state that a URL names.

    Args:
        url: `sqlite:///state/vaultsigner.db`, with a fourth slash for an absolute path; or `postgresql://...`, as libpq
            understands it.

    Raises:
        StateError: no engine for this URL. Entering raises it when the database cannot be opened.
    """
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresState(url)
    scheme, separator, path = url.partition(":///")
    if scheme != "sqlite" or not separator or not path or path == ":memory:":
        # Without the URL, which may be one with a password and a spelling mistake.
        raise StateError(
            "state.url: write sqlite:/// and the path of a file, e.g. sqlite:///state/vaultsigner.db, "
            "or postgresql://user@host:5432/database"
        )
    return SqliteState(path)
