"""What callers of our own `/api/open_api/...` ask for. Pure."""

from collections.abc import Iterable
from typing import cast

from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.open_api.calls import LONGEST_TEXT, OpenApiCall, OpenApiCallError
from vaultsigner.strict_json import JsonDocument, JsonNumber, MalformedJsonError, parse

_CALL_MEMBERS = ("method", "path", "query", "body")
_REQUIRED = ("method", "path")
_OF_SIGNED_REQUESTS = frozenset({b"timestamp", b"recvWindow", b"signature", b"operation"})
_OPEN_DATA = "openData"


def read_token_request(body: bytes) -> OpenApiCall | Refusal:
    """The call that a token is wanted for: `{"method", "path", "query", "body"}`, the last two where there is any.

    Refusals: `malformed_body`, `invalid_fields`.
    """
    members = _members(body, _CALL_MEMBERS, _REQUIRED)
    if isinstance(members, Refusal):
        return members
    try:
        return OpenApiCall(
            members["method"], members["path"], members.get("query", ""), members.get("body", "").encode()
        )
    except OpenApiCallError as error:
        return _invalid(error.member, str(error))


def read_decrypt_request(body: bytes) -> str | Refusal:
    """The ciphertext that is to be decrypted: `{"data": base64url}`. Whether it is one, only custody says.

    Refusals: `malformed_body`, `invalid_fields`.
    """
    members = _members(body, ("data",), ("data",))
    return members if isinstance(members, Refusal) else members["data"]


def read_user_data_request(pairs: Iterable[tuple[bytes, bytes]]) -> str | Refusal:
    """The data token whose user data is wanted: the parameter `openData`.

    Args:
        pairs: the query's parameters, decoded, each name once; those of signed requests may be among them.

    Refusals: `malformed_parameters`.
    """
    others = {name: value for name, value in pairs if name not in _OF_SIGNED_REQUESTS}
    value = others.pop(_OPEN_DATA.encode(), b"")
    if others:
        return _malformed(f"Only {_OPEN_DATA} is a parameter here: leave the others out")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text or len(text) > LONGEST_TEXT or not text.isprintable():
        return _malformed(
            f"The parameter {_OPEN_DATA} must be the data token that the mini-program was given"
        )
    return text


def _members(body: bytes, known: tuple[str, ...], required: tuple[str, ...]) -> dict[str, str] | Refusal:
    try:
        document = parse(body)
    except MalformedJsonError as error:
        return Refusal(error.code, f"Send a JSON object: {error}")
    if not isinstance(document, dict):
        return Refusal(MalformedJsonError.code, "Send a JSON object")
    for name in (*required, *document):
        if name not in document:
            return _invalid(name, "this member is missing")
        if name not in known:
            # Not repeated: a stranger name may be a secret in the wrong place.
            return _invalid(None, f"there is a member that is not known: {', '.join(known)} are")
        if not _is_text(document[name]):
            return _invalid(name, "write a text here")
    return cast(dict[str, str], document)


def _is_text(value: JsonDocument) -> bool:
    return isinstance(value, str) and not isinstance(value, JsonNumber)


def _invalid(member: str | None, message: str) -> Refusal:
    location: list[JsonValue] = ["body"] if member is None else ["body", member]
    detail: list[JsonValue] = [{"loc": location, "msg": message, "type": "value_error"}]
    told = message if member is None else f"{member}: {message}"
    return Refusal("invalid_fields", told, detail=detail)


def _malformed(message: str) -> Refusal:
    return Refusal("malformed_parameters", message)
