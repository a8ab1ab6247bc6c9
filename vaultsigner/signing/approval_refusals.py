"""What is said to those whose approval, or vote, does not count."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.domain.refusals import Refusal
from vaultsigner.state import ApprovalRefused, VoteRefused

HEADER = "X-Vaultsigner-Approval"

NOT_FOUND = Refusal(
    "approval_not_found", "There is no approval of this id that you asked for or may decide on"
)
OWN = Refusal("no_permission", "Nobody decides on what they asked for themselves")

_NOT_GRANTED: Mapping[ApprovalRefused, str] = MappingProxyType(
    {
        ApprovalRefused.OTHER: "it is not one that you asked for with this very request, under the rule as it is now; "
        f"send the request without {HEADER} to ask for one",
        ApprovalRefused.OPEN: "not enough people have approved yet; who is suspended now does not count",
        ApprovalRefused.REJECTED: "it was rejected",
        ApprovalRefused.USED: f"it was used already; send the request without {HEADER} to ask for another",
        ApprovalRefused.EXPIRED: f"it has expired; send the request without {HEADER} to ask for another",
    }
)
_NO_VOTE: Mapping[VoteRefused, Refusal] = MappingProxyType(
    {
        VoteRefused.UNKNOWN: NOT_FOUND,
        VoteRefused.OWN: OWN,
        VoteRefused.AGAIN: Refusal(
            "approval_closed", "You have decided on this one already: each has one vote"
        ),
        VoteRefused.CLOSED: Refusal("approval_closed", "This approval is decided already"),
        VoteRefused.EXPIRED: Refusal("approval_closed", "This approval has expired"),
    }
)


def not_granted(refused: ApprovalRefused) -> Refusal:
    """The answer to a request whose approval could not be used."""
    return Refusal(
        "approval_not_granted",
        f"The approval cannot be used: {_NOT_GRANTED[refused]}",
        reason=f"the approval cannot be used: {refused}",
    )


def no_vote(refused: VoteRefused) -> Refusal:
    """The answer to a vote that does not count."""
    return _NO_VOTE[refused]
