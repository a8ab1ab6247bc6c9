"""The bytes of a request: what is signed, and what is sent once there is a signature.

Source: Binance's documentation, Spot REST API "SIGNED Endpoint security" (a signature covers the query string followed by the
body; payloads are percent-encoded before they are signed) and WebSocket API "SIGNED request security" (parameters sorted by
name, joined as they are, without percent-encoding). The query and form use RFC 3986's unreserved characters and %20.
"""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from vaultsigner.formats.exchange.requests import ExchangeRequest

API_KEY_HEADER = "X-MBX-APIKEY"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_INTEGER = re.compile(r"0|[1-9][0-9]{0,18}")
_INTEGER_NAMES = re.compile(
    r"(?:.*[a-z])?(?:[oO]rderId|[oO]rderListId|[sS]trategyId|[sS]trategyType|[tT]railingDelta|[pP]egOffsetValue)"
    r"|fromId|fromAllocationId|limit|startTime|endTime|algoId|goodTillDate|subscriptionId"
)
_BOOLEAN_NAMES = frozenset({"computeCommissionRates", "omitZeroBalances", "returnRateLimits"})


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A request with its time, about to be signed.

    Args:
        payload: exactly what is signed.
        request: what it asks for.
        timestamp_ms: milliseconds since 1970, by the exchange's clock.
        api_key: the exchange's API key, no secret.
    """

    payload: bytes = field(repr=False)
    request: ExchangeRequest
    timestamp_ms: int
    api_key: str


@dataclass(frozen=True, slots=True)
class SignedExchangeRequest:
    """A complete request.

    Args:
        method: REST: of HTTP; WebSocket: empty.
        target: REST: the path, with a query where there is one, in ASCII; WebSocket: empty.
        headers: REST: the API key, and Content-Type where there is a body; WebSocket: none.
        body: REST: the form or the JSON body, or empty; WebSocket: the message's `method` and `params` as JSON, without `id`.
    """

    method: str
    target: str = field(repr=False)
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


def prepare(request: ExchangeRequest, *, timestamp_ms: int, api_key: str) -> Unsigned:
    """What there is to sign.

    Args:
        request: what is asked for.
        timestamp_ms: milliseconds since 1970, by the exchange's clock.
        api_key: the exchange's API key.
    """
    if request.transport == "websocket":
        texts = _websocket_texts(request, timestamp_ms, api_key)
        payload = "&".join(f"{name}={texts[name]}" for name in sorted(texts)).encode("utf-8")
    else:
        payload = _timed_form(request, timestamp_ms).encode("ascii") + request.json_body
    return Unsigned(payload, request, timestamp_ms, api_key)


def finish(unsigned: Unsigned, signature: str) -> SignedExchangeRequest:
    """The complete request.

    Args:
        unsigned: from `prepare`.
        signature: over its payload: hex (HMAC) or base64 (RSA, Ed25519).
    """
    request = unsigned.request
    if request.transport == "websocket":
        return _websocket_message(unsigned, signature)
    form = f"{_timed_form(request, unsigned.timestamp_ms)}&signature={_encoded(signature)}"
    return _placed(request, form, unsigned.api_key)


def encoded_bytes(request: ExchangeRequest) -> int:
    """How large it is once it is encoded, target and body together, without API key and signature."""
    sent = finish(prepare(request, timestamp_ms=0, api_key=""), "")
    return len(sent.target) + len(sent.body)


def without_signature(request: ExchangeRequest, *, api_key: str) -> SignedExchangeRequest:
    """The request for an endpoint that asks for the API key alone: market data, listen keys. REST only."""
    return _placed(request, _form(request.parameters), api_key)


def _placed(request: ExchangeRequest, form: str, api_key: str) -> SignedExchangeRequest:
    """With the parameters where each method has them: POST and PUT in a form, unless the body is JSON; else in the query."""
    key = (API_KEY_HEADER, api_key)
    if request.json_body:
        headers = (key, ("Content-Type", JSON))
        return SignedExchangeRequest(request.method, _target(request.path, form), headers, request.json_body)
    if form and request.method in ("POST", "PUT"):
        headers = (key, ("Content-Type", FORM))
        return SignedExchangeRequest(request.method, request.path, headers, form.encode("ascii"))
    return SignedExchangeRequest(request.method, _target(request.path, form), (key,), b"")


def _target(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _timed_form(request: ExchangeRequest, timestamp_ms: int) -> str:
    times = (("recvWindow", str(request.recv_window_ms)), ("timestamp", str(timestamp_ms)))
    return _form((*request.parameters, *times))


def _form(parameters: tuple[tuple[str, str], ...]) -> str:
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in parameters)


def _encoded(text: str) -> str:
    return quote(text, safe="")


def _websocket_texts(request: ExchangeRequest, timestamp_ms: int, api_key: str) -> dict[str, str]:
    times = {"recvWindow": str(request.recv_window_ms), "timestamp": str(timestamp_ms)}
    return {**dict(request.parameters), "apiKey": api_key, **times}


def _websocket_message(unsigned: Unsigned, signature: str) -> SignedExchangeRequest:
    request = unsigned.request
    parameters: dict[str, str | int | bool] = {
        name: _typed(name, value) for name, value in request.parameters
    }
    parameters |= {"apiKey": unsigned.api_key, "recvWindow": request.recv_window_ms}
    parameters |= {"timestamp": unsigned.timestamp_ms, "signature": signature}
    message = json.dumps({"method": request.method, "params": parameters}, separators=(",", ":"))
    return SignedExchangeRequest("", "", (), message.encode("ascii"))


def _typed(name: str, value: str) -> str | int | bool:
    """As the WebSocket API types it: whole numbers as JSON numbers, decimals and words as texts. The signed text is the same."""
    if value in ("true", "false") and name in _BOOLEAN_NAMES:
        return value == "true"
    if _INTEGER_NAMES.fullmatch(name) and _INTEGER.fullmatch(value):
        return int(value)
    return value
