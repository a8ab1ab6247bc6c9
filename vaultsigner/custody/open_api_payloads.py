"""Reading the questions about the Open API; see `strict_members`. Pure."""

from typing import Any

from vaultsigner.custody.open_api_protocol import OpenApiDecryptRequest, OpenApiTokenRequest
from vaultsigner.custody.strict_members import (
    bad_question,
    check_one_credential,
    read_bytes,
    read_ip,
    read_members,
    read_optional_text,
    read_principal,
    read_text,
)
from vaultsigner.domain.names import Operation, RequestId
from vaultsigner.formats.open_api.calls import OpenApiCall, OpenApiCallError
from vaultsigner.strict_json import JsonDocument

_ASKING = {"request_id", "principal", "access_token", "ticket", "operation", "app", "ip", "policy"}
_CALL = {"method", "path", "query", "body"}


def read_open_api_token(payload: bytearray) -> OpenApiTokenRequest:
    """The question for a token."""
    members = read_members(payload, _ASKING | _CALL)
    return OpenApiTokenRequest(call=_call(members), **_asking(members))


def read_open_api_decrypt(payload: bytearray) -> OpenApiDecryptRequest:
    """The question what a ciphertext says."""
    members = read_members(payload, _ASKING | {"ciphertext"})
    return OpenApiDecryptRequest(ciphertext=read_text(members["ciphertext"]), **_asking(members))


def _asking(members: dict[str, JsonDocument]) -> dict[str, Any]:
    """Any: the two questions have these members in common, and each knows their types."""
    check_one_credential(members)
    return {
        "request_id": RequestId(read_text(members["request_id"])),
        "principal": read_principal(members["principal"]),
        "operation": Operation(read_text(members["operation"])),
        "app": read_text(members["app"]),
        "ip": read_ip(members["ip"]),
        "policy": read_text(members["policy"]),
        "access_token": read_optional_text(members["access_token"]),
        "ticket": read_optional_text(members["ticket"]),
    }


def _call(members: dict[str, JsonDocument]) -> OpenApiCall:
    try:
        return OpenApiCall(
            method=read_text(members["method"]),
            path=read_text(members["path"]),
            query=read_text(members["query"]),
            body=read_bytes(members["body"]),
        )
    except OpenApiCallError as error:
        raise bad_question(f"no call that a token could be made for: {error}") from None
