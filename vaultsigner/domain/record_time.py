"""How records and checkpoints write a moment: UTC to the microsecond, `2026-11-21T08:15:30.123456Z`. Pure."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def record_time(time_us: int) -> str:
    """Microseconds since 1970 as text."""
    return (_EPOCH + time_us * _MICROSECOND).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read_record_time(text: str) -> int | None:
    """Microseconds since 1970; None for any other spelling."""
    try:
        time_us = (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
        return time_us if record_time(time_us) == text else None
    except (ValueError, TypeError, OverflowError):
        return None
