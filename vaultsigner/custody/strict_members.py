"""Reading a question's members strictly: exactly those it needs, each of its type. Pure.

Raises CustodyError, bad_question, everywhere: a server that asks otherwise is none of ours.
"""

from base64 import b64decode, b64encode
from ipaddress import ip_address
from typing import cast

from vaultsigner.custody.protocol import TEXT_ERRORS
from vaultsigner.domain.principals import Principal, PrincipalKind
from vaultsigner.errors import CustodyError
from vaultsigner.strict_json import JsonDocument, JsonNumber, MalformedJsonError, parse

_INT64_MAX = 2**63 - 1
_INT64_DIGITS = len(str(_INT64_MAX))


def bad_question(why: str) -> CustodyError:
    """The error for a question that makes no sense."""
    return CustodyError("bad_question", f"custody cannot make sense of the question: {why}")


def read_members(
    payload: bytearray, names: set[str], *, optional: frozenset[str] = frozenset()
) -> dict[str, JsonDocument]:
    """The members of a payload, by these names and no others; `optional` ones may be missing."""
    try:
        document = parse(bytes(payload))
    except MalformedJsonError as error:
        raise bad_question(f"it is not JSON ({error})") from None
    given = document.keys() & optional if isinstance(document, dict) else frozenset[str]()
    return members_of(document, names | given)


def members_of(document: JsonDocument, names: set[str]) -> dict[str, JsonDocument]:
    """The members of an object inside a payload."""
    if not isinstance(document, dict) or document.keys() != names:
        raise bad_question("its members are not exactly those it should have")
    return document


def read_text(value: JsonDocument) -> str:
    """A text, which a number is not."""
    if not isinstance(value, str) or isinstance(value, JsonNumber):
        raise bad_question("a text in it is of another type")
    return value


def read_optional_text(value: JsonDocument) -> str | None:
    """A text or null."""
    return None if value is None else read_text(value)


def read_bytes(value: JsonDocument) -> bytes:
    """Canonical base64."""
    text = read_text(value)
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise bad_question("some base64 in it is none") from None
    if b64encode(data).decode("ascii") != text:
        raise bad_question("some base64 in it is not canonical")
    return data


def read_text_of_bytes(value: JsonDocument) -> str:
    """A text that may hold anything at all, see `protocol.TEXT_ERRORS`."""
    try:
        return read_bytes(value).decode("utf-8", TEXT_ERRORS)
    except UnicodeDecodeError:
        raise bad_question("a text in it is not Unicode") from None


def read_ip(value: JsonDocument) -> str:
    """An IP address, in its usual spelling."""
    try:
        return str(ip_address(read_text(value)))
    except ValueError:
        raise bad_question("its IP address is none") from None


def read_counter(value: JsonDocument, most: int = _INT64_MAX) -> int:
    """A whole number from 0 on."""
    if isinstance(value, JsonNumber) and len(value) <= _INT64_DIGITS and value.isascii() and value.isdigit():
        number = int(value)
        if number <= most:
            return number
    raise bad_question("a number in it is not a whole number in its range")


def read_offset(value: JsonDocument, furthest: int) -> int:
    """A whole number, at most so far from 0 either way."""
    negative = isinstance(value, JsonNumber) and value.startswith("-")
    magnitude = JsonNumber(value[1:]) if negative and isinstance(value, JsonNumber) else value
    number = read_counter(magnitude, furthest)
    return -number if negative else number


def read_principal(value: JsonDocument) -> Principal:
    """Who is said to ask."""
    members = members_of(value, {"kind", "name"})
    kind = members["kind"]
    if kind not in ("user", "client"):
        raise bad_question("its principal is of an unknown kind")
    return Principal(cast(PrincipalKind, kind), read_text(members["name"]))


def check_one_credential(members: dict[str, JsonDocument]) -> None:
    """An access token or a ticket."""
    if (members["access_token"] is None) == (members["ticket"] is None):
        raise bad_question("it needs an access token or a ticket, and not both")
