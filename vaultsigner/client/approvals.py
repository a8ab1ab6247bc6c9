"""Requests that others have to agree to first."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vaultsigner.client.asks import Ask
from vaultsigner.client.errors import SigningClientError
from vaultsigner.client.reply import Decision


@dataclass(frozen=True, slots=True)
class ApprovalPending:
    """Nothing was done: others have to agree first. Afterwards the very same request goes through once, with this id.

    Args:
        id: the approval's.
        needed, given: how many have to agree, and how many have.
        of: who may, as policies name them.
        expires_at: until when.
        message: the service's words, for people.
        request_id: names the request in the audit record.
        decision: the rule that wants approvals, and where the record stands.
        ask: what was asked, to be asked again.
    """

    id: str
    needed: int
    given: int
    of: tuple[str, ...]
    expires_at: datetime
    message: str
    request_id: str
    decision: Decision | None = None
    ask: Ask[Any] | None = field(default=None, repr=False, compare=False)


class ApprovalRequiredError(SigningClientError):
    """202 `approval_required`. An error, since nothing was signed or sent: whoever overlooks a value would think that it was.

    `pending` has the approval; hand it to `wait_for_approval`, or to `complete`, which also asks again.
    """

    code = "approval_required"

    def __init__(self, pending: ApprovalPending) -> None:
        super().__init__(f"{self.code}: {pending.message}")
        self.pending = pending
        self.status = 202
        self.message = pending.message
        self.request_id = pending.request_id

    @property
    def approval(self) -> ApprovalPending:
        """`pending`, by the name that the service's answer has for it."""
        return self.pending

    @property
    def approval_id(self) -> str:
        """`pending.id`."""
        return self.pending.id
