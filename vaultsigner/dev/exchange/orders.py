"""Orders and the book of them: kept, found, told, whoever trades them."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from vaultsigner.dev.exchange.markets import Market
from vaultsigner.dev.exchange.refusals import Json
from vaultsigner.dev.exchange.wallets import amount_text

FIRST_ORDER_ID = 1_000
OPEN = ("NEW", "PARTIALLY_FILLED")
NO_LIST = -1


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of an order with the house."""

    trade_id: int
    price: Decimal
    quantity: Decimal
    time_ms: int


@dataclass(slots=True)
class Order:
    """One order of one account, from its first day to its last."""

    order_id: int
    client_order_id: str
    account: str
    market: Market
    side: str
    type: str
    quantity: Decimal
    created_ms: int
    price: Decimal = Decimal(0)
    stop_price: Decimal | None = None
    quote_quantity: Decimal = Decimal(0)
    time_in_force: str = "GTC"
    list_id: int = NO_LIST
    status: str = "NEW"
    updated_ms: int = 0
    fill: Fill | None = None
    position_side: str = "BOTH"
    reduce_only: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it can still trade or be cancelled."""
        return self.status in OPEN

    @property
    def executed(self) -> Decimal:
        """How much of it has traded."""
        return self.fill.quantity if self.fill else Decimal(0)

    @property
    def paid(self) -> Decimal:
        """What that cost, in the quote asset."""
        return self.fill.quantity * self.fill.price if self.fill else Decimal(0)

    @property
    def locks(self) -> tuple[str, Decimal]:
        """The asset and the amount that it keeps locked while it is open (spot)."""
        if self.side == "SELL":
            return self.market.base, self.quantity
        return self.market.quote, self.quantity * (self.price or self.stop_price or self.market.ask)

    def document(self, now_ms: int) -> dict[str, Json]:
        """As the spot API answers an order, with all that any of its answers has."""
        document: dict[str, Json] = {
            "symbol": self.market.symbol,
            "orderId": self.order_id,
            "orderListId": self.list_id,
            "clientOrderId": self.client_order_id,
            "transactTime": now_ms,
            "price": amount_text(self.price),
            "origQty": amount_text(self.quantity),
            "executedQty": amount_text(self.executed),
            "origQuoteOrderQty": amount_text(self.quote_quantity),
            "cummulativeQuoteQty": amount_text(self.paid),
            "status": self.status,
            "timeInForce": self.time_in_force,
            "type": self.type,
            "side": self.side,
            "workingTime": self.created_ms,
            "selfTradePreventionMode": "NONE",
        }
        return document if self.stop_price is None else document | {"stopPrice": amount_text(self.stop_price)}

    def cancelled_document(self, now_ms: int, cancel_id: str) -> dict[str, Json]:
        """As a cancellation is answered: its own id, and the order's as the original one."""
        return self.document(now_ms) | {
            "origClientOrderId": self.client_order_id,
            "clientOrderId": cancel_id,
        }

    def queried_document(self) -> dict[str, Json]:
        """As queries answer it."""
        times = {"time": self.created_ms, "updateTime": self.updated_ms, "isWorking": True}
        icebergs = {
            "icebergQty": amount_text(Decimal(0)),
            "stopPrice": amount_text(self.stop_price or Decimal(0)),
        }
        return self.document(self.updated_ms) | times | icebergs


class Book:
    """Every order of one product."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self._ids = itertools.count(FIRST_ORDER_ID)
        self._trades = itertools.count(1)

    def next_id(self) -> int:
        """An order's id."""
        return next(self._ids)

    def next_trade_id(self) -> int:
        """A trade's id."""
        return next(self._trades)

    def add(self, order: Order) -> None:
        """From now on it is on record."""
        self.orders[order.order_id] = order

    def of(self, account: str, symbol: str | None = None) -> list[Order]:
        """All orders of an account, oldest first."""
        return [
            order
            for order in self.orders.values()
            if order.account == account and symbol in (None, order.market.symbol)
        ]

    def open_of(self, account: str, symbol: str | None = None) -> list[Order]:
        """Those of them that are open."""
        return [order for order in self.of(account, symbol) if order.is_open]

    def find(
        self, orders: Iterable[Order], order_id: int | None, client_order_id: str | None
    ) -> Order | None:
        """The order of that id, or of that name; of both where both are given. The newest of several."""
        for order in reversed(list(orders)):
            if order_id in (None, order.order_id) and client_order_id in (None, order.client_order_id):
                return order
        return None
