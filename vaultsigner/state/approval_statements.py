"""The statements behind approvals. What decides is always in the statement that writes, never in a look before it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from vaultsigner.errors import StateError
from vaultsigner.state.approvals import (
    APPROVAL_KEPT_MS,
    Approval,
    ApprovalRefused,
    ApprovalStatus,
    ApprovalUse,
    KnownApproval,
    Vote,
    VoteRefused,
)
from vaultsigner.state.sessions import Row, Session, Terms

_UNDECIDED = (ApprovalStatus.OPEN, ApprovalStatus.GRANTED)

# Whoever looks at approvals ends those whose time is over: then no clock that steps back revives them, and their place among
# those of their requester and digest is free.
_END = "UPDATE approvals SET in_force = 0 WHERE in_force = 1 AND expires_at_ms <= :now_ms"

_OPEN = """
INSERT INTO approvals (id, intent_digest, request, requested_by, rule_id, policy, needed, expires_at_ms)
VALUES (:id, :intent_digest, :request, :requested_by, :rule_id, :policy, :needed, :expires_at_ms)
ON CONFLICT DO NOTHING
"""

# Suspensions name people by kind and name, votes as kind:name.
_SUSPENDED = "EXISTS (SELECT 1 FROM suspensions s WHERE s.kind || ':' || s.name = v.voter)"

# How many yes count at this moment. `status` is what they have come to so far, whoever is suspended now.
_GIVEN = f"""(
  SELECT count(*) FROM approval_votes v WHERE v.approval_id = approvals.id AND v.approves = 1 AND NOT {_SUSPENDED}
)"""  # noqa: S608 (of our own parts)

_VOTE = f"""
INSERT INTO approval_votes (approval_id, voter, approves, at_ms)
SELECT id, :voter, :approves, :now_ms FROM approvals
WHERE id = :id AND requested_by <> :voter AND in_force = 1 AND expires_at_ms > :now_ms
AND (status = 'open' OR (status = 'granted' AND (:approves = 0 OR {_GIVEN} < needed)))
ON CONFLICT DO NOTHING
"""  # noqa: S608 (of our own parts)

_COUNT_VOTE = """
UPDATE approvals SET approving = approving + 1,
status = CASE WHEN approving + 1 >= needed THEN 'granted' ELSE 'open' END
WHERE id = :id AND status IN ('open', 'granted')
"""

_REJECT = "UPDATE approvals SET status = 'rejected', in_force = 0 WHERE id = :id"

_USE = f"""
UPDATE approvals SET status = 'used', in_force = 0
WHERE id = :id AND intent_digest = :intent_digest AND requested_by = :requested_by
AND status = 'granted' AND in_force = 1 AND expires_at_ms > :now_ms AND {_GIVEN} >= needed
"""  # noqa: S608 (of our own parts)

_UNUSE = "UPDATE approvals SET status = 'granted', in_force = 1 WHERE id = :id AND status = 'used'"

_FORGET = """
DELETE FROM approvals WHERE id IN (SELECT id FROM approvals WHERE expires_at_ms <= :before_ms LIMIT :at_most)
"""

_SELECT = f"""
SELECT a.id, a.intent_digest, a.request, a.requested_by, a.rule_id, a.policy, a.needed, a.expires_at_ms, a.status, a.in_force,
v.voter, v.approves, v.at_ms, {_SUSPENDED}
FROM approvals a LEFT JOIN approval_votes v ON v.approval_id = a.id
"""  # noqa: S608 (of our own parts)

_BY_ID = f"{_SELECT} WHERE a.id = :id ORDER BY v.at_ms, v.voter"

_IN_PLACE = f"""{_SELECT}
WHERE a.requested_by = :requested_by AND a.intent_digest = :intent_digest AND a.in_force = 1 ORDER BY v.at_ms, v.voter
"""

_IN_FORCE = f"""{_SELECT}
WHERE a.in_force = 1 AND a.expires_at_ms > :now_ms ORDER BY a.expires_at_ms, a.id, v.at_ms, v.voter
"""


def open_approval(session: Session, approval: Approval, now_ms: int) -> KnownApproval:
    """See `State.open_approval`."""
    place: dict[str, str | int | bytes] = {
        "requested_by": approval.requested_by,
        "intent_digest": approval.intent_digest,
    }
    end(session, now_ms)
    session.execute(
        _OPEN,
        {
            **place,
            "id": approval.id,
            "request": approval.request,
            "rule_id": approval.rule,
            "policy": approval.policy,
            "needed": approval.needed,
            "expires_at_ms": approval.expires_at_ms,
        },
    )
    known = _read(session.rows(_IN_PLACE, place))
    if not known:
        raise StateError(f"approval {approval.id}: there is another one of this id")
    return known[0]


def end(session: Session, now_ms: int) -> None:
    """End those whose time is over by now, for good."""
    session.execute(_END, {"now_ms": now_ms})


def approval(session: Session, approval_id: str, now_ms: int) -> KnownApproval | None:
    """See `State.approval`."""
    end(session, now_ms)
    return _known(session, approval_id)


def _known(session: Session, approval_id: str) -> KnownApproval | None:
    return next(iter(_read(session.rows(_BY_ID, {"id": approval_id}))), None)


def list_approvals(session: Session, now_ms: int) -> tuple[KnownApproval, ...]:
    """See `State.list_approvals`."""
    end(session, now_ms)
    return in_force(session, now_ms)


def in_force(session: Session, now_ms: int) -> tuple[KnownApproval, ...]:
    """The same, and nothing is changed by the look."""
    return _read(session.rows(_IN_FORCE, {"now_ms": now_ms}))


def vote(
    session: Session, approval_id: str, by: str, *, approve: bool, now_ms: int
) -> KnownApproval | VoteRefused:
    """See `State.vote`."""
    terms: Terms = {"id": approval_id, "voter": by, "approves": int(approve), "now_ms": now_ms}
    if not session.execute(_VOTE, terms):
        return _why_no_vote(approval(session, approval_id, now_ms), by, now_ms)
    session.execute(_COUNT_VOTE if approve else _REJECT, {"id": approval_id})
    known = _known(session, approval_id)
    if known is None:
        raise StateError(f"approval {approval_id} vanished")
    return known


def use_all(session: Session, uses: Sequence[tuple[ApprovalUse, int]]) -> Sequence[ApprovalRefused | None]:
    """Use approvals, each by the clock of whoever asks; returns for each why not, or None."""
    changed = session.execute_all(
        _USE,
        [
            {
                "id": use.id,
                "intent_digest": use.intent_digest,
                "requested_by": use.requested_by,
                "now_ms": now_ms,
            }
            for use, now_ms in uses
        ],
    )
    return [
        None if used else _why_no_use(approval(session, use.id, now_ms), use, now_ms)
        for used, (use, now_ms) in zip(changed, uses, strict=True)
    ]


def give_back(session: Session, uses: Iterable[ApprovalUse]) -> None:
    """Undo, in the same transaction, what was used."""
    session.execute_all(_UNUSE, [{"id": use.id} for use in uses])


def forget(session: Session, now_ms: int, at_most: int) -> int:
    """A part of `State.forget_expired`; returns how many were removed."""
    return session.execute(_FORGET, {"before_ms": now_ms - APPROVAL_KEPT_MS, "at_most": at_most})


def _why_no_vote(known: KnownApproval | None, by: str, now_ms: int) -> VoteRefused:
    if known is None:
        return VoteRefused.UNKNOWN
    if known.approval.requested_by == by:
        return VoteRefused.OWN
    if any(vote.by == by for vote in known.votes):
        return VoteRefused.AGAIN
    return VoteRefused.EXPIRED if known.expired(now_ms) else VoteRefused.CLOSED


def _why_no_use(known: KnownApproval | None, use: ApprovalUse, now_ms: int) -> ApprovalRefused:
    if known is None or (known.approval.intent_digest, known.approval.requested_by) != (
        use.intent_digest,
        use.requested_by,
    ):
        return ApprovalRefused.OTHER
    if known.status in (ApprovalStatus.USED, ApprovalStatus.REJECTED):
        return ApprovalRefused(known.status)
    if known.expired(now_ms):
        return ApprovalRefused.EXPIRED
    return ApprovalRefused.OPEN


def _read(rows: Sequence[Row]) -> tuple[KnownApproval, ...]:
    """Each approval once, in the order of the rows."""
    known: dict[str, KnownApproval] = {}
    for *stored, status, in_force, voter, approves, at_ms, withdrawn in rows:
        found = Approval(*stored)
        lapsed = not in_force and status in _UNDECIDED
        before = known.get(found.id, KnownApproval(found, ApprovalStatus(status), lapsed=lapsed))
        votes = () if voter is None else (Vote(voter, bool(approves), at_ms, bool(withdrawn)),)
        known[found.id] = replace(before, votes=before.votes + votes)
    return tuple(_at_present(each) for each in known.values())


def _at_present(known: KnownApproval) -> KnownApproval:
    """What is granted waits again while somebody is suspended whose yes it needs."""
    waits = known.status is ApprovalStatus.GRANTED and known.given < known.approval.needed
    return replace(known, status=ApprovalStatus.OPEN) if waits else known
