"""Reading questions strictly: exactly the members they need, each of its type. Pure.

Raises CustodyError, bad_question, everywhere: a server that asks otherwise is none of ours.
"""

from base64 import b64decode, b64encode
from ipaddress import ip_address
from typing import cast, get_args

from vaultsigner.custody.protocol import TEXT_ERRORS, AuthenticateRequest, Family, SignBeaconRequest
from vaultsigner.domain.names import JsonValue, Operation, RequestId, WalletName
from vaultsigner.domain.principals import Principal, PrincipalKind
from vaultsigner.errors import CustodyError
from vaultsigner.strict_json import JsonDocument, JsonNumber, MalformedJsonError, parse

_INT64_MAX = 2**63 - 1
_INT64_DIGITS = len(str(_INT64_MAX))
_SIGN_BEACON_MEMBERS = {
    *("request_id", "principal", "access_token", "ticket", "operation", "wallet"),
    *("message", "memo", "account_number", "sequence", "source", "ip", "policy"),
}
_AUTHENTICATE_MEMBERS = {
    *("request_id", "family", "credential", "operation"),
    *("method", "path", "query", "body", "ip"),
}


def read_nothing(payload: bytearray) -> None:
    """A question without members."""
    _members(payload, set())


def read_name(payload: bytearray, member: str) -> str:
    """A question with one member, a name."""
    return _text(_members(payload, {member})[member])


def read_authenticate(payload: bytearray) -> AuthenticateRequest:
    """The question who signed a request."""
    members = _members(payload, _AUTHENTICATE_MEMBERS)
    family = _text(members["family"])
    if family not in get_args(Family):
        raise _bad("its family is unknown")
    return AuthenticateRequest(
        request_id=RequestId(_text(members["request_id"])),
        family=cast(Family, family),
        credential=_text_of_bytes(members["credential"]),
        operation=Operation(_text(members["operation"])),
        method=_text(members["method"]),
        path=_text_of_bytes(members["path"]),
        query=_bytes(members["query"]),
        body=_bytes(members["body"]),
        ip=_ip(members["ip"]),
    )


def read_sign_beacon(payload: bytearray) -> SignBeaconRequest:
    """The question for a signature."""
    members = _members(payload, _SIGN_BEACON_MEMBERS)
    if (members["access_token"] is None) == (members["ticket"] is None):
        raise _bad("it needs an access token or a ticket, and not both")
    return SignBeaconRequest(
        request_id=RequestId(_text(members["request_id"])),
        principal=_principal(members["principal"]),
        access_token=_optional_text(members["access_token"]),
        ticket=_optional_text(members["ticket"]),
        operation=Operation(_text(members["operation"])),
        wallet=WalletName(_text(members["wallet"])),
        # Numbers in it are still their own characters; `message_from_document` reads those too.
        message_document=cast(dict[str, JsonValue], members["message"]),
        memo=_text(members["memo"]),
        account_number=_counter(members["account_number"]),
        sequence=_counter(members["sequence"]),
        source=_counter(members["source"]),
        ip=_ip(members["ip"]),
        policy=_text(members["policy"]),
    )


def _principal(value: JsonDocument) -> Principal:
    if not isinstance(value, dict) or value.keys() != {"kind", "name"}:
        raise _bad("its principal is not one")
    kind = value["kind"]
    if kind not in ("user", "client"):
        raise _bad("its principal is of an unknown kind")
    return Principal(cast(PrincipalKind, kind), _text(value["name"]))


def _members(payload: bytearray, names: set[str]) -> dict[str, JsonDocument]:
    try:
        document = parse(bytes(payload))
    except MalformedJsonError as error:
        raise _bad(f"it is not JSON ({error})") from None
    if not isinstance(document, dict) or document.keys() != names:
        raise _bad("its members are not exactly those it should have")
    return document


def _text(value: JsonDocument) -> str:
    if not isinstance(value, str) or isinstance(value, JsonNumber):
        raise _bad("a text in it is of another type")
    return value


def _bytes(value: JsonDocument) -> bytes:
    text = _text(value)
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise _bad("some base64 in it is none") from None
    if b64encode(data).decode("ascii") != text:
        raise _bad("some base64 in it is not canonical")
    return data


def _text_of_bytes(value: JsonDocument) -> str:
    try:
        return _bytes(value).decode("utf-8", TEXT_ERRORS)
    except UnicodeDecodeError:
        raise _bad("a text in it is not Unicode") from None


def _ip(value: JsonDocument) -> str:
    try:
        return str(ip_address(_text(value)))
    except ValueError:
        raise _bad("its IP address is none") from None


def _optional_text(value: JsonDocument) -> str | None:
    return None if value is None else _text(value)


def _counter(value: JsonDocument) -> int:
    if isinstance(value, JsonNumber) and len(value) <= _INT64_DIGITS and value.isascii() and value.isdigit():
        number = int(value)
        if number <= _INT64_MAX:
            return number
    raise _bad("a number in it is not a whole number from 0 to 2^63-1")


def _bad(why: str) -> CustodyError:
    return CustodyError("bad_question", f"custody cannot make sense of the question: {why}")
