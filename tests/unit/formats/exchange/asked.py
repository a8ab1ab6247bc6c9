"""Requests and meanings in a line, for tests."""

from vaultsigner.domain.names import JsonValue
from vaultsigner.formats.exchange.meaning import Meaning, meaning_of
from vaultsigner.formats.exchange.requests import ExchangeRequest


def request(place: str, **parameters: str) -> ExchangeRequest:
    """`POST /api/v3/order`, or a method of the WebSocket API."""
    method, _, path = place.partition(" ")
    return ExchangeRequest("rest" if path else "websocket", method, path, tuple(parameters.items()))


def meaning(place: str, **parameters: str) -> Meaning:
    """What that means."""
    return meaning_of(request(place, **parameters))


def items(place: str, **parameters: str) -> list[dict[str, JsonValue]]:
    """Its items, without what says the endpoint."""
    found = meaning(place, **parameters).items
    return [
        {name: value for name, value in item.items() if name not in ("endpoint", "method")} for item in found
    ]


def item(place: str, **parameters: str) -> dict[str, JsonValue]:
    """The one item."""
    (only,) = items(place, **parameters)
    return only
