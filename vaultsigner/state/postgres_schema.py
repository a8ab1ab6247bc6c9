"""The tables, as a list of migrations: what was released is never edited, only added to."""

from vaultsigner.errors import StateError
from vaultsigner.state.postgres_address import SCHEMA
from vaultsigner.state.postgres_session import PostgresSession

_ACCOUNTS = """
CREATE TABLE accounts (
  chain_id TEXT NOT NULL,
  address TEXT NOT NULL,
  account_number BIGINT NOT NULL CHECK (account_number >= 0),
  sequence BIGINT NOT NULL CHECK (sequence >= 0),
  version BIGINT NOT NULL DEFAULT 1,
  PRIMARY KEY (chain_id, address)
)
"""

_HELD = """
CREATE TABLE held (
  chain_id TEXT NOT NULL,
  address TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  fingerprint TEXT NOT NULL,
  owner TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('reserved', 'sent', 'unknown')),
  lease_until_ms BIGINT NOT NULL,
  signed_transaction BYTEA,
  transaction_hash TEXT,
  PRIMARY KEY (chain_id, address),
  FOREIGN KEY (chain_id, address) REFERENCES accounts (chain_id, address),
  CHECK ((status = 'reserved') = (signed_transaction IS NULL)),
  CHECK ((signed_transaction IS NULL) = (transaction_hash IS NULL))
)
"""

# The last line of defence, whatever the statements above it do: a held number cannot be moved away from under its holder.
_HELD_STAYS = """
CREATE FUNCTION held_sequence_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM vaultsigner.held h
    WHERE h.chain_id = NEW.chain_id AND h.address = NEW.address AND h.sequence <> NEW.sequence
  ) THEN
    RAISE EXCEPTION 'the sequence number is held' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END
$$
"""

_HELD_STAYS_ALWAYS = """
CREATE TRIGGER held_sequence_stays BEFORE UPDATE OF sequence ON accounts
FOR EACH ROW EXECUTE FUNCTION held_sequence_stays()
"""

_NONCES = """
CREATE TABLE nonces (
  digest BYTEA NOT NULL PRIMARY KEY,
  expires_at_ms BIGINT NOT NULL
)
"""

_NONCES_BY_EXPIRY = "CREATE INDEX nonces_by_expiry ON nonces (expires_at_ms)"

# One row: what expires no later is not remembered, and so it is refused.
_NONCE_HORIZON = """
CREATE TABLE nonce_horizon (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  horizon_ms BIGINT NOT NULL
)
"""

_FIRST_HORIZON = "INSERT INTO nonce_horizon (id, horizon_ms) VALUES (1, 0)"

_RATES = """
CREATE TABLE rates (
  key TEXT NOT NULL PRIMARY KEY,
  free_at_us BIGINT NOT NULL
)
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
)
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
)
"""

# Every transaction that writes counts here, so that a database from before the last one is known for what it is.
_COMMITS = """
CREATE TABLE commits (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  number BIGINT NOT NULL
)
"""

_FIRST_COMMIT = "INSERT INTO commits (id, number) VALUES (1, 0)"

# An account may have several transactions of which nobody knows yet whether they came into a block.
_PENDING = """
CREATE TABLE pending (
  chain_id TEXT NOT NULL,
  transaction_hash TEXT NOT NULL,
  operation TEXT NOT NULL,
  role TEXT NOT NULL,
  address TEXT NOT NULL,
  noted_at_ms BIGINT NOT NULL,
  PRIMARY KEY (chain_id, transaction_hash, operation, role, address)
)
"""

_PENDING_BY_ADDRESS = "CREATE INDEX pending_by_address ON pending (address)"

_PENDING_BY_TIME = "CREATE INDEX pending_by_time ON pending (noted_at_ms)"

_KEEP_PENDING = """
INSERT INTO pending (chain_id, transaction_hash, operation, role, address, noted_at_ms)
SELECT chain_id, transaction_hash, operation, role, address, CAST(extract(epoch FROM now()) AS bigint) * 1000
FROM pending_operations
"""

_DROP_PENDING_OPERATIONS = "DROP TABLE pending_operations"

# Queries, not functions like to_regclass: those answer from a cache that may be from before a wait for a lock.
_HAS_VERSION = (
    "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = :name AND tablename = 'schema_version'"
)
_HAS_SCHEMA = "SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = :name"
_NAME = {"name": SCHEMA}
_VERSION = "SELECT coalesce(max(version), 0) FROM schema_version"

ONLY_WRITER = "SELECT number FROM commits FOR UPDATE"
"""The row lock under which everything is written: only who may write to the table can take it."""
# See `limit_statements`: sums of all that was used before this millisecond, and up to it.
_LIMIT_USES = """
CREATE TABLE limit_uses (
  key TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  leaves_at_ms BIGINT NOT NULL,
  turns_before BIGINT NOT NULL,
  units_before BIGINT NOT NULL CHECK (units_before >= 0),
  turns BIGINT NOT NULL,
  units BIGINT NOT NULL CHECK (units >= 0),
  PRIMARY KEY (key, at_ms)
)
"""

_LIMIT_USES_BY_SUM = "CREATE INDEX limit_uses_by_sum ON limit_uses (key, turns, units, at_ms)"

_LIMIT_USES_BY_END = "CREATE INDEX limit_uses_by_end ON limit_uses (leaves_at_ms)"

# One row: the latest time that limits have seen.
_LIMIT_CLOCK = """
CREATE TABLE limit_clock (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  now_ms BIGINT NOT NULL
)
"""

_FIRST_CLOCK = "INSERT INTO limit_clock (id, now_ms) VALUES (1, 0)"

_APPROVALS = """
CREATE TABLE approvals (
  id TEXT NOT NULL PRIMARY KEY,
  intent_digest BYTEA NOT NULL,
  request TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  policy TEXT NOT NULL,
  needed BIGINT NOT NULL CHECK (needed >= 1),
  expires_at_ms BIGINT NOT NULL,
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'granted', 'rejected', 'used')),
  approving BIGINT NOT NULL DEFAULT 0,
  in_force BIGINT NOT NULL DEFAULT 1 CHECK (in_force IN (0, 1)),
  CHECK (in_force = 0 OR status IN ('open', 'granted')),
  CHECK (status NOT IN ('granted', 'used') OR approving >= needed)
)
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
  approves BIGINT NOT NULL CHECK (approves IN (0, 1)),
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (approval_id, voter)
)
"""

_SUSPENSIONS = """
CREATE TABLE suspensions (
  kind TEXT NOT NULL CHECK (kind IN ('wallet', 'client', 'user', 'exchange', 'all')),
  name TEXT NOT NULL,
  reason TEXT NOT NULL,
  suspended_by TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (kind, name),
  CHECK ((kind = 'all') = (name = ''))
)
"""

# One row, so that whoever polls reads no more than that.
_SUSPENSION_VERSION = """
CREATE TABLE suspension_version (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  number BIGINT NOT NULL
)
"""

_FIRST_SUSPENSION_VERSION = "INSERT INTO suspension_version (id, number) VALUES (1, 0)"

_CHECKPOINTS = """
CREATE TABLE checkpoints (
  chain TEXT NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL CHECK (size > 0),
  head TEXT NOT NULL
)
"""

# See `postgres_standing`. A migration that programs of an older schema cannot write beside raises `oldest_program`.
_STANDING = """
ALTER TABLE commits
ADD COLUMN oldest_program INTEGER NOT NULL DEFAULT 5,
ADD COLUMN place TEXT,
ADD COLUMN closed TEXT,
ADD COLUMN accepted BIGINT NOT NULL DEFAULT 0
"""

# What each replica has committed last, for it to find again after a fail-over.
_REPLICAS = """
CREATE TABLE replicas (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  last_commit BIGINT NOT NULL,
  seen_at_ms BIGINT NOT NULL
)
"""

_CHECKPOINTS_OF = "ALTER TABLE checkpoints ADD COLUMN replica TEXT NOT NULL DEFAULT ''"

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        _ACCOUNTS,
        _HELD,
        _HELD_STAYS,
        _HELD_STAYS_ALWAYS,
        _NONCES,
        _NONCES_BY_EXPIRY,
        _NONCE_HORIZON,
        _FIRST_HORIZON,
        _RATES,
        _RATES_BY_TIME,
        _PENDING_OPERATIONS,
        _OPERATIONS,
        _COMMITS,
        _FIRST_COMMIT,
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
    (_STANDING, _REPLICAS, _CHECKPOINTS_OF),
)
"""For each version of the schema, from 1, the statements that lead to it."""


# For the migration alone: a large table takes its time, and other replicas that start wait for it.
_MIGRATORS_PATIENCE = (
    "SET LOCAL statement_timeout = '10min'",
    "SET LOCAL lock_timeout = '2min'",
    "SET LOCAL idle_in_transaction_session_timeout = '1min'",
)
_NO_END = "SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'"


def version(session: PostgresSession) -> int:
    """The database's schema; 0: it has none."""
    ((known,),) = session.rows(_HAS_VERSION, _NAME)
    return int(session.rows(_VERSION, {})[0][0]) if known else 0


def is_newest(session: PostgresSession) -> bool:
    """Whether there is nothing to migrate."""
    return version(session) == len(MIGRATIONS)


def be_patient(session: PostgresSession) -> None:
    """For the rest of the transaction; see `_MIGRATORS_PATIENCE`."""
    for statement in (*_MIGRATORS_PATIENCE, _NO_END):
        session.tell(statement)


def migrate(session: PostgresSession) -> int:
    """Bring a database to the newest schema; inside a transaction, under the migrators' lock.

    A role that may create nothing is enough for a database that has the newest schema already.

    Returns:
        The schema that it had; 0: none.

    Raises:
        StateError: a newer vaultsigner made it.
        psycopg.Error: as PostgreSQL says.
    """
    found = _version(session)
    if found > len(MIGRATIONS):
        raise StateError(
            f"the database has schema {found}, this vaultsigner knows {len(MIGRATIONS)}: it was made by a newer one"
        )
    if found:
        session.lock(ONLY_WRITER)  # Others may be at work already.
    for number, statements in enumerate(MIGRATIONS[found:], start=found + 1):
        for statement in statements:
            session.tell(statement)
        session.execute("INSERT INTO schema_version (version) VALUES (:version)", {"version": number})
    return found


def _version(session: PostgresSession) -> int:
    ((known,),) = session.rows(_HAS_VERSION, _NAME)
    if not known:
        ((there,),) = session.rows(_HAS_SCHEMA, _NAME)
        if not there:  # "IF NOT EXISTS" would ask for the right to make one all the same.
            session.tell(f"CREATE SCHEMA {SCHEMA}")
        session.tell("CREATE TABLE schema_version (version INTEGER NOT NULL)")
    ((found,),) = session.rows(_VERSION, {})
    return int(found)
