"""What must not happen twice, too often or unasked: nonces, rates, limits, approvals, suspensions, sequences, durably.

Knows nothing of nodes, keys or HTTP; the engine is chosen by the URL.
"""

from contextlib import AbstractAsyncContextManager

from vaultsigner.config.settings import USUAL_STATE, StateOptions
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
from vaultsigner.state.approvals import (
    APPROVAL_KEPT_MS,
    Approval,
    ApprovalRefused,
    ApprovalStatus,
    ApprovalUse,
    KnownApproval,
    Vote,
    VoteRefused,
)
from vaultsigner.state.checkpoints import NotedCheckpoint
from vaultsigner.state.counting import CLOCK_SLACK_MS, Count, Nonce, NotCounted, Rate
from vaultsigner.state.interface import State
from vaultsigner.state.limits import MOST_UNITS, LimitUse
from vaultsigner.state.performances import Pending, Performed
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.replicas import Replica
from vaultsigner.state.sqlite import SqliteState
from vaultsigner.state.suspensions import Suspension, SuspensionKind, Suspensions

__all__ = [
    "APPROVAL_KEPT_MS",
    "CLOCK_SLACK_MS",
    "MOST_UNITS",
    "Account",
    "AccountKey",
    "Approval",
    "ApprovalRefused",
    "ApprovalStatus",
    "ApprovalUse",
    "Count",
    "Held",
    "HeldByOther",
    "HeldStatus",
    "KnownApproval",
    "LimitUse",
    "Nonce",
    "NotCounted",
    "NotedCheckpoint",
    "Pending",
    "Performed",
    "Rate",
    "Replica",
    "Reserved",
    "Resynchronised",
    "State",
    "Suspension",
    "SuspensionKind",
    "Suspensions",
    "Vote",
    "VoteRefused",
    "open_state",
]


def open_state(
    url: str, options: StateOptions = USUAL_STATE, *, name: str = "", visiting: bool = False
) -> AbstractAsyncContextManager[State]:
    """The state that a URL names.

    Args:
        url: `sqlite:///state/vaultsigner.db`, with a fourth slash for an absolute path; or `postgresql://...`, as libpq
            understands it.
        options: how a PostgreSQL state is opened.
        name: what other replicas are told this one is called; letters, digits, and _ . -
        visiting: for a command, which is no replica: it is not noted as one, and nothing is committed but what it writes itself.

    Raises:
        StateError: no engine for this URL. Entering raises it when the database cannot be opened.
    """
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresState(url, options, name=name, visiting=visiting)
    scheme, separator, path = url.partition(":///")
    if scheme != "sqlite" or not separator or not path or path == ":memory:":
        # Without the URL, which may be one with a password and a spelling mistake.
        raise StateError(
            "state.url: write sqlite:/// and the path of a file, e.g. sqlite:///state/vaultsigner.db, "
            "or postgresql://user@host:5432/database"
        )
    return SqliteState(path, visiting=visiting)
