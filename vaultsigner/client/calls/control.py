"""Approvals, suspensions, and explanations of policy."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from vaultsigner.client.answers.control import (
    Approval,
    Approvals,
    ChangedSuspension,
    Explanation,
    Suspension,
    Suspensions,
)
from vaultsigner.client.answers.validation import reading
from vaultsigner.client.asks import Ask, Effect, segment
from vaultsigner.client.calls.documents import encoded, given

_read_approval, _read_approvals = reading(Approval), reading(Approvals)
_read_changed, _read_suspensions = reading(ChangedSuspension), reading(Suspensions)
_read_explanation = reading(Explanation)


def approvals() -> Ask[tuple[Approval, ...]]:
    """What waits for approval: the caller's own requests, and those that the caller may decide on."""
    return Ask(
        "GET",
        "/api/approvals",
        lambda reply: _read_approvals(reply).approvals,
        operation="approval.list",
    )


def approval(approval_id: str) -> Ask[Approval]:
    """One approval, also when it is over."""
    return Ask("GET", f"/api/approvals/{segment(approval_id)}", _read_approval, operation="approval.read")


def approve(approval_id: str, *, comment: str | None = None) -> Ask[Approval]:
    """Agree to somebody else's request. What it means is in `approval(…).request`: look first.

    Args:
        comment: why, for the record; one line.
    """
    return _vote(approval_id, "approve", comment)


def reject(approval_id: str, *, comment: str | None = None) -> Ask[Approval]:
    """Say no to somebody else's request, which ends it."""
    return _vote(approval_id, "reject", comment)


def _vote(approval_id: str, word: str, comment: str | None) -> Ask[Approval]:
    return Ask(
        "POST",
        f"/api/approvals/{segment(approval_id)}/{word}",
        _read_approval,
        body=None if comment is None else encoded({"comment": comment}),
        operation=f"approval.{word}",
        effect=Effect.ACTS,
    )


def suspensions() -> Ask[tuple[Suspension, ...]]:
    """What is suspended; for operators and auditors."""
    return Ask(
        "GET",
        "/api/suspensions",
        lambda reply: _read_suspensions(reply).suspensions,
        operation="suspension.list",
    )


def suspend(kind: str, name: str | None = None, *, reason: str) -> Ask[ChangedSuspension]:
    """Stop a wallet, client, user, exchange, or everything; for operators. In force within a second on every server.

    Args:
        kind: wallet, client, user, exchange, or all, which has no name.
        reason: why; one line, which operators alone are told.
    """
    wanted = given(kind=kind, name=name or None, reason=reason)
    return Ask(
        "POST", "/api/suspensions", _read_changed, body=encoded(wanted), operation="suspension.suspend"
    )


def resume(kind: str, name: str | None = None) -> Ask[ChangedSuspension]:
    """End a suspension; for operators. `all` ends that of everything, and none that has a name.

    Raises:
        NotFoundError: there is no such thing to suspend.
    """
    if kind == "all":
        return Ask("DELETE", "/api/suspensions/all", _read_changed, operation="suspension.resume_all")
    path = f"/api/suspensions/{segment(kind)}/{segment(name or '')}"
    return Ask("DELETE", path, _read_changed, operation="suspension.resume")


def explain(
    target: str,
    operation: str | None = None,
    *,
    item: Mapping[str, Any] | None = None,
    items: Sequence[Mapping[str, Any]] | None = None,
    memo: str | None = None,
    request: Mapping[str, Any] | None = None,
    principal: str | None = None,
    ip: str | None = None,
    at: datetime | None = None,
) -> Ask[Explanation]:
    """Why policy would decide as it would; nothing is done, and no limit is used.

    Args:
        target: as policies name it: wallet:wallet_1, exchange:main.
        operation: e.g. transfer.broadcast; with it the intents' fields as `item` or `items`, and `memo`.
        request: instead of these, a request to an exchange as it would be sent: `{"method", "path", "params"}`.
        principal: whose request it would be, e.g. user:sam; other people's for operators alone.
        ip, at: from where, and when (with its zone).
    """
    wanted = given(
        target=target,
        operation=operation,
        item=None if item is None else dict(item),
        items=None if items is None else [dict(each) for each in items],
        memo=memo,
        request=None if request is None else dict(request),
        principal=principal,
        ip=ip,
        at=None if at is None else at.isoformat(),
    )
    return Ask(
        "POST",
        "/api/policy/explain",
        _read_explanation,
        body=encoded(wanted),
        operation="policy.explain",
    )
