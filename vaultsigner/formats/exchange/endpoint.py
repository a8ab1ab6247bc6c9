"""One row of the table of endpoints, and how rows are written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from vaultsigner.domain.names import Operation
from vaultsigner.formats.exchange.parameter_names import FIELD_OF

Security = Literal["public", "market_data", "user_stream", "signed"]
"""What the exchange wants to see: nothing, the API key (market data, listen keys), or a signature."""
Notional = Literal["spot", "linear", "unknown"]
"""What price times quantity is: on spot, of linear contracts (USD-M), or not the notional at all (contracts of other units)."""

Fields = Mapping[str, str | None]
"""A parameter's name at the exchange to the field that policy knows it by; None: known, and no field of its own."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One order of an order list.

    Args:
        fields: the parameters that are this leg's alone, or shared with some other legs.
        key: the parameter without which there is no such leg.
        optional: whether the list may be without it.
        type, type_with_price: the order's type where no parameter says it, without and with a price.
    """

    fields: Fields
    key: str
    optional: bool = False
    type: str | None = None
    type_with_price: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one endpoint does and which parameters it takes.

    Args:
        method, path: e.g. `POST`, `/api/v3/order`; for the WebSocket API its method's name and an empty path.
        operation: as policies spell it.
        security: what the exchange wants to see.
        fields: the parameters that stand for the whole request.
        required: the parameters without which the exchange refuses.
        source: page and section of Binance's documentation.
        notional: what price times quantity is.
        legs: of an order list.
        batch: the parameter that holds a JSON list of orders; `fields` are of each of them, too.
        members: the parameters of each order in the list.
    """

    method: str
    path: str
    operation: Operation
    security: Security
    fields: Fields
    required: frozenset[str]
    source: str
    notional: Notional = "unknown"
    legs: tuple[Leg, ...] = ()
    batch: str = ""
    members: Fields = field(default_factory=lambda: MappingProxyType({}))

    @property
    def name(self) -> str:
        """As intents say it: `POST /api/v3/order`, or `order.place`."""
        return f"{self.method} {self.path}" if self.path else self.method

    @property
    def changes(self) -> bool:
        """Whether the exchange may change anything because of it."""
        return self.operation != "exchange.query"


def fields_of(words: str) -> Fields:
    """Parameters written as words: `symbol` (the field it has everywhere), `type:account` (another field), `type:` (none).

    A closing ! (before any colon) says that the exchange requires it; see `required_of`.
    """
    fields: dict[str, str | None] = {}
    for word in words.split():
        name, colon, own = word.partition(":")
        name = name.removesuffix("!")
        if name in fields:
            raise ValueError(f"{name} is written twice")
        fields[name] = (own or None) if colon else FIELD_OF.get(name)
    return MappingProxyType(fields)


def required_of(words: str) -> frozenset[str]:
    """Those of the words that are marked as required."""
    return frozenset(
        word.partition(":")[0][:-1] for word in words.split() if word.partition(":")[0].endswith("!")
    )


def endpoint(
    place: str,
    operation: str,
    words: str,
    source: str,
    *,
    security: Security = "signed",
    notional: Notional = "unknown",
    legs: tuple[Leg, ...] = (),
    batch: str = "",
    members: str = "",
) -> Endpoint:
    """One row: `place` as in `POST /api/v3/order`, `operation` without its family, `words` as `fields_of` reads them."""
    method, _, path = place.partition(" ")
    return Endpoint(
        method,
        path,
        Operation(f"exchange.{operation}"),
        security,
        fields_of(words),
        required_of(words),
        source,
        notional,
        legs,
        batch,
        fields_of(members),
    )


def queries(base: str, paths: str, source: str, *, security: Security = "signed") -> Iterator[Endpoint]:
    """Rows of GET endpoints that change nothing: `paths` are the ends of paths that begin with `base`."""
    for path in paths.split():
        yield endpoint(f"GET {base}{path}", "query", "", source, security=security)
