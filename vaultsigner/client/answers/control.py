"""Answers of the routes that steer the service: approvals, suspensions, explanations of policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vaultsigner.client.answers.validation import Answered

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One vote on an approval."""

    by: str
    approve: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedThing:
    """What an approval is for. `items` are the intents' fields, amounts as text."""

    operation: str
    target: str
    items: tuple[Fields, ...]
    memo: str
    ip: str
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Answered):
    """An approval as one of those sees it whom it concerns.

    Args:
        status: open, granted (good for one request), rejected, used or expired.
        may_approve, may_reject: whether the caller may.
    """

    id: str
    status: str
    needed: int
    given: int
    of: tuple[str, ...]
    votes: tuple[Vote, ...]
    may_approve: bool
    may_reject: bool
    requested_by: str
    rule: str
    policy: str
    expires_at: datetime
    request: RequestedThing


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The answer's one member."""

    approvals: tuple[Approval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension(Answered):
    """What is suspended: `kind` is wallet, client, user, exchange or all; `name` is empty for all."""

    kind: str
    name: str
    reason: str
    by: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedSuspension(Suspension):
    """A suspension that was asked for, or ended. `changed` is False where it was so already."""

    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspensions:
    """The answer's one member."""

    suspensions: tuple[Suspension, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRule:
    """One rule, and whether it matches. `place` is its file and line, for operators alone."""

    rule: str
    effect: str
    matched: bool
    why: str
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedDecision:
    """How policy would decide."""

    effect: str
    rule: str | None
    policy: str
    reason: str
    limits: tuple[Fields, ...]
    approvals: Fields | None

    @property
    def allowed(self) -> bool:
        """Whether it would be allowed, once others have agreed where they must."""
        return self.effect == "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededPermission:
    """What config.yml permits, which comes before policy."""

    needed: str
    there: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Answered):
    """Why policy would decide so. `note` says, for people, what a real request may depend on besides."""

    principal: str
    operation: str
    target: str
    items: tuple[Fields, ...]
    ip: str
    at: datetime
    permission: NeededPermission | None
    note: str | None
    rules: tuple[ExplainedRule, ...]
    decision: ExplainedDecision
