"""What a request to an exchange means, in the words of policies. The table decides; what it does not know may be anything."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from vaultsigner.domain.names import JsonValue, Operation
from vaultsigner.formats.exchange.endpoint import Security
from vaultsigner.formats.exchange.items import Item, read_items, shown
from vaultsigner.formats.exchange.requests import ExchangeRequest
from vaultsigner.formats.exchange.table import TABLE

OTHER = Operation("exchange.other")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a request would do.

    Args:
        operation: e.g. `exchange.order`.
        items: the fields of each order, transfer, ... in it; at least one.
        security: what the exchange wants to see.
        changes: whether the exchange may change anything because of it.
    """

    operation: Operation
    items: tuple[Mapping[str, JsonValue], ...]
    security: Security
    changes: bool


def meaning_of(request: ExchangeRequest) -> Meaning:
    """What the exchange would do; `exchange.other` where the table does not know the endpoint or all that is said to it."""
    row = TABLE.get((request.method, request.path))
    items = None if row is None or request.json_body else read_items(row, dict(request.parameters))
    if row is None or items is None:
        return unknown_meaning_of(request)
    return Meaning(row.operation, items, row.security, row.changes)


def unknown_meaning_of(request: ExchangeRequest) -> Meaning:
    """What it is taken for where nobody knows what the exchange would do."""
    return Meaning(OTHER, (_as_it_is(request),), "signed", changes=True)


def security_of(method: str, path: str) -> Security:
    """What the exchange wants to see, by method and path alone."""
    row = TABLE.get((method, path))
    return "signed" if row is None else row.security


_TIME_OF = (
    ("/api/", "/api/v3/time"),
    ("/sapi/", "/api/v3/time"),
    ("/fapi/", "/fapi/v1/time"),
    ("/dapi/", "/dapi/v1/time"),
    ("/eapi/", "/eapi/v1/time"),
)
"""Sections "Check Server Time" of the products; portfolio margin (/papi) has no such endpoint."""


def time_path(path: str) -> str | None:
    """The endpoint that tells the time of the product that a path belongs to; None for products that are not known."""
    return next((time for start, time in _TIME_OF if path.startswith(start)), None)


def is_time(method: str, path: str) -> bool:
    """Whether a request asks for the exchange's time and nothing else."""
    return method == "GET" and any(path == time for _, time in _TIME_OF)


def _as_it_is(request: ExchangeRequest) -> Item:
    """All that was said, for the record and for whoever approves it."""
    place = f"{request.method} {request.path}" if request.path else request.method
    item: Item = {"endpoint": place, "method": request.method}
    if request.parameters:
        item["parameters"] = {name: shown(name, value) for name, value in request.parameters}
    if request.json_body:
        item["body_sha256"] = hashlib.sha256(request.json_body).hexdigest()
    return item
