"""JSON bodies as they go out."""

import json
from typing import Any


def encoded(document: Any) -> bytes:
    """Compact UTF-8, so that what is signed is what anybody would read.

    Raises:
        TypeError: something in it is no JSON; a float is not taken either, for amounts would be rounded.
    """
    _refuse_floats(document)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def given(**members: Any) -> dict[str, Any]:
    """Those members that are there."""
    return {name: value for name, value in members.items() if value is not None}


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float: write a text or a Decimal's text")
    if isinstance(value, dict):
        for each in value.values():
            _refuse_floats(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_floats(each)
