"""Reading the questions about who asks and about messages of the Beacon Chain; see `strict_members`. Pure."""

from typing import cast, get_args

from vaultsigner.custody.metrics_protocol import KeyKind
from vaultsigner.custody.protocol import AuthenticateRequest, Family, SignBeaconRequest
from vaultsigner.custody.strict_members import (
    bad_question,
    check_one_credential,
    read_bytes,
    read_counter,
    read_ip,
    read_members,
    read_optional_text,
    read_principal,
    read_text,
    read_text_of_bytes,
)
from vaultsigner.domain.names import CertificateDigest, JsonValue, Operation, RequestId, WalletName

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
    read_members(payload, set())


def read_name(payload: bytearray, member: str) -> str:
    """A question with one member, a name."""
    return read_text(read_members(payload, {member})[member])


def read_find_keys(payload: bytearray) -> tuple[KeyKind, str]:
    """The question whether the keys of something are there: what kind of thing, and its name."""
    members = read_members(payload, {"kind", "name"})
    kind = read_text(members["kind"])
    if kind not in get_args(KeyKind):
        raise bad_question("its kind is unknown")
    return cast(KeyKind, kind), read_text(members["name"])


def read_authenticate(payload: bytearray) -> AuthenticateRequest:
    """The question who signed a request."""
    members = read_members(payload, _AUTHENTICATE_MEMBERS, optional=frozenset({"client_certificate"}))
    family = read_text(members["family"])
    if family not in get_args(Family):
        raise bad_question("its family is unknown")
    certificate = read_optional_text(members.get("client_certificate"))
    return AuthenticateRequest(
        request_id=RequestId(read_text(members["request_id"])),
        family=cast(Family, family),
        credential=read_text_of_bytes(members["credential"]),
        operation=Operation(read_text(members["operation"])),
        method=read_text(members["method"]),
        path=read_text_of_bytes(members["path"]),
        query=read_bytes(members["query"]),
        body=read_bytes(members["body"]),
        ip=read_ip(members["ip"]),
        client_certificate=None if certificate is None else CertificateDigest(certificate),
    )


def read_sign_beacon(payload: bytearray) -> SignBeaconRequest:
    """The question for a signature of a message."""
    members = read_members(payload, _SIGN_BEACON_MEMBERS)
    check_one_credential(members)
    return SignBeaconRequest(
        request_id=RequestId(read_text(members["request_id"])),
        principal=read_principal(members["principal"]),
        access_token=read_optional_text(members["access_token"]),
        ticket=read_optional_text(members["ticket"]),
        operation=Operation(read_text(members["operation"])),
        wallet=WalletName(read_text(members["wallet"])),
        # Numbers in it are still their own characters; `message_from_document` reads those too.
        message_document=cast(dict[str, JsonValue], members["message"]),
        memo=read_text(members["memo"]),
        account_number=read_counter(members["account_number"]),
        sequence=read_counter(members["sequence"]),
        source=read_counter(members["source"]),
        ip=read_ip(members["ip"]),
        policy=read_text(members["policy"]),
    )
