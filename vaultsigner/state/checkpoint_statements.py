"""The statements behind checkpoints."""

from dataclasses import asdict

from vaultsigner.state.checkpoints import NotedCheckpoint
from vaultsigner.state.sessions import Session

_NOTE = """
INSERT INTO checkpoints (chain, size, head, replica) VALUES (:chain, :size, :head, :replica)
ON CONFLICT (chain) DO UPDATE SET size = excluded.size, head = excluded.head,
replica = CASE WHEN checkpoints.replica = '' THEN excluded.replica ELSE checkpoints.replica END
WHERE checkpoints.size < excluded.size
"""

_ALL = "SELECT chain, size, head, replica FROM checkpoints ORDER BY chain"


def note(session: Session, checkpoint: NotedCheckpoint) -> None:
    """See `State.note_checkpoint`."""
    session.execute(_NOTE, asdict(checkpoint))


def noted(session: Session) -> tuple[NotedCheckpoint, ...]:
    """See `State.noted_checkpoints`."""
    return tuple(NotedCheckpoint(*row) for row in session.rows(_ALL, {}))
