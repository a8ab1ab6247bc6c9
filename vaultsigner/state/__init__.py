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
from vaultsigner.state.performances import Performed
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
    "Performed",
    "Rate",
    "Reserved",
    "Resynchronised",
    "State",
    "open_state",
]


def open_state(url: str) -> AbstractAsyncContextManager[State]:
    """The state that a URL names: `sqlite:///state/vaultsigner.db`, with a fourth slash for an absolute path.

    Raises:
        StateError: no engine for this URL. Entering raises it when the database cannot be opened.
    """
    scheme, separator, path = url.partition(":///")
    if scheme != "sqlite" or not separator or not path or path == ":memory:":
        raise StateError(
            f"state.url {url!r}: write sqlite:/// and the path of a file, e.g. sqlite:///state/vaultsigner.db"
        )
    return SqliteState(path)
