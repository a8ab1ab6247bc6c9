"""The statements that count. What decides is always in the statement that writes, never in a look before it.

Whatever waits is counted together: each step is one statement, run for everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vaultsigner.errors import StateError
from vaultsigner.state import approval_statements, limit_statements
from vaultsigner.state.approvals import ApprovalUse
from vaultsigner.state.counting import CLOCK_SLACK_MS, Count, Nonce, NotCounted, Rate
from vaultsigner.state.limit_statements import LimitKeeper, Wanted
from vaultsigner.state.sessions import Counting, Session, Terms

FORGET_AT_ONCE = 10_000
"""How many rows one transaction removes, so that nobody waits long for it."""

_USE_NONCE = """
INSERT INTO nonces (digest, expires_at_ms)
SELECT :digest, :expires_at_ms FROM nonce_horizon WHERE horizon_ms < :expires_at_ms
ON CONFLICT DO NOTHING
"""

_UNUSE_NONCE = "DELETE FROM nonces WHERE digest = :digest"

_HORIZON = "SELECT horizon_ms FROM nonce_horizon"

# To the last that is about to be forgotten, and no further: a clock that runs ahead then refuses nothing that nobody used.
_RAISE_HORIZON = """
UPDATE nonce_horizon SET horizon_ms = (
  SELECT max(expires_at_ms) FROM (
    SELECT expires_at_ms FROM nonces WHERE expires_at_ms > horizon_ms AND expires_at_ms <= :before_ms
    ORDER BY expires_at_ms LIMIT :at_most
  ) AS oldest
)
WHERE EXISTS (SELECT 1 FROM nonces WHERE expires_at_ms > horizon_ms AND expires_at_ms <= :before_ms)
"""

# By the horizon alone: whatever raised it, what is not remembered is refused.
_FORGET_NONCES = """
DELETE FROM nonces WHERE digest IN (
  SELECT digest FROM nonces WHERE expires_at_ms <= (SELECT horizon_ms FROM nonce_horizon)
  ORDER BY expires_at_ms LIMIT :at_most
)
"""

# The generic cell rate algorithm (ITU-T I.371, annex A, virtual scheduling): `free_at_us` is when all that was counted has
# worn off. One more is taken while that lies less than `count` steps ahead.
_TAKE = """
INSERT INTO rates (key, free_at_us) VALUES (:key, :now_us + :step_us)
ON CONFLICT (key) DO UPDATE SET
free_at_us = CASE WHEN rates.free_at_us > :now_us THEN rates.free_at_us ELSE :now_us END + :step_us
WHERE rates.free_at_us <= :full_us - :step_us
"""

# Nobody gets further ahead than a full rate, except by a clock that was ahead itself.
_CUT = "UPDATE rates SET free_at_us = :full_us WHERE key = :key AND free_at_us > :full_us"

_REFUND = "UPDATE rates SET free_at_us = free_at_us - :step_us WHERE key = :key AND free_at_us > :now_us"

_FREE_AT = "SELECT free_at_us FROM rates WHERE key = :key"

_FORGET_RATES = """
DELETE FROM rates WHERE key IN (SELECT key FROM rates WHERE free_at_us <= :before_us LIMIT :at_most)
"""


_Numbered = tuple[int, Nonce]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Somebody wants one of a rate."""

    number: int
    rate: Rate
    now_ms: int

    @property
    def full_us(self) -> int:
        """How far ahead a rate lies that is used up."""
        return self.now_ms * 1_000 + self.rate.count * self.rate.step_us

    @property
    def terms(self) -> Terms:
        return {
            "key": self.rate.key,
            "now_us": self.now_ms * 1_000,
            "step_us": self.rate.step_us,
            "full_us": self.full_us,
        }


def count(session: Session, count: Count, now_ms: int) -> NotCounted | None:
    """See `State.count`."""
    return count_all(session, [Counting(count, now_ms)])[0]


def count_all(session: Session, countings: Sequence[Counting]) -> list[NotCounted | None]:
    """Count for several at once, each all or nothing.

    The nonces go first, so that a flood of copies of one request takes no room in the rates, not even for an instant; of
    several rates the first goes first, for all. What was taken for one that is refused in the end is given back.
    """
    refused: dict[int, NotCounted] = {}
    nonces = [(number, nonce) for number, each in enumerate(countings) for nonce in each.count.nonces]
    used = _use_nonces(session, nonces, refused)
    taken: list[_Asked] = []
    for place in range(max((len(each.count.rates) for each in countings), default=0)):
        asked = [
            _Asked(number, each.count.rates[place], session.no_later(each.now_ms))
            for number, each in enumerate(countings)
            if number not in refused and place < len(each.count.rates)
        ]
        taken += _take(session, asked, refused)
    approved = _use_approvals(session, countings, refused)
    _use_limits(session, countings, refused)
    _give_back(
        session, [n for n in used if n[0] in refused], [asked for asked in taken if asked.number in refused]
    )
    approval_statements.give_back(session, [use for number, use in approved if number in refused])
    return [refused.get(number) for number in range(len(countings))]


def refund(session: Session, rate: Rate, now_ms: int) -> None:
    """See `State.refund`."""
    session.execute(_REFUND, _Asked(0, rate, session.no_later(now_ms)).terms)


def forget_expired(session: Session, now_ms: int) -> bool:
    """A part of `State.forget_expired`; True: there may be more to forget."""
    before_ms = forgotten_before(session, now_ms)
    session.execute(_RAISE_HORIZON, {"before_ms": before_ms, "at_most": FORGET_AT_ONCE})
    nonces = session.execute(_FORGET_NONCES, {"at_most": FORGET_AT_ONCE})
    rates = session.execute(_FORGET_RATES, {"before_us": before_ms * 1_000, "at_most": FORGET_AT_ONCE})
    uses = limit_statements.forget(session, before_ms, FORGET_AT_ONCE)
    approval_statements.end(session, now_ms)
    approvals = approval_statements.forget(session, now_ms, FORGET_AT_ONCE)
    return max(nonces, rates, uses, approvals) >= FORGET_AT_ONCE


def forgotten_before(session: Session, now_ms: int) -> int:
    """Up to when everybody's clock is past it; a database on another machine has a say in that.

    A replica whose clock runs ahead would otherwise forget what all others still accept.
    """
    clock_ms = session.clock_ms()
    return (now_ms if clock_ms is None else min(now_ms, clock_ms)) - CLOCK_SLACK_MS


def _use_nonces(
    session: Session, nonces: Sequence[_Numbered], refused: dict[int, NotCounted]
) -> list[_Numbered]:
    """Use nonces, and note who is refused; returns those that were fresh."""
    terms: list[Terms] = [
        {"digest": nonce.digest, "expires_at_ms": nonce.expires_at_ms} for _, nonce in nonces
    ]
    changed = session.execute_all(_USE_NONCE, terms)
    stale = [each for each, fresh in zip(nonces, changed, strict=True) if not fresh]
    if stale:
        horizon_ms = _horizon_ms(session)
        for number, nonce in stale:
            refused[number] = NotCounted("clock" if nonce.expires_at_ms <= horizon_ms else "replayed")
    return [each for each, fresh in zip(nonces, changed, strict=True) if fresh]


def _take(session: Session, asked: Sequence[_Asked], refused: dict[int, NotCounted]) -> list[_Asked]:
    """Take one of each rate, and note who is refused; returns those that were granted."""
    changed = session.execute_all(_TAKE, [each.terms for each in asked])
    waiting = [each for each, granted in zip(asked, changed, strict=True) if not granted]
    # The latest clock of those that ask together, for one of a few milliseconds ago would cut what the others were granted.
    latest = {each.rate: each for each in sorted(waiting, key=lambda each: each.now_ms)}
    session.execute_all(_CUT, [each.terms for each in latest.values()])
    free_at = {rate.key: _free_at_us(session, rate.key) for rate in latest}
    for each in waiting:
        wait_us = free_at[each.rate.key] - (each.full_us - each.rate.step_us)
        refused[each.number] = NotCounted("rate", max(1, -(-wait_us // 1_000)), each.rate.key)
    return [each for each, granted in zip(asked, changed, strict=True) if granted]


def _use_approvals(
    session: Session, countings: Sequence[Counting], refused: dict[int, NotCounted]
) -> list[tuple[int, ApprovalUse]]:
    """Use approvals, and note who is refused; returns those that were used."""
    wanted = [
        (number, each.count.approval, each.now_ms)
        for number, each in enumerate(countings)
        if number not in refused and each.count.approval is not None
    ]
    answers = approval_statements.use_all(session, [(use, now_ms) for _, use, now_ms in wanted])
    for (number, use, _), why in zip(wanted, answers, strict=True):
        if why is not None:
            refused[number] = NotCounted("approval", key=use.id, approval=why)
    return [(number, use) for number, use, _ in wanted if number not in refused]


def _use_limits(session: Session, countings: Sequence[Counting], refused: dict[int, NotCounted]) -> None:
    """Use limits, each caller's all or none, and note who is refused."""
    wanted = [
        [Wanted(number, use, session.no_later(each.now_ms)) for use in each.count.limits]
        for number, each in enumerate(countings)
        if number not in refused and each.count.limits
    ]
    if not wanted:
        return
    keeper = LimitKeeper(session, max(each[0].asked_ms for each in wanted))
    keeper.refuse_hopeless([use for each in wanted for use in each], refused)
    granted: list[Wanted] = []
    for place in range(max(map(len, wanted))):
        granted += keeper.use(
            [each[place] for each in wanted if place < len(each) and each[place].number not in refused],
            refused,
        )
    keeper.give_back([each for each in granted if each.number in refused])


def _give_back(session: Session, nonces: Sequence[_Numbered], rates: Sequence[_Asked]) -> None:
    session.execute_all(_UNUSE_NONCE, [{"digest": nonce.digest} for _, nonce in nonces])
    session.execute_all(_REFUND, [each.terms for each in rates])


def _horizon_ms(session: Session) -> int:
    rows = session.rows(_HORIZON, {})
    if not rows:
        raise StateError("the row of nonce_horizon is gone: nobody knows which nonces were forgotten")
    return int(rows[0][0])


def _free_at_us(session: Session, key: str) -> int:
    rows = session.rows(_FREE_AT, {"key": key})
    return int(rows[0][0]) if rows else 0
