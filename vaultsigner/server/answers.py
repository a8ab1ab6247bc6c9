"""From an answer or a refusal to an HTTP response: the body's shape and the headers that every answer carries."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from aiohttp import web
from multidict import CIMultiDict

from vaultsigner.domain.names import JsonValue, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server import statuses
from vaultsigner.signing.calls import Answer, Streamed

PRIVATE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Server": "vaultsigner",
        "X-Content-Type-Options": "nosniff",
    }
)
"""`Server` names no version: the HTTP library would name its own and Python's."""

_HEADERS = web.Response(headers=PRIVATE_HEADERS).headers
"""Copying this costs a fifth of making it anew, and every answer needs one."""
CHALLENGES: Mapping[str, str] = MappingProxyType(
    {"not_authenticated": "Bearer", "authentication_failed": 'Signed-Request realm="vaultsigner"'}
)
"""A 401 has to name a way to authenticate (RFC 9110, section 11.6.1). `Signed-Request` is a name of our own: who signs requests
does not log in, and the schemes that IANA lists sign in other ways. It is the same for every way to sign, as the answer is.
"""
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_json(body: JsonValue) -> bytes:
    """Compact UTF-8, as the old service wrote it; a lone surrogate (a mangled name in a message) leaves as its escape."""
    return _encode(body).encode("utf-8", "backslashreplace")


def private_headers(request_id: RequestId) -> CIMultiDict[str]:
    """What every answer carries; the caller may add to it."""
    headers = _HEADERS.copy()
    headers["X-Request-Id"] = request_id
    return headers


def answer_response(answer: Answer, request_id: RequestId) -> web.Response:
    """A good answer; where a rule decided, which one, of which policy, and where the record stands."""
    headers = private_headers(request_id)
    tell_decision(headers, answer)
    return web.Response(
        body=encode_json(answer.body), status=statuses.status_of(answer.code), headers=headers
    )


def tell_decision(headers: CIMultiDict[str], answer: Answer | Streamed) -> None:
    """Add which rule decided, where one did."""
    if answer.rule is not None and answer.policy is not None and answer.audit is not None:
        digest = answer.policy.removeprefix("sha256:")[:12]
        where = f"{answer.audit.chain}:{answer.audit.seq}"
        headers["X-Vaultsigner-Decision"] = f"rule={answer.rule}; policy={digest}; audit={where}"


def error_body(refusal: Refusal, request_id: RequestId) -> dict[str, JsonValue]:
    """`message` and `detail` stand side by side: the old service told `detail` alone, its Python client reads `message`."""
    return {
        "code": refusal.code,
        "message": refusal.message,
        "detail": refusal.message if refusal.detail is None else refusal.detail,
        "request_id": request_id,
    }


def refusal_response(
    refusal: Refusal,
    request_id: RequestId,
    extra: Mapping[str, str] = MappingProxyType({}),
    *,
    tell: Callable[[Refusal, RequestId], JsonValue] = error_body,
) -> web.Response:
    """A refusal in the error shape. Its `reason` is for the record only and stays here."""
    status = statuses.status_of(refusal.code)
    headers = private_headers(request_id)
    headers.update(extra)
    if refusal.code in CHALLENGES:
        headers["WWW-Authenticate"] = CHALLENGES[refusal.code]
    retry_after = statuses.retry_after_seconds(status, refusal.retry_after_seconds)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    response = web.Response(body=encode_json(tell(refusal, request_id)), status=status, headers=headers)
    if refusal.code in statuses.CLOSES_CONNECTION:
        response.force_close()
    return response
