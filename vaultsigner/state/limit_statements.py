"""The statements behind limits: rolling windows, exact to the millisecond, at a cost that does not grow with what is in them.

For each key and millisecond there is one row, with the sum of all that was ever used before it and up to it. What a window
holds is the difference of two rows: the sum up to the newest, less the sum before the oldest that is still inside. Nothing is
added up, and nothing need be removed for it.

A sum is `turns` times 2^63 plus `units`, since it has no bound. Time is that of `limit_clock`, which never goes back, so that
sums only grow with time and what was once seen to leave its window never comes back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vaultsigner.state.counting import NotCounted
from vaultsigner.state.limits import MOST_UNITS, LimitUse
from vaultsigner.state.sessions import Session, Terms

_TURN = MOST_UNITS + 1

_RAISE_CLOCK = "UPDATE limit_clock SET now_ms = :now_ms WHERE now_ms < :now_ms"

_CLOCK = "SELECT now_ms FROM limit_clock"

# One row, whether anything was used or not.
_SUMS = """
SELECT coalesce(newest.turns, 0) AS turns, coalesce(newest.units, 0) AS units,
coalesce(oldest.turns_before, newest.turns, 0) AS turns_before,
coalesce(oldest.units_before, newest.units, 0) AS units_before
FROM limit_clock
LEFT JOIN limit_uses newest
ON newest.key = :key AND newest.at_ms = (SELECT max(at_ms) FROM limit_uses WHERE key = :key)
LEFT JOIN limit_uses oldest
ON oldest.key = :key AND oldest.at_ms = (SELECT min(at_ms) FROM limit_uses WHERE key = :key AND at_ms > :left_ms)
"""

# `spare_units` is what others may have used: it fits if the window began at no less than the newest sum without that.
# `rest_units` is what 2^63 - 1 has more than the use, so that no addition passes it.
_USE = f"""
INSERT INTO limit_uses (key, at_ms, leaves_at_ms, turns_before, units_before, turns, units)
SELECT :key, :now_ms, :leaves_at_ms, turns, units,
CASE WHEN units > :rest_units THEN turns + 1 ELSE turns END,
CASE WHEN units > :rest_units THEN units - :rest_units - 1 ELSE units + :units END
FROM ({_SUMS}) AS sums
WHERE (turns_before, units_before) >= (
  CASE WHEN units >= :spare_units THEN turns ELSE turns - 1 END,
  CASE WHEN units >= :spare_units THEN units - :spare_units ELSE units - :spare_units + {MOST_UNITS} + 1 END
)
ON CONFLICT (key, at_ms) DO UPDATE SET turns = excluded.turns, units = excluded.units,
leaves_at_ms = CASE
  WHEN excluded.leaves_at_ms > limit_uses.leaves_at_ms THEN excluded.leaves_at_ms ELSE limit_uses.leaves_at_ms
END
"""  # noqa: S608 (of our own parts)

# In the transaction of the use only: then the row is the newest of its key.
_UNUSE = f"""
UPDATE limit_uses SET
turns = CASE WHEN units >= :units THEN turns ELSE turns - 1 END,
units = CASE WHEN units >= :units THEN units - :units ELSE units - :units + {MOST_UNITS} + 1 END
WHERE key = :key AND at_ms = :now_ms
"""  # noqa: S608 (of our own parts)

_DROP_UNUSED = """
DELETE FROM limit_uses
WHERE key = :key AND at_ms = :now_ms AND turns = turns_before AND units = units_before
"""

_FIRST_WITH_SUM = """
SELECT at_ms FROM limit_uses WHERE key = :key AND (turns, units) >= (:turns, :units)
ORDER BY turns, units, at_ms LIMIT 1
"""

_USAGE = """
SELECT newest.turns, newest.units, oldest.turns_before, oldest.units_before
FROM limit_uses newest JOIN limit_uses oldest ON oldest.key = newest.key
WHERE newest.key = :key AND newest.at_ms = (SELECT max(at_ms) FROM limit_uses WHERE key = :key)
AND oldest.at_ms = (
  SELECT min(at_ms) FROM limit_uses WHERE key = :key AND at_ms > newest.at_ms - newest.leaves_at_ms
  + (SELECT CASE WHEN now_ms > :now_ms THEN now_ms ELSE :now_ms END FROM limit_clock)
)
"""

_FORGET = """
DELETE FROM limit_uses WHERE (key, at_ms) IN (
  SELECT key, at_ms FROM limit_uses WHERE leaves_at_ms <= (SELECT now_ms FROM limit_clock) LIMIT :at_most
)
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody wants to use something of a limit."""

    number: int
    use: LimitUse
    asked_ms: int


@dataclass(frozen=True, slots=True)
class _Full:
    """Why a use does not fit: how much would, and from when on it will (None: never)."""

    left_units: int
    eases_at_ms: int | None


class LimitKeeper:
    """Uses limits in one transaction, for all whose work shares it."""

    def __init__(self, session: Session, now_ms: int) -> None:
        """Time goes on to `now_ms`, if it is not there yet."""
        self._session = session
        session.execute(_RAISE_CLOCK, {"now_ms": now_ms})
        ((self._now_ms,),) = session.rows(_CLOCK, {})

    def refuse_hopeless(self, wanted: Sequence[Wanted], refused: dict[int, NotCounted]) -> None:
        """Note who is refused whatever the others do, so that they take no room from others, not even for an instant.

        Nobody is granted anything by this look.
        """
        full = self._full({each.use for each in wanted})
        for each in wanted:
            if each.use in full:
                refused.setdefault(each.number, _refusal(each, full[each.use]))

    def use(self, wanted: Sequence[Wanted], refused: dict[int, NotCounted]) -> list[Wanted]:
        """Use what fits, first come first served, and note who is refused; returns those that were granted."""
        possible = [each for each in wanted if each.use.units <= each.use.most_units]
        changed = self._session.execute_all(_USE, [self._terms(each.use) for each in possible])
        granted = [each for each, row in zip(possible, changed, strict=True) if row]
        late = set(wanted) - set(granted)
        full = self._full({each.use for each in late})
        for each in late:  # What did not fit then does not fit now, since nobody has given anything back.
            refused[each.number] = _refusal(each, full[each.use])
        return granted

    def give_back(self, granted: Sequence[Wanted]) -> None:
        """Undo, in the same transaction, what was used."""
        terms: list[Terms] = [
            {"key": each.use.key, "now_ms": self._now_ms, "units": each.use.units} for each in granted
        ]
        self._session.execute_all(_UNUSE, terms)
        keys = {each.use.key for each in granted}
        self._session.execute_all(_DROP_UNUSED, [{"key": key, "now_ms": self._now_ms} for key in keys])

    def _terms(self, use: LimitUse) -> Terms:
        return {
            "key": use.key,
            "now_ms": self._now_ms,
            "left_ms": self._now_ms - use.window_ms,
            "leaves_at_ms": self._now_ms + use.window_ms,
            "units": use.units,
            "spare_units": use.most_units - use.units,
            "rest_units": MOST_UNITS - use.units,
        }

    def _full(self, uses: Iterable[LimitUse]) -> dict[LimitUse, _Full]:
        """Those that do not fit now."""
        asked = list(uses)
        terms = [{"key": use.key, "left_ms": self._now_ms - use.window_ms} for use in asked]
        full: dict[LimitUse, _Full] = {}
        waiting: dict[LimitUse, tuple[int, int]] = {}
        for use, found in zip(asked, self._session.rows_all(_SUMS, terms), strict=True):
            newest, used = _sums(found[0])
            left = max(0, use.most_units - used)
            if use.units > use.most_units:
                full[use] = _Full(left, None)
            elif used + use.units > use.most_units:
                waiting[use] = (left, newest - (use.most_units - use.units))
        first = self._session.rows_all(
            _FIRST_WITH_SUM,
            [
                {"key": use.key, "turns": total // _TURN, "units": total % _TURN}
                for use, (_, total) in waiting.items()
            ],
        )
        for (use, (left, _)), found in zip(waiting.items(), first, strict=True):
            full[use] = _Full(left, found[0][0] + use.window_ms)
        return full


def usage(session: Session, keys: Sequence[str], now_ms: int) -> dict[str, int]:
    """See `State.limit_usage`."""
    found = session.rows_all(_USAGE, [{"key": key, "now_ms": now_ms} for key in keys])
    return {key: _sums(rows[0])[1] if rows else 0 for key, rows in zip(keys, found, strict=True)}


def forget(session: Session, before_ms: int, at_most: int) -> int:
    """A part of `State.forget_expired`; returns how many rows were removed. What is removed no window would show again.

    Args:
        before_ms: up to when everybody's clock is past it.
    """
    session.execute(_RAISE_CLOCK, {"now_ms": before_ms})
    return session.execute(_FORGET, {"at_most": at_most})


def _refusal(wanted: Wanted, full: _Full) -> NotCounted:
    wait_ms = None if full.eases_at_ms is None else max(1, full.eases_at_ms - wanted.asked_ms)
    return NotCounted("limit", wait_ms, wanted.use.key, full.left_units)


def _sums(row: Sequence[int]) -> tuple[int, int]:
    """Of a row of sums: the newest, and what the window holds."""
    turns, units, turns_before, units_before = row
    newest = turns * _TURN + units
    return newest, newest - (turns_before * _TURN + units_before)
