"""Whether a database is the one that was counted in, with all that was committed to it: no server is believed for its address.

The row that every writer locks says, beside the number of commits: which server wrote it last, by the cluster's identifier, the
number of the database in it and the timeline, which grows with every promotion
(postgresql.org/docs/current/continuous-archiving.html, "Timelines"); whether a replica has found that commits are lost; how often
an operator has accepted that; and how old a program may be that writes here.
"""

from dataclasses import dataclass
from typing import NoReturn

from psycopg import sql

from vaultsigner import __version__
from vaultsigner.errors import StateError
from vaultsigner.state import postgres_schema
from vaultsigner.state.postgres_session import LockGoneError, PostgresSession
from vaultsigner.state.sessions import Session

SINCE_SCHEMA = 5
"""Which version of the schema brought what this module reads."""
REPLICAS_KEPT_MS = 7 * 86_400_000

LONGEST_WINDOW_MS = 70_000
"""A request is good for a minute at most, may be made five seconds ahead (an Open API token), and is judged by a clock that is
five seconds ahead at most.
"""

ADVICE = "it serves nobody until an operator has looked and run `vaultsigner state accept` (docs/replicas.md, Fail-over)"
_STANDING = """
SELECT number, oldest_program, coalesce(place, ''), coalesce(closed, ''), accepted,
coalesce((SELECT last_commit FROM replicas WHERE id = :replica), 0)
FROM commits
"""
_ONLY_NUMBER = "SELECT number, 0, '', '', 0, number FROM commits"
_TAKE_PLACE = "UPDATE commits SET place = :place WHERE place IS DISTINCT FROM :place"
_ACCEPT = "UPDATE commits SET place = :place, closed = NULL, accepted = accepted + 1"
_REFUSE_WHAT_MAY_HAVE_BEEN_USED = """
UPDATE nonce_horizon
SET horizon_ms = greatest(
  horizon_ms,
  (SELECT max(expires_at_ms) FROM nonces),
  CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) + :longest_ms
)
"""
# One may have been used, or voted against, in what is lost; who still wants it asks anew.
_END_APPROVALS = "UPDATE approvals SET in_force = 0 WHERE in_force = 1"
_FORGET = """
DELETE FROM replicas WHERE seen_at_ms < CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) - :kept_ms
"""
# A dump that is put back under an open connection breaks nothing: so it is looked for each time.
_ONLY_WRITER = """
SELECT number FROM commits
WHERE closed IS NULL AND oldest_program <= :newest AND number >= :seen
AND (':replica' = '' OR :commits <= coalesce((SELECT last_commit FROM replicas WHERE id = ':replica'), 0))
FOR UPDATE
"""
_COUNT_COMMIT = "UPDATE commits SET number = number + 1 RETURNING number"
_NOTE_COMMIT = """
WITH next AS (UPDATE commits SET number = number + 1 RETURNING number)
INSERT INTO replicas (id, name, version, last_commit, seen_at_ms)
SELECT ':replica', :name, :version, number, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) FROM next
ON CONFLICT (id) DO UPDATE SET last_commit = excluded.last_commit, seen_at_ms = excluded.seen_at_ms
RETURNING last_commit
"""
_CLOSE = "UPDATE commits SET closed = :why WHERE closed IS NULL"


class LostCommitsError(StateError):
    """The database is from before what this replica committed."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a replica remembers of the database that it counted in.

    Args:
        replica: its id; new with each start. Empty: of a visitor, of whom the database keeps nothing.
        commits: the number of its own last commit; 0: none since its start, or since an operator accepted that some are lost.
        seen: how many commits, of whomever, it has seen there; 0: none since then either.
        accepted: how often an operator had accepted that when it last looked; None: it has not looked yet.
    """

    replica: str
    commits: int = 0
    seen: int = 0
    accepted: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database says of itself: see the module.

    Args:
        number: how many commits it has seen.
        own: the number of the last one that it has of whoever asks.
    """

    number: int
    oldest_program: int
    place: str
    closed: str
    accepted: int
    own: int


def is_known() -> bool:
    """Whether the schema that this program knows has what this module reads."""
    return len(postgres_schema.MIGRATIONS) >= SINCE_SCHEMA


def look(session: PostgresSession, replica: str) -> Standing:
    """What the database says of itself now.

    Raises:
        LockGoneError: the row that says so is gone.
    """
    rows = session.rows(_STANDING, {"replica": replica}) if is_known() else session.rows(_ONLY_NUMBER, {})
    if not rows:
        raise LockGoneError
    return Standing(*rows[0])


def only_writer(memory: Memory) -> str:
    """The statement that locks the row, and finds none where nothing may be written, or where something is lost."""
    if not is_known():
        return postgres_schema.ONLY_WRITER
    newest = str(len(postgres_schema.MIGRATIONS))
    statement = _ONLY_WRITER.replace(":newest", newest).replace(":replica", memory.replica)
    return statement.replace(":commits", str(memory.commits)).replace(":seen", str(memory.seen))


def next_commit(replica: str, name: str = "") -> str:
    """The last statement of every transaction: counts it, and notes whose it was.

    Args:
        replica: hexadecimal digits; empty: of a visitor, whose commits only count.
        name: what the replica is called.
    """
    if not replica or not is_known():
        return _COUNT_COMMIT
    statement = _NOTE_COMMIT.replace(":replica", replica).replace(":version", _quoted(__version__))
    return statement.replace(":name", _quoted(name))


def _quoted(text: str) -> str:
    return sql.Literal(text).as_string(None)


def require_open(standing: Standing, name: str) -> None:
    """Refuse what an operator has to look at first, and what a newer program has changed.

    Raises:
        StateError: with what to do.
    """
    newest = len(postgres_schema.MIGRATIONS)
    if standing.oldest_program > newest:
        raise StateError(
            f"{name}: a newer vaultsigner has changed the tables, and this one knows schema {newest}: update it"
        )
    if standing.closed:
        raise StateError(f"{name}: {standing.closed}; {ADVICE}")


def require_kept(standing: Standing, memory: Memory, name: str) -> None:
    """Refuse a database from before what this replica has committed to it, or has seen there.

    Others may have gone on in it meanwhile, so that a number of all commits that is no smaller says nothing; but a visitor has no
    more, as it is gone again before it has much to lose.

    Raises:
        StateError: something is lost.
    """
    if memory.accepted is not None and standing.accepted > memory.accepted:
        return
    if standing.number < memory.seen or (memory.replica and standing.own < memory.commits):
        refuse_as_lost(name)


def refuse_as_lost(name: str) -> NoReturn:
    """Refuse a database that is not the one in which this replica has counted.

    Raises:
        LostCommitsError: always.
    """
    raise LostCommitsError(
        f"{name} is another database than before, or has lost what was committed to it; restart vaultsigner if it is another, "
        "and that was meant"
    )


def require_same_place(standing: Standing, place: str, name: str, *, synchronous: bool) -> None:
    """Refuse a server that took over, unless it is known that it has everything.

    Args:
        synchronous: it is, of the same database of the same cluster, as a promoted standby has it.

    Raises:
        StateError: it may have lost the last commits: nonces, uses of limits, suspensions.
    """
    why = _other_place(standing, place, synchronous=synchronous)
    if why is not None:
        raise StateError(f"{name}: {why}; {ADVICE}")


def why_closed(standing: Standing, place: str, *, synchronous: bool) -> str | None:
    """What an operator has to accept before anybody is served; None: nothing."""
    return standing.closed or _other_place(standing, place, synchronous=synchronous)


def _other_place(standing: Standing, place: str, *, synchronous: bool) -> str | None:
    promoted = _database(standing.place) == _database(place)
    if standing.place in ("", place) or (synchronous and promoted):
        return None
    return (
        f"another server has taken over (it was {standing.place}, it is {place}: a promoted standby, or a copy), and the last "
        "commits may be lost"
    )


def _database(place: str) -> str:
    """`Identity.place` without the timeline: what a standby has in common with what it follows."""
    return place.rpartition(",")[0]


def take_place(session: PostgresSession, place: str) -> None:
    """Note which server writes from now on; inside a transaction."""
    if is_known():
        session.execute(_TAKE_PLACE, {"place": place})


def close(session: PostgresSession) -> None:
    """A replica has found that commits are lost: others cannot know it, nor can itself once it has been started anew."""
    if is_known():
        session.execute(_CLOSE, {"why": "a replica has found that the database has lost what it committed"})


def accept(session: PostgresSession, place: str) -> None:
    """Let a database be used that has lost commits, or may have; inside a transaction.

    Nonces may be among them, so that no signed request is taken from now on that could have been made before now; and uses of
    approvals, so that none that others have given before serves again.
    """
    session.rows(postgres_schema.ONLY_WRITER, {})
    session.execute(_ACCEPT, {"place": place})
    session.execute(_REFUSE_WHAT_MAY_HAVE_BEEN_USED, {"longest_ms": LONGEST_WINDOW_MS})
    session.execute(_END_APPROVALS, {})


def forget_replicas(session: Session) -> None:
    """Those that have been gone for long; inside a transaction."""
    if is_known():
        session.execute(_FORGET, {"kept_ms": REPLICAS_KEPT_MS})
