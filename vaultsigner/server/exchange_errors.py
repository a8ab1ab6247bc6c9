"""Refusals where clients expect an exchange: in our shape, and so that such clients understand them.

Exchanges say `{"code": -1021, "msg": "..."}`. python-binance and Binance's own connectors put both into exceptions, which they
raise for the HTTP status, whatever these are. ccxt takes every `code` for a number and breaks off at a word with a mistake of its
own, unless it finds what to raise before it gets there (`handle_errors` of its `binance`, in every language):

- where `msg` has certain words in it, it raises PermissionDenied, with `msg` for its text;
- where `success` is false and `msg` is JSON, it goes by the number in there; its text is then the whole body.

The first is for refusals, which stay as they are however often one asks; the second for what could not be done this time, and for
what is not there at all.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from aiohttp import web

from vaultsigner.domain.names import JsonValue, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server import statuses
from vaultsigner.server.answers import answer_response, encode_json, error_body, refusal_response
from vaultsigner.signing.calls import Answer

Body = Mapping[str, JsonValue]

NO_PRIVILEGE = "has no operation privilege"
DISCONNECTED, TIMEOUT, INVALID_DATA = -1001, -1007, -1130
"""Binance's documentation, "Error codes"; TIMEOUT is "send status unknown; execution status unknown"."""

_NUMBERS: Mapping[str, int] = MappingProxyType(
    {"outcome_unknown": TIMEOUT, "exchange_not_found": INVALID_DATA, "not_found": INVALID_DATA}
)


def exchange_answer(answer: Answer, request_id: RequestId) -> web.Response:
    """An answer of our own: the time, or that others have to approve first, which to an exchange's client is a refusal."""
    if isinstance(answer.body, dict) and "message" in answer.body:
        answer = replace(answer, body=for_exchange_clients(answer.body))
    return answer_response(answer, request_id)


def exchange_refusal(
    refusal: Refusal, request_id: RequestId, extra: Mapping[str, str] = MappingProxyType({})
) -> web.Response:
    """A refusal."""

    def tell(told: Refusal, request_id: RequestId) -> JsonValue:
        return for_exchange_clients(error_body(told, request_id))

    return refusal_response(refusal, request_id, extra, tell=tell)


def for_exchange_clients(body: Body) -> dict[str, JsonValue]:
    """Our members, and those by which an exchange's client finds out what to raise."""
    code, message = body["code"], body["message"]
    number = _NUMBERS.get(str(code), DISCONNECTED)
    if number == DISCONNECTED and not statuses.is_our_fault(statuses.status_of(str(code))):
        return {**body, "msg": f"{message} (the request {NO_PRIVILEGE})"}
    told: dict[str, JsonValue] = {"code": number, "msg": message}
    return {**body, "msg": encode_json(told).decode(), "success": False}
