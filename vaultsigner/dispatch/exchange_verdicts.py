"""What an exchange's answer says about the request: done, refused, or nobody knows.

After Binance's documentation, "General API Information" (spot, USD-M and COIN-M futures: "HTTP Return Codes") and "Error codes".
"""

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Literal

Verdict = Literal["accepted", "refused", "unknown"]

EXECUTION_UNKNOWN = frozenset({-1006, -1007})
"""UNEXPECTED_RESP and TIMEOUT: "execution status unknown", whatever the status beside them is."""
PARTLY_DONE = -2021
"""Of an order that cancels and replaces another: one half was done, and the status is 409."""
WRONG_TIME = -1021
"""INVALID_TIMESTAMP: outside of recvWindow, so that it was not looked at any further."""

_NUMBER = re.compile(r"-?[0-9]{1,9}")


def verdict_of(status: int, code: int | None, *, changes: bool, complete: bool = True) -> Verdict:
    """What became of a request.

    Args:
        status: HTTP's.
        code: the exchange's own, `code_in` its body.
        changes: whether the request may change anything at all; where it may not, there is nothing to be unsure about.
        complete: whether all of the body was looked at; a refusal that is too long to be one may say anything.
    """
    accepted = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    if not changes:
        return "accepted" if accepted else "refused"
    if code in EXECUTION_UNKNOWN or status == HTTPStatus.REQUEST_TIMEOUT:
        return "unknown"
    if accepted or code == PARTLY_DONE:
        return "accepted"
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return "refused" if refused and complete else "unknown"


def may_retry_for_time(status: int, code: int | None) -> bool:
    """Whether the exchange surely did nothing, and would have liked another timestamp."""
    return status == HTTPStatus.BAD_REQUEST and code == WRONG_TIME


def code_in(body: bytes) -> int | None:
    """The number that an exchange names an error by, `{"code": -1021, "msg": ...}`; None where there is none to be found.

    That of one of several answers counts where it says that nobody knows what became of the request: each of a batch has its own
    in the list, and of an order that replaces another both halves have theirs in `data`.
    """
    answer = _read(body)
    for part in _parts(answer):
        if (code := _number(part.get("code"))) in EXECUTION_UNKNOWN:
            return code
    code = answer.get("code") if isinstance(answer, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def server_time_in(body: bytes) -> int | None:
    """The time in milliseconds since 1970 that a time endpoint tells, `{"serverTime": ...}`."""
    answer = _read(body)
    told = answer.get("serverTime") if isinstance(answer, dict) else None
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 < told < 1 << 53 else None


def _read(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _parts(answer: object) -> Iterator[Mapping[str, object]]:
    """The answer itself, those in a list, and those in its `data`."""
    whole = [answer, answer.get("data")] if isinstance(answer, dict) else [answer]
    inner = whole[-1]
    within = inner if isinstance(inner, list) else inner.values() if isinstance(inner, dict) else ()
    yield from (part for part in (*whole, *within) if isinstance(part, dict))


def _number(code: object) -> int | None:
    """Also of a number that is written as a text."""
    if isinstance(code, str):
        return int(code) if _NUMBER.fullmatch(code) else None
    return code if isinstance(code, int) else None
