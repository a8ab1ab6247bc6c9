"""Refusals where clients expect an exchange: in our shape, and so that such clients understand them.

Exchanges say `{"code": -1021, "msg": "..."}`. python-binance and Binance's own connectors put both into exceptions, which they
raise for the HTTP status, whatever these are. ccxt takes every `code` for a number and breaks off at a word with a mistake of its
own, unless it finds what to raise before it gets there (`handle_errors` of its `binance`, in every language):

- where `msg` has certain words in it, it raises PermissionDenied, with `msg` for its text;
- where `success` is false and `msg` is JSON, it goes by the number in there; its text is then the whole body.

The first is for refusals, which stay as they are however often one asks; the second for what could not be done this time. Where
config says so, an exchange's errors have numbers as `code` instead, and our word for them as `error`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from aiohttp import web

from vaultsigner.domain.names import JsonValue, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server import statuses
from vaultsigner.server.answers import answer_response, encode_json, error_body, refusal_response
from vaultsigner.signing.calls import Answer

Body = Mapping[str, JsonValue]
Spelling = Callable[[Body], dict[str, JsonValue]]

NO_PRIVILEGE = "has no operation privilege"
DISCONNECTED = -1001
UNAUTHORIZED = -1002
TOO_MANY_REQUESTS = -1003
TIMEOUT = -1007
INVALID_DATA = -1130
"""Binance's documentation, "Error codes"; TIMEOUT is "send status unknown; execution status unknown"."""

_NUMBERS: Mapping[str, int] = MappingProxyType(
    {
        "outcome_unknown": TIMEOUT,
        **dict.fromkeys(("rate_limited", "limit_exceeded"), TOO_MANY_REQUESTS),
        **dict.fromkeys(
            (
                *("not_authenticated", "authentication_failed", "invalid_token", "replayed", "no_permission"),
                *("policy_denied", "approval_required", "approval_not_granted", "suspended"),
            ),
            UNAUTHORIZED,
        ),
    }
)


def exchange_answer(answer: Answer, request_id: RequestId) -> web.Response:
    """An answer of our own: the time, or that others have to approve first, which to an exchange's client is a refusal."""
    return _answer(answer, request_id, for_exchange_clients)


def exchange_refusal(
    refusal: Refusal, request_id: RequestId, extra: Mapping[str, str] = MappingProxyType({})
) -> web.Response:
    """A refusal."""
    return _refusal(refusal, request_id, extra, for_exchange_clients)


def numbered_answer(answer: Answer, request_id: RequestId) -> web.Response:
    """The same, by its number."""
    return _answer(answer, request_id, numbered)


def numbered_refusal(
    refusal: Refusal, request_id: RequestId, extra: Mapping[str, str] = MappingProxyType({})
) -> web.Response:
    """The same, by its number."""
    return _refusal(refusal, request_id, extra, numbered)


def for_exchange_clients(body: Body) -> dict[str, JsonValue]:
    """Our members, and those by which an exchange's client finds out what to raise."""
    if not _is_our_fault(body):
        return {**body, "msg": f"{body['message']} (the request {NO_PRIVILEGE})"}
    told: dict[str, JsonValue] = {"code": _number(body), "msg": body["message"]}
    return {**body, "msg": encode_json(told).decode(), "success": False}


def numbered(body: Body) -> dict[str, JsonValue]:
    """Our members, but that `code` is the exchanges' number for it."""
    return {**body, "code": _number(body), "msg": body["message"], "error": body["code"]}


def _answer(answer: Answer, request_id: RequestId, spelled: Spelling) -> web.Response:
    if isinstance(answer.body, dict) and "message" in answer.body:
        answer = replace(answer, body=spelled(answer.body))
    return answer_response(answer, request_id)


def _refusal(
    refusal: Refusal, request_id: RequestId, extra: Mapping[str, str], spelled: Spelling
) -> web.Response:
    def tell(told: Refusal, request_id: RequestId) -> JsonValue:
        return spelled(error_body(told, request_id))

    return refusal_response(refusal, request_id, extra, tell=tell)


def _is_our_fault(body: Body) -> bool:
    return statuses.is_our_fault(statuses.status_of(str(body["code"])))


def _number(body: Body) -> int:
    return _NUMBERS.get(str(body["code"]), DISCONNECTED if _is_our_fault(body) else INVALID_DATA)
