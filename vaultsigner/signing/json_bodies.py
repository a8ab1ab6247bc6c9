"""Reading the small JSON bodies of requests that steer the service. What is not known there is refused: a misspelt member must
not count as one that was left out.
"""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from vaultsigner.config.problems import UnusableValueError, suggestion
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import VaultsignerError
from vaultsigner.strict_json import JsonDocument, JsonNumber, MalformedJsonError, parse

Members = Mapping[str, JsonDocument]
Found = TypeVar("Found")

LONGEST_TEXT = 500
_CONTROL = ("Cc", "Cs", "Zl", "Zp")


class UnusableBodyError(VaultsignerError):
    """A body cannot be used. For inside the pipeline alone: whoever has it read answers with the refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def read_members(body: bytes, known: Collection[str]) -> Members:
    """The members of an object; no body at all is an object without any.

    Raises:
        UnusableBodyError: it is none, or has others.
    """
    if not body:
        return {}
    try:
        document = parse(body)
    except MalformedJsonError as error:
        # The parser's words name a place in the body, never what stands there.
        raise UnusableBodyError(
            Refusal(
                "malformed_body",
                f"There was an error parsing the body: {error}",
                detail="There was an error parsing the body",
                reason=str(error),
            )
        ) from None
    if not isinstance(document, dict):
        raise invalid((), f"the body is a JSON object with {', '.join(known)}")
    for name in document:
        if name not in known:
            raise invalid(("(unknown)",), f"a member is not known here; {suggestion(name, known)}")
    return document


def read_text(members: Members, name: str, *, longest: int = LONGEST_TEXT) -> str | None:
    """A text without line breaks and control characters, blanks around it cut off; None where there is none.

    Raises:
        UnusableBodyError: it is no such text.
    """
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or isinstance(value, JsonNumber):
        raise invalid((name,), "this must be text")
    text = value.strip()
    if len(text) > longest:
        raise invalid((name,), f"this is longer than {longest} characters")
    if any(unicodedata.category(sign) in _CONTROL for sign in text):
        raise invalid((name,), "this must be one line of text without control characters")
    return text or None


def read_with(members: Members, name: str, read: Callable[[str], Found]) -> Found | None:
    """A text by a reader that complains by `UnusableValueError`; None where there is none.

    Raises:
        UnusableBodyError: it cannot be read.
    """
    text = read_text(members, name)
    if text is None:
        return None
    try:
        return read(text)
    except UnusableValueError as error:
        raise invalid((name,), f"{error.message}; {error.hint}") from None


def invalid(where: tuple[str | int, ...], message: str) -> UnusableBodyError:
    """What is wrong with a member, in the shape that every 422 has."""
    detail: list[JsonValue] = [{"loc": ["body", *where], "msg": message, "type": "value_error"}]
    place = ".".join(str(step) for step in where)
    return UnusableBodyError(
        Refusal("invalid_fields", f"{place}: {message}" if place else message, detail=detail)
    )
