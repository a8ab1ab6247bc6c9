"""The statements behind suspensions."""

from vaultsigner.state.sessions import Session
from vaultsigner.state.suspensions import Suspension, SuspensionKind, Suspensions

_SUSPEND = """
INSERT INTO suspensions (kind, name, reason, suspended_by, at_ms)
VALUES (:kind, :name, :reason, :suspended_by, :at_ms) ON CONFLICT DO NOTHING
"""

_RESUME = "DELETE FROM suspensions WHERE kind = :kind AND name = :name"

_CHANGED = "UPDATE suspension_version SET number = number + 1"

_VERSION = "SELECT number FROM suspension_version"

# One statement, so that the version is that of the rows.
_ALL = """
SELECT v.number, s.kind, s.name, s.reason, s.suspended_by, s.at_ms
FROM suspension_version v LEFT JOIN suspensions s ON s.kind IS NOT NULL
ORDER BY s.at_ms, s.kind, s.name
"""


def suspend(session: Session, suspension: Suspension) -> bool:
    """See `State.suspend`."""
    new = session.execute(
        _SUSPEND,
        {
            "kind": suspension.kind,
            "name": suspension.name,
            "reason": suspension.reason,
            "suspended_by": suspension.by,
            "at_ms": suspension.at_ms,
        },
    )
    if new:
        session.execute(_CHANGED, {})
    return bool(new)


def resume(session: Session, kind: SuspensionKind, name: str) -> bool:
    """See `State.resume`."""
    gone = session.execute(_RESUME, {"kind": kind, "name": name})
    if gone:
        session.execute(_CHANGED, {})
    return bool(gone)


def suspensions(session: Session) -> Suspensions:
    """See `State.suspensions`."""
    rows = session.rows(_ALL, {})
    return Suspensions(rows[0][0], tuple(Suspension(*row[1:]) for row in rows if row[1] is not None))


def version(session: Session) -> int:
    """See `State.suspension_version`."""
    ((number,),) = session.rows(_VERSION, {})
    return int(number)
