"""What takes more than one request, or knows the caller's standing."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vaultsigner.client.answers.control import Approval
from vaultsigner.client.answers.signing import Token
from vaultsigner.client.approvals import ApprovalPending, ApprovalRequiredError
from vaultsigner.client.asks import Ask, Proof
from vaultsigner.client.calls import control, exchanges
from vaultsigner.client.errors import (
    ApprovalNotGrantedError,
    ApprovalTimeoutError,
    ErrorDocument,
    UnexpectedAnswerError,
)
from vaultsigner.client.plans import Pause, Plan
from vaultsigner.client.session import Session

_DONE = "granted"
_WAITING = "open"


def log_in(session: Session) -> Plan[Token]:
    """Log in now. It is not needed: whoever has a `Password` is logged in when that is first needed.

    Raises:
        AuthenticationError: the name or the password is wrong.
        TypeError: the credentials are no `Password`.
    """
    return (yield from session.log_in())


def sync_time(session: Session) -> Plan[int]:
    """Compare the clocks, and go by the service's from now on where they differ by more than a second or so.

    It is not needed: a signature that is refused for its time does the same, for up to ten minutes of difference.

    Returns:
        How much later it is at the service, in milliseconds, to about half a second; 0 where the clocks agree.
    """
    date_ms = yield from session.perform(Ask("GET", "/", lambda reply: reply.date_ms, proof=Proof.NONE))
    if date_ms is None:
        raise UnexpectedAnswerError("the answer has no Date")
    session.correct_clock(date_ms)
    return session.offset_ms


def wait_for_approval(
    session: Session,
    pending: ApprovalPending | ApprovalRequiredError | str,
    *,
    deadline_seconds: float = 3600.0,
    poll_seconds: float = 2.0,
) -> Plan[Approval]:
    """Wait until the others have agreed.

    Args:
        pending: what the request was answered, or the approval's id.
        deadline_seconds: for how long, at most.
        poll_seconds: how often to look.

    Returns:
        The approval, granted: send the very same request again with `approval=approval.id`.

    Raises:
        ApprovalNotGrantedError: it was rejected, has expired, or is used.
        ApprovalTimeoutError: they have not agreed yet; it stays open.
    """
    approval_id = pending if isinstance(pending, str) else _pending(pending).id
    until = time.monotonic() + deadline_seconds
    while True:
        found = yield from session.perform(control.approval(approval_id))
        if found.status == _DONE:
            return found
        if found.status != _WAITING:
            raise ApprovalNotGrantedError(_why_not(found))
        left = until - time.monotonic()
        if left <= 0:
            raise ApprovalTimeoutError(
                f"approval {approval_id}: {found.given} of {found.needed} after {deadline_seconds:g} s; it stays open"
            )
        yield Pause(min(poll_seconds, left))


def complete(
    session: Session,
    pending: ApprovalPending | ApprovalRequiredError,
    *,
    deadline_seconds: float = 3600.0,
    poll_seconds: float = 2.0,
) -> Plan[Any]:
    """Wait until the others have agreed, then ask for the very same again, and answer what that answers.

    Args:
        pending, deadline_seconds, poll_seconds: see `wait_for_approval`.

    Raises:
        ApprovalNotGrantedError, ApprovalTimeoutError: see `wait_for_approval`.
    """
    pending = _pending(pending)
    if pending.ask is None:
        raise ValueError("this ApprovalPending does not know what was asked: use wait_for_approval")
    approval = yield from wait_for_approval(
        session, pending, deadline_seconds=deadline_seconds, poll_seconds=poll_seconds
    )
    return (yield from session.perform(replace(pending.ask, approval=approval.id)))


def partner_time(session: Session) -> Plan[int]:
    """The service's time in milliseconds, from the partner family; nobody need say who they are."""
    return (yield from session.perform(exchanges.partner_time(session.partner_prefix)))


def partner_task_completion(
    session: Session, wallet_address: str, tasks: Sequence[str] | None = None
) -> Plan[dict[str, bool]]:
    """Which tasks a wallet's owner has completed; asked with a `PartnerKey`.

    Args:
        tasks: None: all that config.yml has.

    Raises:
        PartnerError: the specification's code says why not.
    """
    ask = exchanges.partner_tasks(session.partner_prefix, wallet_address, tasks)
    return (yield from session.perform(ask))


def _pending(given: ApprovalPending | ApprovalRequiredError) -> ApprovalPending:
    return given.pending if isinstance(given, ApprovalRequiredError) else given


def _why_not(approval: Approval) -> ErrorDocument:
    """In the shape of the service's own refusal."""
    against = [vote.by for vote in approval.votes if not vote.approve]
    by = f" by {', '.join(against)}" if against else ""
    message = f"approval {approval.id} is {approval.status}{by}"
    return ErrorDocument(0, "approval_not_granted", message, None, approval.request_id)
