"""The statements behind checkpoints."""

from vaultsigner.state.checkpoints import NotedCheckpoint
from vaultsigner.state.sessions import Session

_NOTE = """
INSERT INTO checkpoints (chain, size, head) VALUES (:chain, :size, :head)
ON CONFLICT (chain) DO UPDATE SET size = excluded.size, head = excluded.head WHERE checkpoints.size < excluded.size
"""

_ALL = "SELECT chain, size, head FROM checkpoints ORDER BY chain"


def note(session: Session, checkpoint: NotedCheckpoint) -> None:
    """See `State.note_checkpoint`."""
    session.execute(_NOTE, {"chain": checkpoint.chain, "size": checkpoint.size, "head": checkpoint.head})


def noted(session: Session) -> tuple[NotedCheckpoint, ...]:
    """See `State.noted_checkpoints`."""
    return tuple(NotedCheckpoint(*row) for row in session.rows(_ALL, {}))
