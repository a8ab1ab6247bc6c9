"""The statements behind `State`: each function runs inside a transaction that its caller opens and commits.

What decides is always in the statement that writes, never in a look before it.
"""

from collections.abc import Sequence

from vaultsigner.errors import StateError
from vaultsigner.state import counting_statements, performance_statements
from vaultsigner.state.accounts import (
    Account,
    AccountKey,
    Held,
    HeldByOther,
    HeldStatus,
    Reserved,
    Resynchronised,
)
from vaultsigner.state.counting import Count, NotCounted
from vaultsigner.state.performances import Pending, Performed
from vaultsigner.state.sessions import Session, Value

_TAKE_FREE = """
INSERT INTO held (chain_id, address, sequence, fingerprint, owner, status, lease_until_ms)
SELECT chain_id, address, sequence, :fingerprint, :owner, 'reserved', :lease_until_ms
FROM accounts WHERE chain_id = :chain_id AND address = :address
ON CONFLICT DO NOTHING
"""

# Its owner may yet come back: then it is not the owner any more, and `mark_sent` tells it so.
_TAKE_OVER = """
UPDATE held SET fingerprint = :fingerprint, owner = :owner, lease_until_ms = :lease_until_ms
WHERE chain_id = :chain_id AND address = :address AND status = 'reserved' AND lease_until_ms <= :now_ms
"""

_SEND_AGAIN = """
UPDATE held SET status = 'sent', owner = :owner, lease_until_ms = :lease_until_ms
WHERE chain_id = :chain_id AND address = :address AND fingerprint = :fingerprint
AND (status = 'unknown' OR (status = 'sent' AND lease_until_ms <= :now_ms))
"""

_MARK_SENT = """
UPDATE held SET status = 'sent', signed_transaction = :transaction, transaction_hash = :transaction_hash,
lease_until_ms = :lease_until_ms
WHERE chain_id = :chain_id AND address = :address AND owner = :owner AND sequence = :sequence
AND (status = 'reserved' OR signed_transaction = :transaction)
"""

_MARK_UNKNOWN = """
UPDATE held SET status = 'unknown'
WHERE chain_id = :chain_id AND address = :address AND owner = :owner AND sequence = :sequence AND status <> 'reserved'
"""

_FREE_RESERVED = """
DELETE FROM held
WHERE chain_id = :chain_id AND address = :address AND owner = :owner AND sequence = :sequence AND status = 'reserved'
"""

_FREE_SENT = """
DELETE FROM held
WHERE chain_id = :chain_id AND address = :address AND owner = :owner AND sequence = :sequence AND status <> 'reserved'
"""

_FREE_ABANDONED = """
DELETE FROM held
WHERE chain_id = :chain_id AND address = :address AND status = 'reserved' AND lease_until_ms <= :now_ms
AND EXISTS (SELECT 1 FROM accounts a WHERE a.chain_id = :chain_id AND a.address = :address AND a.version = :version)
"""

_FREE_SETTLED = """
DELETE FROM held
WHERE chain_id = :chain_id AND address = :address
AND (status = 'unknown' OR (status = 'sent' AND lease_until_ms <= :now_ms))
AND EXISTS (SELECT 1 FROM accounts a WHERE a.chain_id = :chain_id AND a.address = :address AND a.version = :version)
"""

_HELD_TRANSACTION = "SELECT transaction_hash FROM held WHERE chain_id = :chain_id AND address = :address"

_INSERT_ACCOUNT = """
INSERT INTO accounts (chain_id, address, account_number, sequence)
VALUES (:chain_id, :address, :account_number, :sequence) ON CONFLICT DO NOTHING
"""

_SET_SEQUENCE = "UPDATE accounts SET sequence = :sequence WHERE chain_id = :chain_id AND address = :address"

_SET_ACCOUNT = """
UPDATE accounts SET account_number = :account_number, sequence = :sequence, version = version + 1
WHERE chain_id = :chain_id AND address = :address AND version = :version
AND NOT EXISTS (SELECT 1 FROM held h WHERE h.chain_id = :chain_id AND h.address = :address)
"""

_RAISE_VERSION = "UPDATE accounts SET version = version + 1 WHERE chain_id = :chain_id AND address = :address"

_ACCOUNT = """
SELECT a.account_number, a.sequence, a.version,
h.status, h.sequence, h.fingerprint, h.owner, h.lease_until_ms, h.signed_transaction, h.transaction_hash
FROM accounts a LEFT JOIN held h USING (chain_id, address)
WHERE a.chain_id = :chain_id AND a.address = :address
"""


def account(session: Session, key: AccountKey) -> Account | None:
    """See `State.account`."""
    rows = session.rows(_ACCOUNT, {"chain_id": key.chain_id, "address": key.address})
    if not rows:
        return None
    account_number, sequence, version, status, held_sequence, fingerprint, owner, lease_until_ms, *stored = (
        rows[0]
    )
    held = None
    if status is not None:
        held = Held(held_sequence, fingerprint, owner, HeldStatus(status), lease_until_ms, *stored)
    return Account(account_number, sequence, held, version)


def remember_account(session: Session, key: AccountKey, account_number: int, sequence: int) -> Account:
    """See `State.remember_account`."""
    _write(session, _INSERT_ACCOUNT, key, account_number=account_number, sequence=sequence)
    return _known(session, key)


def reserve(
    session: Session,
    key: AccountKey,
    fingerprint: str,
    owner: str,
    *,
    now_ms: int,
    lease_ms: int,
    count: Count,
) -> Reserved | HeldByOther | NotCounted:
    """See `State.reserve`. Nobody's lease is over because somebody else's clock is ahead."""
    now_ms = session.no_later(now_ms)
    if not_counted := counting_statements.count(session, count, now_ms):
        return not_counted
    terms: dict[str, Value] = {
        "fingerprint": fingerprint,
        "owner": owner,
        "now_ms": now_ms,
        "lease_until_ms": now_ms + lease_ms,
    }
    taken = any(_write(session, way, key, **terms) for way in (_TAKE_FREE, _TAKE_OVER, _SEND_AGAIN))
    known = _known(session, key)
    if known.held is None:
        raise StateError(f"{key.address}: sequence {known.sequence} is neither free nor held")
    if not taken:
        return HeldByOther(known.held)
    return Reserved(known.account_number, known.held.sequence, known.held.transaction)


def mark_sent(
    session: Session,
    key: AccountKey,
    owner: str,
    sequence: int,
    *,
    transaction: bytes,
    transaction_hash: str,
    now_ms: int,
    lease_ms: int,
    performed: Sequence[Performed],
) -> bool:
    """See `State.mark_sent`."""
    now_ms = session.no_later(now_ms)
    sent = _write(
        session,
        _MARK_SENT,
        key,
        owner=owner,
        sequence=sequence,
        transaction=transaction,
        transaction_hash=transaction_hash,
        lease_until_ms=now_ms + lease_ms,
    )
    if sent:
        performance_statements.note(session, Pending(key.chain_id, transaction_hash), performed, now_ms)
    return sent


def mark_unknown(session: Session, key: AccountKey, owner: str, sequence: int) -> bool:
    """See `State.mark_unknown`."""
    return _write(session, _MARK_UNKNOWN, key, owner=owner, sequence=sequence)


def release(session: Session, key: AccountKey, owner: str, sequence: int) -> bool:
    """See `State.release`."""
    freed = _write(session, _FREE_RESERVED, key, owner=owner, sequence=sequence)
    return freed or mark_unknown(session, key, owner, sequence)


def settle(
    session: Session, key: AccountKey, owner: str, sequence: int, next_sequence: int, *, done: bool | None
) -> bool:
    """See `State.settle`."""
    held = session.rows(_HELD_TRANSACTION, {"chain_id": key.chain_id, "address": key.address})
    if not _write(session, _FREE_SENT, key, owner=owner, sequence=sequence):
        return False
    performance_statements.settle(session, Pending(key.chain_id, held[0][0]), done=done)
    return _write(session, _SET_SEQUENCE, key, sequence=next_sequence)


def resynchronise(
    session: Session,
    key: AccountKey,
    account_number: int,
    sequence: int,
    *,
    settled: bool,
    arrived: bool,
    now_ms: int,
    seen: Account | None,
) -> Resynchronised:
    """See `State.resynchronise`."""
    now_ms = session.no_later(now_ms)
    if seen is None:
        new = _write(session, _INSERT_ACCOUNT, key, account_number=account_number, sequence=sequence)
        return Resynchronised.UPDATED if new else Resynchronised.CHANGED
    _execute(session, _FREE_ABANDONED, key, now_ms=now_ms, version=seen.version)
    freed = settled and _execute(session, _FREE_SETTLED, key, now_ms=now_ms, version=seen.version)
    if freed and seen.held is not None and seen.held.transaction_hash is not None:
        # The version that both statements ask for says that what was seen is what was freed.
        performance_statements.settle(
            session, Pending(key.chain_id, seen.held.transaction_hash), done=arrived
        )
    if _execute(
        session, _SET_ACCOUNT, key, account_number=account_number, sequence=sequence, version=seen.version
    ):
        return Resynchronised.SETTLED if freed else Resynchronised.UPDATED
    known = _known(session, key)
    if known.version != seen.version or known.held is None:
        return Resynchronised.CHANGED
    return Resynchronised.IN_FLIGHT if known.held.in_flight(now_ms) else Resynchronised.UNSETTLED


def _known(session: Session, key: AccountKey) -> Account:
    known = account(session, key)
    if known is None:
        raise StateError(f"{key.address} on {key.chain_id} is not known yet")
    return known


def _write(session: Session, statement: str, key: AccountKey, **terms: Value) -> bool:
    """Run a statement; True, and a new version of the account, when it changed something."""
    changed = _execute(session, statement, key, **terms)
    if changed:
        _execute(session, _RAISE_VERSION, key)
    return changed


def _execute(session: Session, statement: str, key: AccountKey, **terms: Value) -> bool:
    return session.execute(statement, {"chain_id": key.chain_id, "address": key.address, **terms}) > 0
