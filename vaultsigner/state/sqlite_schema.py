"""The tables, as a list of migrations: what was released is never edited, only added to."""

import sqlite3

from vaultsigner.errors import StateError

_ACCOUNTS = """
CREATE TABLE accounts (
  chain_id TEXT NOT NULL,
  address TEXT NOT NULL,
  account_number INTEGER NOT NULL CHECK (account_number >= 0),
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  version INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (chain_id, address)
) STRICT, WITHOUT ROWID
"""

_HELD = """
CREATE TABLE held (
  chain_id TEXT NOT NULL,
  address TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  owner TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('reserved', 'sent', 'unknown')),
  lease_until_ms INTEGER NOT NULL,
  signed_transaction BLOB,
  transaction_hash TEXT,
  PRIMARY KEY (chain_id, address),
  FOREIGN KEY (chain_id, address) REFERENCES accounts (chain_id, address),
  CHECK ((status = 'reserved') = (signed_transaction IS NULL)),
  CHECK ((signed_transaction IS NULL) = (transaction_hash IS NULL))
) STRICT
"""

# The last line of defence, whatever the statements above it do: a held number cannot be moved away from under its holder.
_HELD_STAYS = """
CREATE TRIGGER held_sequence_stays BEFORE UPDATE OF sequence ON accounts
WHEN EXISTS (
  SELECT 1 FROM held
  WHERE held.chain_id = NEW.chain_id AND held.address = NEW.address AND held.sequence <> NEW.sequence
)
BEGIN
  SELECT RAISE(ABORT, 'the sequence number is held');
END
"""

_NONCES = """
CREATE TABLE nonces (
  digest BLOB NOT NULL PRIMARY KEY,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

_NONCES_BY_EXPIRY = "CREATE INDEX nonces_by_expiry ON nonces (expires_at_ms)"

# One row: what expires no later is not remembered, and so it is refused.
_NONCE_HORIZON = """
CREATE TABLE nonce_horizon (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  horizon_ms INTEGER NOT NULL
) STRICT
"""

_FIRST_HORIZON = "INSERT INTO nonce_horizon (id, horizon_ms) VALUES (1, 0)"

_RATES = """
CREATE TABLE rates (
  key TEXT NOT NULL PRIMARY KEY,
  free_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

_RATES_BY_TIME = "CREATE INDEX rates_by_time ON rates (free_at_us)"

_PENDING_OPERATIONS = """
CREATE TABLE pending_operations (
  chain_id TEXT NOT NULL,
  account TEXT NOT NULL,
  operation TEXT NOT NULL,
  role TEXT NOT NULL,
  address TEXT NOT NULL,
  transaction_hash TEXT NOT NULL,
  PRIMARY KEY (chain_id, account, operation, role, address)
) STRICT, WITHOUT ROWID
"""

# The transaction is the first that did it.
_OPERATIONS = """
CREATE TABLE operations (
  address TEXT NOT NULL,
  operation TEXT NOT NULL,
  role TEXT NOT NULL,
  chain_id TEXT NOT NULL,
  transaction_hash TEXT NOT NULL,
  PRIMARY KEY (address, operation, role)
) STRICT, WITHOUT ROWID
"""

# An account may have several transactions of which nobody knows yet whether they came into a block.
_PENDING = """
CREATE TABLE pending (
  chain_id TEXT NOT NULL,
  transaction_hash TEXT NOT NULL,
  operation TEXT NOT NULL,
  role TEXT NOT NULL,
  address TEXT NOT NULL,
  noted_at_ms INTEGER NOT NULL,
  PRIMARY KEY (chain_id, transaction_hash, operation, role, address)
) STRICT, WITHOUT ROWID
"""

_PENDING_BY_ADDRESS = "CREATE INDEX pending_by_address ON pending (address)"

_PENDING_BY_TIME = "CREATE INDEX pending_by_time ON pending (noted_at_ms)"

_KEEP_PENDING = """
INSERT INTO pending (chain_id, transaction_hash, operation, role, address, noted_at_ms)
SELECT chain_id, transaction_hash, operation, role, address, CAST(strftime('%s', 'now') AS INTEGER) * 1000
FROM pending_operations
"""

_DROP_PENDING_OPERATIONS = "DROP TABLE pending_operations"

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (_ACCOUNTS, _HELD, _HELD_STAYS),
    (
        _NONCES,
        _NONCES_BY_EXPIRY,
        _NONCE_HORIZON,
        _FIRST_HORIZON,
        _RATES,
        _RATES_BY_TIME,
        _PENDING_OPERATIONS,
        _OPERATIONS,
    ),
    (_PENDING, _PENDING_BY_ADDRESS, _PENDING_BY_TIME, _KEEP_PENDING, _DROP_PENDING_OPERATIONS),
)
"""For each version of the schema, from 1, the statements that lead to it."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the newest schema, in one transaction.

    Raises:
        StateError: a newer vaultsigner made it.
        sqlite3.Error: as SQLite says.
    """
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")
    version = int(connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise StateError(
            f"the database has schema {version}, this vaultsigner knows {len(MIGRATIONS)}: it was made by a newer one"
        )
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        for statement in statements:
            connection.execute(statement)
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", (number,))
    connection.execute("COMMIT")
