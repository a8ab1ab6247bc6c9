"""Moments as answers tell them."""

from datetime import UTC, datetime


def told(milliseconds: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC, e.g. `2026-03-01T12:30:45.678Z`."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
