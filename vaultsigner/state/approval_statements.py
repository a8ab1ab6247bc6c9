"""The statements behind approvals. What decides is always in the statement that writes, never in a look before it."""

from collections.abc import Iterable, Sequence

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

# An approval that lives has a place among those of its requester and digest, which one that expired must leave.
_CLEAR_PLACE = """
UPDATE approvals SET in_force = 0
WHERE requested_by = :requested_by AND intent_digest = :intent_digest AND in_force = 1 AND expires_at_ms <= :now_ms
"""

_OPEN = """
INSERT INTO approvals (id, intent_digest, request, requested_by, rule_id, policy, needed, expires_at_ms)
VALUES (:id, :intent_digest, :request, :requested_by, :rule_id, :policy, :needed, :expires_at_ms)
ON CONFLICT DO NOTHING
"""

_VOTE = """
INSERT INTO approval_votes (approval_id, voter, approves, at_ms)
SELECT id, :voter, :approves, :now_ms FROM approvals
WHERE id = :id AND requested_by <> :voter AND expires_at_ms > :now_ms
AND (status = 'open' OR (status = 'granted' AND :approves = 0))
ON CONFLICT DO NOTHING
"""

_COUNT_VOTE = """
UPDATE approvals SET approving = approving + 1,
status = CASE WHEN approving + 1 >= needed THEN 'granted' ELSE 'open' END
WHERE id = :id AND status = 'open'
"""

_REJECT = "UPDATE approvals SET status = 'rejected', in_force = 0 WHERE id = :id"

_USE = """
UPDATE approvals SET status = 'used', in_force = 0
WHERE id = :id AND intent_digest = :intent_digest AND requested_by = :requested_by
AND status = 'granted' AND in_force = 1 AND expires_at_ms > :now_ms
"""

_UNUSE = "UPDATE approvals SET status = 'granted', in_force = 1 WHERE id = :id AND status = 'used'"

_FORGET = """
DELETE FROM approvals WHERE id IN (SELECT id FROM approvals WHERE expires_at_ms <= :before_ms LIMIT :at_most)
"""

_SELECT = """
SELECT a.id, a.intent_digest, a.request, a.requested_by, a.rule_id, a.policy, a.needed, a.expires_at_ms, a.status,
v.voter, v.approves, v.at_ms
FROM approvals a LEFT JOIN approval_votes v ON v.approval_id = a.id
"""

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
    session.execute(_CLEAR_PLACE, {**place, "now_ms": now_ms})
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


def approval(session: Session, approval_id: str) -> KnownApproval | None:
    """See `State.approval`."""
    return next(iter(_read(session.rows(_BY_ID, {"id": approval_id}))), None)


def list_approvals(session: Session, now_ms: int) -> tuple[KnownApproval, ...]:
    """See `State.list_approvals`."""
    return _read(session.rows(_IN_FORCE, {"now_ms": now_ms}))


def vote(
    session: Session, approval_id: str, by: str, *, approve: bool, now_ms: int
) -> KnownApproval | VoteRefused:
    """See `State.vote`."""
    terms: Terms = {"id": approval_id, "voter": by, "approves": int(approve), "now_ms": now_ms}
    if not session.execute(_VOTE, terms):
        return _why_no_vote(approval(session, approval_id), by, now_ms)
    session.execute(_COUNT_VOTE if approve else _REJECT, {"id": approval_id})
    known = approval(session, approval_id)
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
        None if used else _why_no_use(approval(session, use.id), use, now_ms)
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
    if known.status is ApprovalStatus.GRANTED or known.expired(now_ms):
        return ApprovalRefused.EXPIRED
    return ApprovalRefused.OPEN


def _read(rows: Sequence[Row]) -> tuple[KnownApproval, ...]:
    """Each approval once, in the order of the rows."""
    known: dict[str, KnownApproval] = {}
    for *stored, status, voter, approves, at_ms in rows:
        found = Approval(*stored)
        before = known.get(found.id, KnownApproval(found, ApprovalStatus(status)))
        votes = () if voter is None else (Vote(voter, bool(approves), at_ms),)
        known[found.id] = KnownApproval(before.approval, before.status, before.votes + votes)
    return tuple(known.values())
