"""The statements of the operations ledger: what is about to be done, and what was done."""

from collections.abc import Sequence

from vaultsigner.state.counting_statements import FORGET_AT_ONCE, forgotten_before
from vaultsigner.state.performances import PENDING_MS, Pending, Performed
from vaultsigner.state.sessions import Session

_NOTE = """
INSERT INTO pending (chain_id, transaction_hash, operation, role, address, noted_at_ms)
VALUES (:chain_id, :transaction_hash, :operation, :role, :address, :now_ms)
ON CONFLICT (chain_id, transaction_hash, operation, role, address) DO UPDATE SET noted_at_ms = :now_ms
"""

_DONE = """
INSERT INTO operations (address, operation, role, chain_id, transaction_hash)
SELECT address, operation, role, chain_id, transaction_hash FROM pending
WHERE chain_id = :chain_id AND transaction_hash = :transaction_hash
ON CONFLICT DO NOTHING
"""

_DROP = "DELETE FROM pending WHERE chain_id = :chain_id AND transaction_hash = :transaction_hash"

_PERFORMED = "SELECT operation, role FROM operations WHERE address = :address"

# What the address has done already needs no second proof.
_PENDING = """
SELECT p.chain_id, p.transaction_hash FROM pending p
WHERE p.address = :address AND NOT EXISTS (
  SELECT 1 FROM operations o WHERE o.address = p.address AND o.operation = p.operation AND o.role = p.role
)
GROUP BY p.chain_id, p.transaction_hash
ORDER BY max(p.noted_at_ms) DESC, p.transaction_hash LIMIT :at_most
"""

# What is held will be settled some day, however late.
_FORGET = """
DELETE FROM pending WHERE (chain_id, transaction_hash, operation, role, address) IN (
  SELECT p.chain_id, p.transaction_hash, p.operation, p.role, p.address FROM pending p
  WHERE p.noted_at_ms <= :before_ms AND NOT EXISTS (
    SELECT 1 FROM held h WHERE h.chain_id = p.chain_id AND h.transaction_hash = p.transaction_hash
  )
  LIMIT :at_most
)
"""


def note(session: Session, transaction: Pending, performed: Sequence[Performed], now_ms: int) -> None:
    """What a transaction does, should it come into a block."""
    session.execute_all(
        _NOTE,
        [
            {
                "chain_id": transaction.chain_id,
                "transaction_hash": transaction.transaction_hash,
                "operation": each.operation,
                "role": each.role,
                "address": each.address,
                "now_ms": now_ms,
            }
            for each in performed
        ],
    )


def settle(session: Session, transaction: Pending, *, done: bool | None) -> None:
    """What became of a transaction; None: that is still to be seen."""
    terms = {"chain_id": transaction.chain_id, "transaction_hash": transaction.transaction_hash}
    if done:
        session.execute(_DONE, terms)
    if done is not None:
        session.execute(_DROP, terms)


def performed(session: Session, address: str) -> frozenset[tuple[str, str]]:
    """See `State.performed`."""
    return frozenset((operation, role) for operation, role in session.rows(_PERFORMED, {"address": address}))


def pending(session: Session, address: str, at_most: int) -> tuple[Pending, ...]:
    """See `State.pending`."""
    rows = session.rows(_PENDING, {"address": address, "at_most": at_most})
    return tuple(Pending(chain_id, transaction_hash) for chain_id, transaction_hash in rows)


def forget_pending(session: Session, now_ms: int) -> bool:
    """A part of `State.forget_expired`; True: there may be more to forget."""
    before_ms = forgotten_before(session, now_ms) - PENDING_MS
    return session.execute(_FORGET, {"before_ms": before_ms, "at_most": FORGET_AT_ONCE}) >= FORGET_AT_ONCE
