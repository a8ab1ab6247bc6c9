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
# See `limit_statements`: sums of all that was used before this millisecond, and up to it.
_LIMIT_USES = """
CREATE TABLE limit_uses (
  key TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  leaves_at_ms INTEGER NOT NULL,
  turns_before INTEGER NOT NULL,
  units_before INTEGER NOT NULL CHECK (units_before >= 0),
  turns INTEGER NOT NULL,
  units INTEGER NOT NULL CHECK (units >= 0),
  PRIMARY KEY (key, at_ms)
) STRICT, WITHOUT ROWID
"""

_LIMIT_USES_BY_SUM = "CREATE INDEX limit_uses_by_sum ON limit_uses (key, turns, units, at_ms)"

_LIMIT_USES_BY_END = "CREATE INDEX limit_uses_by_end ON limit_uses (leaves_at_ms)"

# One row: the latest time that limits have seen.
_LIMIT_CLOCK = """
CREATE TABLE limit_clock (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  now_ms INTEGER NOT NULL
) STRICT
"""

_FIRST_CLOCK = "INSERT INTO limit_clock (id, now_ms) VALUES (1, 0)"

_APPROVALS = """
CREATE TABLE approvals (
  id TEXT NOT NULL PRIMARY KEY,
  intent_digest BLOB NOT NULL,
  request TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  policy TEXT NOT NULL,
  needed INTEGER NOT NULL CHECK (needed >= 1),
  expires_at_ms INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'granted', 'rejected', 'used')),
  approving INTEGER NOT NULL DEFAULT 0,
  in_force INTEGER NOT NULL DEFAULT 1 CHECK (in_force IN (0, 1)),
  CHECK (in_force = 0 OR status IN ('open', 'granted')),
  CHECK (status NOT IN ('granted', 'used') OR approving >= needed)
) STRICT
"""

# One of a requester for one thing, until it is used or over.
_ONE_IN_FORCE = """
CREATE UNIQUE INDEX one_approval_in_force ON approvals (requested_by, intent_digest) WHERE in_force = 1
"""

_APPROVALS_BY_EXPIRY = "CREATE INDEX approvals_by_expiry ON approvals (expires_at_ms)"

_APPROVAL_VOTES = """
CREATE TABLE approval_votes (
  approval_id TEXT NOT NULL REFERENCES approvals (id) ON DELETE CASCADE,
  voter TEXT NOT NULL,
  approves INTEGER NOT NULL CHECK (approves IN (0, 1)),
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (approval_id, voter)
) STRICT, WITHOUT ROWID
"""

_SUSPENSIONS = """
CREATE TABLE suspensions (
  kind TEXT NOT NULL CHECK (kind IN ('wallet', 'client', 'user', 'exchange', 'all')),
  name TEXT NOT NULL,
  reason TEXT NOT NULL,
  suspended_by TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, name),
  CHECK ((kind = 'all') = (name = ''))
) STRICT, WITHOUT ROWID
"""

# One row, so that whoever polls reads no more than that.
_SUSPENSION_VERSION = """
CREATE TABLE suspension_version (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  number INTEGER NOT NULL
) STRICT
"""

_FIRST_SUSPENSION_VERSION = "INSERT INTO suspension_version (id, number) VALUES (1, 0)"

_CHECKPOINTS = """
CREATE TABLE checkpoints (
  chain TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL CHECK (size > 0),
  head TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""

_CHECKPOINTS_OF = "ALTER TABLE checkpoints ADD COLUMN replica TEXT NOT NULL DEFAULT ''"

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
    (
        _LIMIT_USES,
        _LIMIT_USES_BY_SUM,
        _LIMIT_USES_BY_END,
        _LIMIT_CLOCK,
        _FIRST_CLOCK,
        _APPROVALS,
        _ONE_IN_FORCE,
        _APPROVALS_BY_EXPIRY,
        _APPROVAL_VOTES,
        _SUSPENSIONS,
        _SUSPENSION_VERSION,
        _FIRST_SUSPENSION_VERSION,
    ),
    (_CHECKPOINTS,),
    (_CHECKPOINTS_OF,),
)
"""For each version of the schema, from 1, the statements that lead to it."""


def migrate(connection: sqlite3.Connection) -> tuple[int, int]:
    """Bring a database to the newest schema, in one transaction. Returns the schema before and after it; 0: there was none.

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
    return version, len(MIGRATIONS)
