"""The answer 202: others have to agree first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vaultsigner.client.answers.validation import Decided, reading
from vaultsigner.client.approvals import ApprovalPending
from vaultsigner.client.asks import Ask
from vaultsigner.client.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    id: str
    needed: int
    given: int
    of: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting(Decided):
    message: str
    approval: _Opened


_read = reading(_Waiting)


def read_pending(ask: Ask[Any], reply: Reply) -> ApprovalPending:
    """What has to be agreed to, and what was asked."""
    answer = _read(reply)
    opened = answer.approval
    return ApprovalPending(
        opened.id,
        opened.needed,
        opened.given,
        opened.of,
        opened.expires_at,
        answer.message,
        answer.request_id,
        answer.decision,
        ask,
    )
