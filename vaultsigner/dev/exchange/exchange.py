"""The exchange: accounts, markets and clocks behind one table of endpoints; bytes in, an answer and a record out."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Protocol

from vaultsigner.dev.exchange.admission import Accounts, Whose, admit, whose
from vaultsigner.dev.exchange.capital import Capital
from vaultsigner.dev.exchange.clock import Clock
from vaultsigner.dev.exchange.endpoints import Endpoint
from vaultsigner.dev.exchange.futures import Futures
from vaultsigner.dev.exchange.limits import Headers, Limits
from vaultsigner.dev.exchange.markets import Product
from vaultsigner.dev.exchange.public import Public
from vaultsigner.dev.exchange.records import Received
from vaultsigner.dev.exchange.refusals import Json, RefusedError, no_such_path
from vaultsigner.dev.exchange.requests import Pairs, RawRequest
from vaultsigner.dev.exchange.signatures import Account
from vaultsigner.dev.exchange.spot import Spot
from vaultsigner.dev.exchange.spot_lists import SpotLists
from vaultsigner.dev.exchange.streams import Streams

PRODUCTS: tuple[Product, ...] = ("spot", "usdm", "coinm")
PRODUCT_OF: dict[str, Product] = {"fapi": "usdm", "dapi": "coinm"}
ALWAYS = {
    "Content-Type": "application/json;charset=UTF-8",
    "X-MBX-UUID": "3c9a1d6e-2f0b-4c55-9d5e-0c7b6a9f1e22",
    "Strict-Transport-Security": "max-age=31536000; includeSubdomains",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Cache": "Miss from cloudfront",
}
"""What every answer has; Binance sends many such headers that are of no use to a client."""


class Desk(Protocol):
    """Whatever serves endpoints."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What it serves."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    headers: Headers

    @classmethod
    def of(cls, status: int, document: Json, headers: Headers) -> "Answer":
        """A document as its body."""
        return cls(status, json.dumps(document, ensure_ascii=False).encode(), ALWAYS | headers)


class Exchange:
    """A whole exchange, reachable at `url`.

    Its plain data may be read and set from any thread: `clocks`, `limits`, `received` (oldest first), the desks' books.
    """

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.accounts: Accounts = {account.api_key: account for account in accounts}
        self.clocks: dict[Product, Clock] = {product: Clock() for product in PRODUCTS}
        self.limits = Limits()
        self.spot = Spot()
        self.lists = SpotLists(self.spot)
        self.futures = {product: Futures(product) for product in PRODUCTS[1:]}
        self.capital = Capital(self.spot)
        self.streams = Streams()
        self.received: list[Received] = []
        self.url = ""
        public = [Public(product) for product in PRODUCTS]
        others: list[Desk] = [self.spot, self.lists, *self.futures.values(), self.capital, self.streams]
        rows = (row for desk in [*public, *others] for row in desk.endpoints())
        self.endpoints: dict[tuple[str, str], Endpoint] = {(row.method, row.path): row for row in rows}

    def skew(self, milliseconds: int) -> None:
        """Sets all its clocks wrong by that much."""
        for clock in self.clocks.values():
            clock.skew_ms = milliseconds

    def freeze(self, now_ms: int | None) -> None:
        """Stops all its clocks at an instant; None lets them run again."""
        for clock in self.clocks.values():
            clock.frozen_ms = now_ms

    def requests(self, endpoint: str | None = None) -> list[Received]:
        """What it was asked, all or of one endpoint ("POST /api/v3/order")."""
        return [each for each in list(self.received) if endpoint in (None, each.endpoint)]

    def now_ms(self, path: str) -> int:
        """The clock of the product that a path belongs to."""
        return self.clocks[PRODUCT_OF.get(path.split("/")[1], "spot")].now_ms()

    def take(self, raw: RawRequest) -> Answer:
        """Judges a request, does what it asks, and keeps a record of it."""
        found = whose(raw, self.accounts)
        answer, refusal = self._answer(raw, found)
        self.record(raw, found, answer, refusal)
        return answer

    def _answer(self, raw: RawRequest, found: Whose) -> tuple[Answer, RefusedError | None]:
        headers: Headers = {}
        try:
            endpoint = self.endpoints.get((raw.method, raw.path))
            if endpoint is None:
                raise no_such_path(raw.method, raw.path)
            now_ms = self.now_ms(raw.path)
            headers, too_much = self.limits.use(endpoint, now_ms)
            if too_much is not None:
                raise too_much
            document = endpoint.answer(admit(raw, endpoint, found, now_ms))
        except RefusedError as refusal:
            return Answer.of(refusal.status, refusal.document, headers), refusal
        return Answer.of(HTTPStatus.OK, document, headers), None

    def leave(self, raw: RawRequest, fault: str, status: int) -> None:
        """Keeps a record of a request that nothing is done about."""
        found = whose(raw, self.accounts)
        self.received.append(_received(raw, found, executed=False, status=status, code=None, fault=fault))

    def record(self, raw: RawRequest, found: Whose, answer: Answer, refusal: RefusedError | None) -> None:
        """Keeps a record of a request that was judged."""
        code = refusal.exchange_code if refusal else None
        executed = refusal is None or refusal.status == HTTPStatus.CONFLICT  # half of a cancel-replace
        self.received.append(
            _received(raw, found, executed=executed, status=answer.status, code=code, fault=None)
        )

    def mean(self, parameters: Pairs) -> None:
        """What the last request's parameters were, where they did not stand in a query or a form."""
        self.received[-1] = replace(self.received[-1], parameters=parameters)

    def spoil(self, fault: str, status: int) -> None:
        """The last request's answer does not go out as it was meant: the record says so."""
        self.received[-1] = replace(self.received[-1], fault=fault, status=status)


def _received(
    raw: RawRequest, found: Whose, *, executed: bool, status: int, code: int | None, fault: str | None
) -> Received:
    name = found.account.name if found.account else None
    return Received(
        raw.method,
        raw.target,
        raw.headers,
        raw.body,
        raw.sent(),
        name,
        found.verified,
        executed,
        int(status),
        code,
        fault,
    )
