"""A request that waits until enough people have agreed to it. Pure."""

from dataclasses import dataclass
from enum import StrEnum

APPROVAL_KEPT_MS = 7 * 86_400_000
"""For how long after it expired an approval is still told of."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What is to be approved.

    Args:
        id: unique; whoever asks chooses it at random.
        intent_digest: of all that the approval is for. What must not change under it (the rule, say) belongs into it.
        request: JSON, as it is shown to those who approve.
        requested_by: who asked; this one has no vote.
        rule: that wants the approval.
        policy: digest of the policy that has the rule.
        needed: how many must approve; at least 1.
        expires_at_ms: from when on it is good for nothing, and stays so once anybody has looked.
    """

    id: str
    intent_digest: bytes
    request: str
    requested_by: str
    rule: str
    policy: str
    needed: int
    expires_at_ms: int


class ApprovalStatus(StrEnum):
    """What has become of it. That it has expired is not among these: see `KnownApproval.expired`."""

    OPEN = "open"
    """Not enough have said yes who are not suspended now."""
    GRANTED = "granted"
    """Good for one request."""
    REJECTED = "rejected"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person said.

    Args:
        by: `user:ann`.
        withdrawn: they are suspended now: a yes of theirs does not count until they are resumed.
    """

    by: str
    approve: bool
    at_ms: int
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class KnownApproval:
    """An approval as state knows it, with its votes in the order in which they came."""

    approval: Approval
    status: ApprovalStatus
    votes: tuple[Vote, ...] = ()
    lapsed: bool = False
    """It was open or granted when its time was found to be over: whatever a clock says now."""

    @property
    def given(self) -> int:
        """How many yes count now."""
        return sum(vote.approve and not vote.withdrawn for vote in self.votes)

    def expired(self, now_ms: int) -> bool:
        """True once its time is over."""
        return self.lapsed or self.approval.expires_at_ms <= now_ms


class VoteRefused(StrEnum):
    """Why a vote does not count."""

    UNKNOWN = "unknown"
    """There is no such approval."""
    OWN = "own"
    """Nobody approves what they asked for."""
    AGAIN = "again"
    """One person has one vote."""
    CLOSED = "closed"
    """It is decided, or used."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ApprovalUse:
    """Who wants to use which approval, and for what."""

    id: str
    intent_digest: bytes
    requested_by: str


class ApprovalRefused(StrEnum):
    """Why an approval cannot be used."""

    OTHER = "other"
    """There is none of this id, or it is somebody else's, or for something else."""
    OPEN = "open"
    REJECTED = "rejected"
    USED = "used"
    EXPIRED = "expired"
