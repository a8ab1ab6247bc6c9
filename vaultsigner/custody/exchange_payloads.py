"""Reading the question for a signed request to an exchange; see `strict_members`. Pure."""

import json
from typing import cast, get_args

from vaultsigner.custody.exchange_protocol import FURTHEST_CLOCK_MS, SignExchangeRequest
from vaultsigner.custody.strict_members import (
    bad_question,
    check_one_credential,
    members_of,
    read_bytes,
    read_counter,
    read_ip,
    read_members,
    read_offset,
    read_optional_text,
    read_principal,
    read_text,
)
from vaultsigner.domain.names import ExchangeName, Operation, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.requests import (
    LONGEST_RECV_WINDOW_MS,
    ExchangeRequest,
    Transport,
    from_parameters,
)
from vaultsigner.formats.exchange.sign_only import read_sign_only
from vaultsigner.strict_json import JsonDocument

_SIGN_EXCHANGE_MEMBERS = {
    *("request_id", "principal", "access_token", "ticket", "operation", "exchange"),
    *("request", "clock_offset_ms", "ip", "policy"),
}
_REQUEST_MEMBERS = {"transport", "method", "path", "parameters", "json_body", "recv_window_ms"}


def read_sign_exchange(payload: bytearray) -> SignExchangeRequest:
    """The question."""
    members = read_members(payload, _SIGN_EXCHANGE_MEMBERS)
    check_one_credential(members)
    return SignExchangeRequest(
        request_id=RequestId(read_text(members["request_id"])),
        principal=read_principal(members["principal"]),
        operation=Operation(read_text(members["operation"])),
        exchange=ExchangeName(read_text(members["exchange"])),
        request=_request(members["request"]),
        clock_offset_ms=read_offset(members["clock_offset_ms"], FURTHEST_CLOCK_MS),
        ip=read_ip(members["ip"]),
        policy=read_text(members["policy"]),
        access_token=read_optional_text(members["access_token"]),
        ticket=read_optional_text(members["ticket"]),
    )


def _request(value: JsonDocument) -> ExchangeRequest:
    """A request that one of our own two readers could have made of what a caller sent, and nothing else."""
    members = members_of(value, _REQUEST_MEMBERS)
    transport = read_text(members["transport"])
    if transport not in get_args(Transport):
        raise bad_question("its transport is unknown")
    request = ExchangeRequest(
        transport=cast(Transport, transport),
        method=read_text(members["method"]),
        path=read_text(members["path"]),
        parameters=_pairs(members["parameters"]),
        json_body=read_bytes(members["json_body"]),
        recv_window_ms=read_counter(members["recv_window_ms"], LONGEST_RECV_WINDOW_MS),
    )
    if request.recv_window_ms < 1 or _read_again(request) != request:
        raise bad_question("its request is none that a caller can ask for")
    return request


def _pairs(value: JsonDocument) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        raise bad_question("its parameters are no list")
    pairs = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise bad_question("a parameter is no pair")
        pairs.append((read_text(pair[0]), read_text(pair[1])))
    return tuple(pairs)


def _read_again(request: ExchangeRequest) -> ExchangeRequest | Refusal:
    if request.transport == "websocket":
        params = {**dict(request.parameters), "recvWindow": request.recv_window_ms}
        return read_sign_only(json.dumps({"ws": request.method, "params": params}).encode("ascii"))
    pairs = [(name.encode(), value.encode()) for name, value in request.parameters]
    window = request.recv_window_ms
    return from_parameters(request.method, request.path, pairs, request.json_body, recv_window_ms=window)
