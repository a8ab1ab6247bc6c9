"""Notices files that have another day's name than their records. Pure.

No record is changed by that, but questions by time go by the names: `audit query --since`, Athena's days. What is renamed can be
hidden from them.
"""

import json
from typing import Any

from vaultsigner.audit.files.file_names import parse

_REPAIRED = "repaired"
"""Such a record stands where a torn line stood, on a later day perhaps."""


def misnamed(name: str, first: bytes, last: bytes) -> tuple[str, ...]:
    """A note for a file whose name is not the day (UTC) of its first record and of its last; nothing for others.

    Args:
        first, last: good lines. Between them times do not go back.
    """
    found = parse(name)
    if found is None:
        return ()
    day, begin, end = str(found.day), json.loads(first), json.loads(last)
    if _day(begin) >= day and (_day(end) <= day or end.get("event") == _REPAIRED):
        return ()
    other = _day(begin) if _day(begin) < day else _day(end)
    return (
        f"{name} has records of {other}: a file has the name of its records' day; was it renamed? Questions by time look by "
        "names, and may miss them",
    )


def _day(record: dict[str, Any]) -> str:
    return str(record["time"])[:10]
