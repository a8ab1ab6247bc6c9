"""Refusals where clients expect an exchange: in our shape, with the words also where such clients look for them.

Exchanges answer `{"code": -1021, "msg": "..."}`. ccxt, python-binance and Binance's own connectors put `msg` into the exceptions
that they raise for the HTTP status, and take a `code` that is a word as they take a number.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from aiohttp import web

from vaultsigner.domain.names import JsonValue, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.answers import answer_response, error_body, refusal_response
from vaultsigner.signing.calls import Answer


def exchange_answer(answer: Answer, request_id: RequestId) -> web.Response:
    """An answer of our own: the time, or that others have to approve first."""
    if isinstance(answer.body, dict) and "message" in answer.body:
        answer = replace(answer, body=with_msg(answer.body))
    return answer_response(answer, request_id)


def exchange_refusal(
    refusal: Refusal, request_id: RequestId, extra: Mapping[str, str] = MappingProxyType({})
) -> web.Response:
    """A refusal."""

    def tell(told: Refusal, request_id: RequestId) -> JsonValue:
        return with_msg(error_body(told, request_id))

    return refusal_response(refusal, request_id, extra, tell=tell)


def with_msg(body: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The message under the exchanges' name for it, too."""
    return {**body, "msg": body["message"]}
