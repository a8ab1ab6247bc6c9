"""The record, for users with the role auditor or operator."""

from datetime import datetime

from vaultsigner.client.answers.audit import Chains, Limits, ProvedRecord, RecordPage, RecordSummary
from vaultsigner.client.answers.validation import reading
from vaultsigner.client.asks import Ask, segment
from vaultsigner.client.messages import Amount
from vaultsigner.client.reply import Reply

Filter = str | datetime | Amount | None
FILTERS = (
    *("since", "until", "kind", "request_id", "principal", "target", "operation", "effect", "rule", "code"),
    *("amount_above", "amount_below"),
)
_read_summary, _read_page, _read_proved = reading(RecordSummary), reading(RecordPage), reading(ProvedRecord)
_read_chains, _read_limits = reading(Chains), reading(Limits)


def audit_summary(*, buckets: int | None = None, **filters: Filter) -> Ask[RecordSummary]:
    """What happened over time; without `since` the last day.

    Args:
        buckets: how many steps of equal length.
        filters: since, until (with their zone), kind, request_id, principal, target, operation, effect, rule, code,
            amount_above, amount_below.
    """
    parameters = (*_filters(filters), *_numbers(buckets=buckets))
    return Ask("GET", "/api/audit/summary", _read_summary, parameters=parameters, operation="audit.summary")


def audit_records(
    *, latest: int | None = None, before: str | None = None, **filters: Filter
) -> Ask[RecordPage]:
    """The latest records that fit all filters, newest first.

    Args:
        latest: how many, at most 1000.
        before: `next` of the page before.
        filters: as for `audit_summary`.
    """
    place = () if before is None else (("before", before),)
    parameters = (*_filters(filters), *_numbers(latest=latest), *place)
    return Ask("GET", "/api/audit/records", _read_page, parameters=parameters, operation="audit.records")


def audit_record(chain: str, seq: int) -> Ask[ProvedRecord]:
    """One record with the proof that it is in the tree that a checkpoint signs; a `Decision` has both numbers."""
    return Ask("GET", f"/api/audit/records/{segment(chain)}/{seq:d}", _read_proved, operation="audit.record")


def audit_chains() -> Ask[Chains]:
    """Each chain with its last record and checkpoint, and each anchor."""
    return Ask("GET", "/api/audit/chains", _read_chains, operation="audit.chains")


def limits() -> Ask[Limits]:
    """How full the limits of policy are."""
    return Ask("GET", "/api/limits", _read_limits, operation="limit.list")


def live() -> Ask[None]:
    """The stream of records that are written from now on."""
    return Ask("GET", "/api/audit/live", _unread, operation="audit.live")


def csv(**filters: Filter) -> Ask[None]:
    """All records that fit, as CSV."""
    return Ask(
        "GET", "/api/audit/records.csv", _unread, parameters=_filters(filters), operation="audit.export"
    )


def _unread(_reply: Reply) -> None:
    """Streams are read as they come."""


def _filters(filters: dict[str, Filter]) -> tuple[tuple[str, str], ...]:
    strange = filters.keys() - set(FILTERS)
    if strange:
        raise TypeError(f"no such filter: {', '.join(sorted(strange))}")
    found = {name: filters.get(name) for name in FILTERS}
    return tuple((name, _text(value)) for name, value in found.items() if value is not None)


def _text(value: Filter) -> str:
    if isinstance(value, float):
        raise TypeError("an amount is a text or a Decimal")
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _numbers(**numbers: int | None) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in numbers.items() if value is not None)
