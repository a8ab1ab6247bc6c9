"""The example requests and answers of the routes of exchanges and Open API apps. Every value is made up."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.domain.names import JsonValue
from vaultsigner.signing.exchange_answers import unknown
from vaultsigner.signing.suspensions import suspended

_API_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
"""Binance's documentation has it for an example."""
_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"

ORDER: JsonValue = {
    "symbol": "LTCBTC",
    "orderId": 28,
    "orderListId": -1,
    "clientOrderId": "6gCrw2kRUAF9CvJDGP16IP",
    "transactTime": 1507725176595,
}
SIGN: Mapping[str, JsonValue] = MappingProxyType(
    {
        "Parameters": {
            "method": "POST",
            "path": "/api/v3/order",
            "params": {
                "symbol": "LTCBTC",
                "side": "BUY",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "1",
                "price": "0.1",
                "recvWindow": 5000,
            },
        },
        "Query": {"method": "DELETE", "path": "/api/v3/order", "query": "symbol=LTCBTC&orderId=28"},
        "WebSocket": {
            "ws": "order.place",
            "params": {
                "symbol": "LTCBTC",
                "side": "SELL",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "1",
                "price": "0.2",
            },
        },
    }
)
SIGNED: JsonValue = {
    "method": "POST",
    "url": "https://api.binance.com/api/v3/order",
    "headers": {"X-MBX-APIKEY": _API_KEY, "Content-Type": "application/x-www-form-urlencoded"},
    "body": "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
    f"&timestamp=1499827319559&signature={_SIGNATURE}",
}

MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "no_permission": "Client may not use exchange binance-main: it is not in the list exchanges of config.yml",
        "policy_denied": "Policy does not allow exchange.withdraw here: no rule matches",
        "suspended": suspended("exchange", "binance-main").message,
        "outcome_unknown": unknown("not told to callers", changes=True).message,
        "limit_exceeded": "Over a limit of policy: rule bots-trade allows notional 50000 every 86400 s per target. 312.5 is "
        "left, and this would use 600; try again in 512 s",
    }
)
"""By code: what is said where an exchange is asked, and otherwise elsewhere."""

OPEN_API_TOKEN: Mapping[str, JsonValue] = MappingProxyType(
    {
        "A query": {
            "method": "GET",
            "path": "/mp-api/v1/apps/1234/user-open-data/",
            "query": "openData=8f1c2d3e4f5a6b7c",
        },
        "A body": {"method": "POST", "path": "/mp-api/v1/apps/1234/messages", "body": '{"text":"hello"}'},
    }
)
_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrZXkiLCJkaWciOiI5ZjJjIiwidHMiOjE3MDQ3ODY5MDR9.c2lnbmF0dXJl"  # noqa: S105 - made up
_TOKEN_HEADER = "X-Mp-Open-Api-Token"  # noqa: S105 - a header's name
OPEN_API_TOKEN_ANSWER: JsonValue = {
    "token": _TOKEN,
    "header": _TOKEN_HEADER,
    "headers": {_TOKEN_HEADER: _TOKEN},
    "url": "https://mp.example.com/mp-api/v1/apps/1234/user-open-data/?openData=8f1c2d3e4f5a6b7c",
}
CIPHERTEXT = "bWFkZS11cC1jaXBoZXJ0ZXh0"
PLAINTEXT = '{"openId":"o-7f756b1b"}'
