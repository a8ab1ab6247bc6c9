"""Requests that others must agree to: asking, telling, voting, and using what was granted, once."""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vaultsigner.domain import decisions
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.approval_refusals import HEADER, NOT_FOUND, no_vote, not_granted
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.calls import Answer
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.journal import Journal
from vaultsigner.signing.json_bodies import UnusableBodyError, read_members, read_text
from vaultsigner.signing.moments import told
from vaultsigner.signing.requests import Request
from vaultsigner.signing.suspensions import is_reviewer
from vaultsigner.signing.trail import Trail
from vaultsigner.state import (
    Approval,
    ApprovalRefused,
    ApprovalStatus,
    ApprovalUse,
    KnownApproval,
    State,
    VoteRefused,
)

MOST_WAITING = 100
"""How many requests of one caller may wait for approval at a time: enough for a desk, too few to bury the others' in."""

MADE_UP_NAME = "client_order_id"
_ID = re.compile(r"[0-9a-f]{32}")


def intent_digest(intent: Intent, rule: str | None, wanted: decisions.Approvals) -> bytes:
    """The same for two requests exactly when one approval is good for either.

    The rule and its terms belong to it: what was granted under a rule is not good under a stricter one. The name that libraries
    make up for each order at an exchange does not: the same order has another one when it is asked for again.
    """
    document: dict[str, JsonValue] = {
        "operation": intent.operation,
        "target": intent.target,
        "items": [
            {name: value for name, value in item.items() if name != MADE_UP_NAME} for item in intent.items
        ],
        "memo": intent.memo,
        "rule": rule,
        "count": wanted.count,
        "of": list(wanted.of),
        "within_seconds": wanted.within_seconds,
    }
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).digest()


@dataclass(frozen=True, slots=True)
class _Shown:
    """What an approval's request says: what is to be done, from where it was asked, and who may decide."""

    document: Mapping[str, Any]

    @classmethod
    def of(cls, known: KnownApproval) -> "_Shown":
        return cls(json.loads(known.approval.request))

    @property
    def deciders(self) -> tuple[str, ...]:
        return tuple(self.document["of"])


class Approvals:
    """The desk of those who ask and those who decide. Every change is on the record before it is made.

    Args:
        fresh_id: makes an id that nobody can guess.
    """

    def __init__(
        self,
        state: State,
        journal: Journal,
        clock: Clock,
        fresh_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._state = state
        self._journal = journal
        self._clock = clock
        self._fresh_id = fresh_id

    def wanted(self, request: Request, decision: Decision) -> bool:
        """Whether the request has to be asked for: its rule wants approvals, and it names none."""
        return decision.approvals is not None and request.call.approval is None

    def use(self, request: Request, decision: Decision) -> ApprovalUse | Refusal | None:
        """What the request uses up of an approval, to be counted with everything else of it.

        Returns:
            None where the rule wants none; whatever the request names is left alone then.
        """
        if decision.approvals is None:
            return None
        named = request.call.approval or ""
        if _ID.fullmatch(named) is None:
            return not_granted(ApprovalRefused.OTHER)
        digest = intent_digest(request.intent, decision.rule, decision.approvals)
        return ApprovalUse(named, digest, str(request.principal))

    async def ask(self, request: Request, decision: Decision) -> Answer | Refusal:
        """Have others decide on a request; to be repeated with the approval's id once they have.

        The answer, good or not, is on the record.

        Raises:
            AuditError, StateError: it cannot be asked.
        """
        if decision.approvals is None:
            raise ValueError("the rule wants no approvals")
        now_ms = self._clock.milliseconds()
        approval = self._new(request, decision, decision.approvals, now_ms)
        waiting = await self._state.list_approvals(now_ms=now_ms)
        mine = [each for each in waiting if each.approval.requested_by == approval.requested_by]
        known = next((each for each in mine if each.approval.intent_digest == approval.intent_digest), None)
        await self._journal.decided(request, decision)
        if known is None and len(mine) >= MOST_WAITING:
            return await self._too_many(request)
        if known is None:
            known = await self._state.open_approval(approval, now_ms=now_ms)
        found = f"approval {known.approval.id}: {known.given} of {known.approval.needed}"
        position = await self._journal.answered(request.trail, found, code="approval_required")
        body: dict[str, JsonValue] = {
            "code": "approval_required",
            "message": f"Rule {decision.rule} wants approvals. Once they are given, send the same request again, with the header "
            f"{HEADER}: {known.approval.id}",
            "approval": {
                "id": known.approval.id,
                "needed": known.approval.needed,
                "given": known.given,
                "of": list(_Shown.of(known).deciders),
                "expires_at": told(known.approval.expires_at_ms),
            },
            "request_id": request.call.request_id,
        }
        return Answer(body, decision.rule, decision.policy, position, "approval_required")

    async def listed(self, caller: Caller) -> JsonValue:
        """Those that wait, or are granted and not used: the caller's own, and what the caller may decide on; all for reviewers.

        Raises:
            StateError: they cannot be read.
        """
        now_ms = self._clock.milliseconds()
        who = str(caller.principal)
        found = await self._state.list_approvals(now_ms=now_ms)
        return {
            "approvals": [
                _told(each, who, now_ms) for each in found if is_reviewer(caller) or _concerns(each, who)
            ]
        }

    async def shown(self, caller: Caller, approval_id: str) -> JsonValue | Refusal:
        """One of those that concern the caller, or for reviewers any, whatever has become of it.

        Raises:
            StateError: it cannot be read.
        """
        now_ms = self._clock.milliseconds()
        known = await self._known(approval_id, now_ms)
        if known is not None and not (is_reviewer(caller) or _concerns(known, str(caller.principal))):
            known = None
        return NOT_FOUND if known is None else _told(known, str(caller.principal), now_ms)

    async def decide(
        self, trail: Trail, caller: Caller, approval_id: str, *, approve: bool
    ) -> JsonValue | Refusal:
        """Take a caller's vote, if the rule names them and they did not ask themselves.

        Raises:
            AuditError: it cannot be recorded; the vote does not count then.
            StateError: it is not known whether it counts.
        """
        who = str(caller.principal)
        try:
            comment = read_text(read_members(trail.call.body, ("comment",)), "comment")
        except UnusableBodyError as error:
            return error.refusal
        now_ms = self._clock.milliseconds()
        known = await self._concerning(who, approval_id, now_ms)
        if known is None:
            return NOT_FOUND
        without_effect = _no_vote_left(known, who, approve=approve, now_ms=now_ms)
        if without_effect is not None:
            return no_vote(without_effect)
        details: dict[str, JsonValue] = {
            "id": approval_id,
            "vote": "approve" if approve else "reject",
            "comment": comment,
            "requested_by": known.approval.requested_by,
            "rule": known.approval.rule,
            "intent_sha256": known.approval.intent_digest.hex(),
        }
        await self._journal.changing(trail, "approval", details)
        voted = await self._state.vote(approval_id, who, approve=approve, now_ms=now_ms)
        if isinstance(voted, VoteRefused):
            return no_vote(voted)
        return _told(voted, who, now_ms)

    def _new(
        self, request: Request, decision: Decision, wanted: decisions.Approvals, now_ms: int
    ) -> Approval:
        intent = request.intent
        shown: dict[str, JsonValue] = {
            "operation": intent.operation,
            "target": intent.target,
            "items": [dict(item) for item in intent.items],
            "memo": intent.memo,
            "ip": str(request.call.ip),
            "asked_at": told(now_ms),
            "of": list(wanted.of),
        }
        return Approval(
            id=self._fresh_id(),
            intent_digest=intent_digest(intent, decision.rule, wanted),
            request=json.dumps(shown, separators=(",", ":"), allow_nan=False),
            requested_by=str(request.principal),
            rule=decision.rule or "",
            policy=decision.policy,
            needed=wanted.count,
            expires_at_ms=now_ms + wanted.within_seconds * 1000,
        )

    async def _too_many(self, request: Request) -> Refusal:
        refusal = Refusal(
            "rate_limited",
            f"{MOST_WAITING} of your requests wait for approval: wait until some are decided",
            reason="too many requests that wait for approval",
            retry_after_seconds=60,
        )
        await self._journal.failed(request.trail, refusal)
        return refusal

    async def _concerning(self, who: str, approval_id: str, now_ms: int) -> KnownApproval | None:
        """One answer for an approval that is not there and one that is others' business."""
        known = await self._known(approval_id, now_ms)
        return known if known is not None and _concerns(known, who) else None

    async def _known(self, approval_id: str, now_ms: int) -> KnownApproval | None:
        if _ID.fullmatch(approval_id) is None:
            return None
        return await self._state.approval(approval_id, now_ms=now_ms)


def _concerns(known: KnownApproval, who: str) -> bool:
    return who == known.approval.requested_by or who in _Shown.of(known).deciders


def _no_vote_left(known: KnownApproval, who: str, *, approve: bool, now_ms: int) -> VoteRefused | None:
    """Why a vote would not count; state has the last word, for votes that come at the same moment."""
    if who == known.approval.requested_by:
        return VoteRefused.OWN
    if any(vote.by == who for vote in known.votes):
        return VoteRefused.AGAIN
    if known.expired(now_ms):
        return VoteRefused.EXPIRED
    still = (ApprovalStatus.OPEN,) if approve else (ApprovalStatus.OPEN, ApprovalStatus.GRANTED)
    return None if known.status in still else VoteRefused.CLOSED


def _told(known: KnownApproval, who: str, now_ms: int) -> dict[str, JsonValue]:
    approval, shown = known.approval, _Shown.of(known)
    over = known.expired(now_ms) and known.status in (ApprovalStatus.OPEN, ApprovalStatus.GRANTED)
    may = {
        approve: who in shown.deciders and _no_vote_left(known, who, approve=approve, now_ms=now_ms) is None
        for approve in (True, False)
    }
    return {
        "id": approval.id,
        "status": "expired" if over else str(known.status),
        "needed": approval.needed,
        "given": known.given,
        "of": list(shown.deciders),
        "votes": [{"by": vote.by, "approve": vote.approve, "at": told(vote.at_ms)} for vote in known.votes],
        "may_approve": may[True],
        "may_reject": may[False],
        "requested_by": approval.requested_by,
        "rule": approval.rule,
        "policy": approval.policy,
        "expires_at": told(approval.expires_at_ms),
        "request": {name: value for name, value in shown.document.items() if name != "of"},
    }
