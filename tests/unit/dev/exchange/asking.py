"""Requests to the exchange stand-in, signed here by the fewest lines that the documents allow."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote

from tests.exchanges import KEY_OF, KEYS, account_of
from vaultsigner.dev.exchange.exchange import Exchange
from vaultsigner.dev.exchange.requests import RawRequest
from vaultsigner.dev.exchange.signatures import Account

NOW_MS = 1_499_827_319_559
"""The timestamp of the documents' examples and of the vectors."""

SECRET = KEYS["hmac_doc"]["secret"]
KEY = KEYS["hmac_doc"]["api_key"]
LIMIT_ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.5",
    "price": "50000",
}


def exchange(*accounts: Account) -> Exchange:
    """One whose clock stands still, with a key of every scheme unless others are named."""
    made = Exchange(accounts or [account_of(name) for name in KEY_OF.values()])
    made.freeze(NOW_MS)
    return made


def query_of(parameters: dict[str, str]) -> str:
    """Percent-encoded, in this order."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())


def raw(
    method: str, path: str, query: str = "", body: str = "", *, key: str | None = KEY, kind: str | None = None
) -> RawRequest:
    """A request as it would come in; `kind` is its content type."""
    headers = [("X-MBX-APIKEY", key)] if key is not None else []
    headers += [("Content-Type", kind)] if kind else []
    return RawRequest(method, f"{path}?{query}" if query else path, tuple(headers), body.encode())


def signed(method: str, path: str, parameters: dict[str, str] | None = None, **options: Any) -> RawRequest:
    """A request with everything in the query, signed with HMAC at NOW_MS."""
    query = query_of({**(parameters or {}), "timestamp": str(options.pop("timestamp", NOW_MS))})
    signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    return raw(method, path, f"{query}&signature={signature}", **options)


def ask(
    of: Exchange, method: str, path: str, parameters: dict[str, str] | None = None, **options: Any
) -> tuple[int, Any]:
    """Status and document of a signed request."""
    return told(of, signed(method, path, parameters, **options))


def told(of: Exchange, request: RawRequest) -> tuple[int, Any]:
    """Status and document of any request."""
    answer = of.take(request)
    return answer.status, json.loads(answer.body)


def code(of: Exchange, request: RawRequest) -> tuple[int, int]:
    """Status and the exchange's code of a request that is refused."""
    status, document = told(of, request)
    return status, document["code"]
