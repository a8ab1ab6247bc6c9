"""One row of the table of endpoints, and how rows are written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from vaultsigner.domain.names import Operation
from vaultsigner.formats.exchange.parameter_names import FIELD_OF, OF_QUERIES
from vaultsigner.formats.exchange.requests import Transport

Security = Literal["public", "market_data", "user_stream", "signed"]
"""What the exchange wants to see: nothing, the API key (market data, listen keys), or a signature."""
Notional = Literal["spot", "linear", "websocket", "unknown"]
"""What price times quantity is: on spot, of linear contracts (USD-M), of whatever a WebSocket API trades, or not the notional
(contracts of other units, instructions whose price is not a limit)."""

Fields = Mapping[str, str | None]
"""A parameter's name at the exchange to the field that policy knows it by; None: known, and no field of its own."""


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Leg:
    """One order of an order list.

    Args:
        fields: the parameters that are this leg's alone.
        key: the one of them without which there is no such leg.
        shared: the parameters that it has in common with some other leg, but not with all of them.
        optional: whether the list may be without it.
        type, type_with_price: the order's type where no parameter says it, without and with a price.
    """

    fields: Fields
    key: str
    shared: Fields = field(default_factory=_nothing)
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
        one_of: parameters of which it needs at least one, where there are such.
        source: product, page and section of Binance's documentation.
        notional: what price times quantity is.
        says_both_accounts: the parameter whose value names where value comes from and where it goes, as in MAIN_UMFUTURE.
        fixed: fields that are always the same there, e.g. the type where only limit orders can be meant.
        legs: of an order list.
        batch: the parameter that holds a JSON list of orders; `fields` are of each of them, too.
        members: the parameters of each order in the list.
        required_of_members, one_of_members: as `required` and `one_of`, of each order in the list.
        most: how many orders the list may have.
    """

    method: str
    path: str
    operation: Operation
    security: Security
    fields: Fields
    required: frozenset[str]
    source: str
    one_of: frozenset[str] = frozenset()
    notional: Notional = "unknown"
    fixed: Mapping[str, str] = field(default_factory=_nothing)
    legs: tuple[Leg, ...] = ()
    batch: str = ""
    says_both_accounts: str = ""
    members: Fields = field(default_factory=_nothing)
    required_of_members: frozenset[str] = frozenset()
    one_of_members: frozenset[str] = frozenset()
    most: int = 0

    @property
    def name(self) -> str:
        """As intents say it: `POST /api/v3/order`, or `order.place`."""
        return f"{self.method} {self.path}" if self.path else self.method

    @property
    def transport(self) -> Transport:
        """Only the WebSocket API's methods have no path."""
        return "rest" if self.path else "websocket"

    @property
    def parameters_of_legs(self) -> frozenset[str]:
        """All that are of some legs and not of the whole request."""
        return frozenset(name for leg in self.legs for name in (*leg.fields, *leg.shared))

    @property
    def changes(self) -> bool:
        """Whether the exchange may change anything because of it."""
        return self.operation != "exchange.query"

    @property
    def takes_only_what_it_lists(self) -> bool:
        """Whether another parameter could make it do what policy does not see."""
        return self.operation not in ("exchange.query", "exchange.user_stream")


def fields_of(words: str) -> Fields:
    """Parameters written as words: `symbol` (the field it has everywhere), `type:account` (another field), `type:` (none).

    A mark behind the name (`amount!`, `newQty!:quantity`) is for `marked`.
    """
    fields: dict[str, str | None] = {}
    for word in words.split():
        marked_name, colon, own = word.partition(":")
        name = marked_name.rstrip("!?")
        if name in fields:
            raise ValueError(f"{name} is written twice")
        fields[name] = (own or None) if colon else FIELD_OF.get(name)
    return MappingProxyType(fields)


def marked(words: str, mark: str) -> frozenset[str]:
    """Those of the words that bear a mark: `!` for what is required, `?` for those of which one is."""
    names = (word.partition(":")[0] for word in words.split())
    return frozenset(name.rstrip("!?") for name in names if name.endswith(mark))


def endpoint(
    place: str,
    operation: str,
    words: str,
    source: str,
    *,
    security: Security = "signed",
    notional: Notional = "unknown",
    fixed: Mapping[str, str] | None = None,
    legs: tuple[Leg, ...] = (),
    batch: str = "",
    members: str = "",
    most: int = 0,
    says_both_accounts: str = "",
) -> Endpoint:
    """One row: `place` as in `POST /api/v3/order`, `operation` without its family, `words` as `fields_of` reads them."""
    method, _, path = place.partition(" ")
    return Endpoint(
        method=method,
        path=path,
        operation=Operation(f"exchange.{operation}"),
        security=security,
        fields=fields_of(words),
        required=marked(words, "!") | {leg.key for leg in legs if not leg.optional},
        one_of=marked(words, "?"),
        source=source,
        notional=notional,
        fixed=MappingProxyType(dict(fixed or {})),
        legs=legs,
        batch=batch,
        members=fields_of(members),
        required_of_members=marked(members, "!"),
        one_of_members=marked(members, "?"),
        most=most,
        says_both_accounts=says_both_accounts,
    )


def queries(base: str, paths: str, source: str, *, security: Security = "signed") -> Iterator[Endpoint]:
    """Rows of GET endpoints that change nothing: `paths` are the ends of paths that begin with `base`.

    They take parameters that nobody has listed: nothing is done because of them. Those with a field are known by it.
    """
    for path in paths.split():
        yield Endpoint(
            "GET", f"{base}{path}", Operation("exchange.query"), security, OF_QUERIES, frozenset(), source
        )
