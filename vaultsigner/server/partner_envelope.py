"""The envelope of the partner family: `{"code", "message", "data"}` around everything, an unknown path included.

Codes and messages are those of the Binance Web3 API Specification V0.0.6 (2024-01-09), developers.binance.com; data is null
where there is an error. What went wrong in particular is in the record, which X-Request-Id finds.
"""

from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

from vaultsigner.domain.names import JsonValue, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server import statuses
from vaultsigner.server.answers import encode_json, private_headers
from vaultsigner.signing.calls import Answer

SUCCESS = "000000"
TOO_MANY_REQUESTS = "000001"
SYSTEM_BUSY = "000002"
INVALID_SIGNATURE = "000003"
INVALID_RECV_WINDOW = "000004"
INVALID_TIMESTAMP = "000005"
INVALID_ARGUMENT = "000006"

MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        SUCCESS: "success",
        TOO_MANY_REQUESTS: "too many requests",
        SYSTEM_BUSY: "system busy",
        INVALID_SIGNATURE: "invalid signature",
        INVALID_RECV_WINDOW: "invalid recvWindow",
        INVALID_TIMESTAMP: "invalid timestamp",
        INVALID_ARGUMENT: "invalid argument",
    }
)
_CODE_FOR_REFUSAL: Mapping[str, str] = MappingProxyType(
    {
        "rate_limited": TOO_MANY_REQUESTS,
        "partner_invalid_signature": INVALID_SIGNATURE,
        "replayed": INVALID_SIGNATURE,
        "partner_invalid_recv_window": INVALID_RECV_WINDOW,
        "partner_invalid_timestamp": INVALID_TIMESTAMP,
    }
)


def partner_code(refusal_code: str) -> str:
    """The specification's code for one of ours."""
    if refusal_code in _CODE_FOR_REFUSAL:
        return _CODE_FOR_REFUSAL[refusal_code]
    return SYSTEM_BUSY if statuses.is_our_fault(_status(refusal_code)) else INVALID_ARGUMENT


def envelope(code: str, data: JsonValue = None) -> dict[str, JsonValue]:
    """The body of an answer."""
    return {"code": code, "message": MESSAGES[code], "data": data}


def enveloped_answer(answer: Answer, request_id: RequestId) -> web.Response:
    """A good answer."""
    body = encode_json(envelope(SUCCESS, answer.body))
    return web.Response(body=body, status=statuses.OK, headers=private_headers(request_id))


def enveloped_refusal(
    refusal: Refusal, request_id: RequestId, extra: Mapping[str, str] = MappingProxyType({})
) -> web.Response:
    """A refusal: one of seven codes with its fixed words."""
    headers = private_headers(request_id)
    headers.update(extra)
    retry_after = statuses.retry_after_seconds(statuses.status_of(refusal.code), refusal.retry_after_seconds)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    body = encode_json(envelope(partner_code(refusal.code)))
    response = web.Response(body=body, status=_status(refusal.code), headers=headers)
    if refusal.code in statuses.CLOSES_CONNECTION:
        response.force_close()
    return response


def _status(refusal_code: str) -> int:
    return statuses.status_of(refusal_code, statuses.PARTNER_OPERATIONS)
