"""The statements of the operations ledger: what is about to be done, and what was done."""

from collections.abc import Sequence

from vaultsigner.state.accounts import AccountKey
from vaultsigner.state.performances import Performed
from vaultsigner.state.sessions import Session

# An account has at most one transaction on its way, so what is pending for an account belongs to that one.
_NOTE = """
INSERT INTO pending_operations (chain_id, account, operation, role, address, transaction_hash)
VALUES (:chain_id, :account, :operation, :role, :address, :transaction_hash) ON CONFLICT DO NOTHING
"""

_DONE = """
INSERT INTO operations (address, operation, role, chain_id, transaction_hash)
SELECT address, operation, role, chain_id, transaction_hash FROM pending_operations
WHERE chain_id = :chain_id AND account = :account
ON CONFLICT DO NOTHING
"""

_DROP = "DELETE FROM pending_operations WHERE chain_id = :chain_id AND account = :account"

_PERFORMED = "SELECT operation, role FROM operations WHERE address = :address"


def note(session: Session, key: AccountKey, transaction_hash: str, performed: Sequence[Performed]) -> None:
    """What the account's held transaction does, should it come into a block."""
    session.execute_all(
        _NOTE,
        [
            {
                "chain_id": key.chain_id,
                "account": key.address,
                "operation": each.operation,
                "role": each.role,
                "address": each.address,
                "transaction_hash": transaction_hash,
            }
            for each in performed
        ],
    )


def settle(session: Session, key: AccountKey, *, done: bool) -> None:
    """What became of the account's held transaction, which is held no more."""
    terms = {"chain_id": key.chain_id, "account": key.address}
    if done:
        session.execute(_DONE, terms)
    session.execute(_DROP, terms)


def performed(session: Session, address: str) -> frozenset[tuple[str, str]]:
    """See `State.performed`."""
    return frozenset((operation, role) for operation, role in session.rows(_PERFORMED, {"address": address}))
