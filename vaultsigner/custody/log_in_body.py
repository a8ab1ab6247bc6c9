"""The body of a log-in, as the old service took it: JSON with `username` and `password`; extra members do no harm. Pure.

Source: wire contract of the old service, section 2.
"""

from dataclasses import dataclass, field

from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.strict_json import JsonDocument, MalformedJsonError, parse

_PLACE: list[JsonValue] = ["body", "login_details"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was given. Neither is known to be right, or even to be what its name says: people mix them up."""

    username: str = field(repr=False)
    password: bytes = field(repr=False)


def read_credentials(body: bytearray) -> Credentials | Refusal:
    """The credentials in a body, or why there are none. A refusal never repeats anything of the body."""
    if not body:
        return _invalid([_missing(_PLACE)])
    try:
        document = parse(bytes(body))
    except MalformedJsonError as error:
        return Refusal(
            "malformed_body",
            "There was an error parsing the body: it must be one JSON object",
            detail="There was an error parsing the body",
            reason=str(error),
        )
    if document is None:
        return _invalid([_missing(_PLACE)])
    if not isinstance(document, dict):
        return _invalid([_problem(_PLACE, "value is not a valid dict", "type_error.dict")])
    problems = [problem for name in ("username", "password") if (problem := _problem_of(document, name))]
    if problems:
        return _invalid(problems)
    return Credentials(str(document["username"]), str(document["password"]).encode())


def _problem_of(document: dict[str, JsonDocument], name: str) -> dict[str, JsonValue] | None:
    place = [*_PLACE, name]
    if name not in document:
        return _missing(place)
    value = document[name]
    if value is None:
        return _problem(place, "none is not an allowed value", "type_error.none.not_allowed")
    if not isinstance(value, str):  # a number arrives as its own characters, which are text
        return _problem(place, "str type expected", "type_error.str")
    return None


def _missing(place: list[JsonValue]) -> dict[str, JsonValue]:
    return _problem(place, "field required", "value_error.missing")


def _problem(place: list[JsonValue], message: str, kind: str) -> dict[str, JsonValue]:
    return {"loc": place, "msg": message, "type": kind}


def _invalid(problems: list[dict[str, JsonValue]]) -> Refusal:
    return Refusal(
        "invalid_fields",
        "Some fields are not valid; detail names each of them",
        detail=list(problems),
        reason="; ".join(f"{'.'.join(map(str, _loc(problem)))}: {problem['type']}" for problem in problems),
    )


def _loc(problem: dict[str, JsonValue]) -> list[JsonValue]:
    loc = problem["loc"]
    return loc if isinstance(loc, list) else []
