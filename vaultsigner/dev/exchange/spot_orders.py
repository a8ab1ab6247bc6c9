"""What an order for the spot market must say, and what the market does with it (rest-api.md, New order).

There is one other trader, the house, which buys and sells any quantity at fixed prices: what crosses them is filled at once, all
else rests until it is cancelled. Stop orders rest for ever.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from vaultsigner.dev.exchange.calls import LEGAL_CLIENT_ORDER_ID, Call
from vaultsigner.dev.exchange.markets import SPOT_ORDER_TYPES, Market, market_of
from vaultsigner.dev.exchange.orders import Book, Fill, Order
from vaultsigner.dev.exchange.refusals import RefusedError, missing, new_order_rejected, not_required
from vaultsigner.dev.exchange.wallets import Wallet

LIMITED = ("LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
STOPPED = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
TIMED = ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order that makes sense, not yet on the book."""

    market: Market
    side: str
    type: str
    quantity: Decimal
    price: Decimal
    stop_price: Decimal | None
    quote_quantity: Decimal
    time_in_force: str
    client_order_id: str | None

    @property
    def crosses(self) -> bool:
        """Whether it trades with the house at once."""
        if self.type == "MARKET":
            return True
        if self.type not in ("LIMIT", "LIMIT_MAKER"):
            return False
        return self.price >= self.market.ask if self.side == "BUY" else self.price <= self.market.bid

    @property
    def house_price(self) -> Decimal:
        """What the house would trade at."""
        return self.market.ask if self.side == "BUY" else self.market.bid


def read_order(call: Call) -> Wanted:
    """The order that a call asks for.

    Raises:
        RefusedError: something is missing, too much, or out of the market's steps.
    """
    market = market_of("spot", call.text("symbol"))
    side = call.choice("side", ("BUY", "SELL"), RefusedError(-1117, "Invalid side."))
    kind = call.choice("type", SPOT_ORDER_TYPES, RefusedError(-1116, "Invalid orderType."))
    wanted = Wanted(
        market,
        side,
        kind,
        quantity=call.optional_decimal("quantity") or Decimal(0),
        price=_price(call, kind),
        stop_price=_stop_price(call, kind),
        quote_quantity=call.optional_decimal("quoteOrderQty") or Decimal(0),
        time_in_force=_time_in_force(call, kind),
        client_order_id=call.optional_name("newClientOrderId", LEGAL_CLIENT_ORDER_ID),
    )
    return _sized(call, wanted)


def _price(call: Call, kind: str) -> Decimal:
    if kind in LIMITED:
        return call.decimal("price")
    if "price" in call.parameters:
        raise not_required("price")
    return Decimal(0)


def _stop_price(call: Call, kind: str) -> Decimal | None:
    if kind in STOPPED and "trailingDelta" not in call.parameters:
        return call.decimal("stopPrice")
    if kind not in STOPPED and "stopPrice" in call.parameters:
        raise not_required("stopPrice")
    return call.optional_decimal("stopPrice")


def _time_in_force(call: Call, kind: str) -> str:
    if kind in TIMED:
        return call.choice("timeInForce", ("GTC", "IOC", "FOK"), RefusedError(-1115, "Invalid timeInForce."))
    if "timeInForce" in call.parameters:
        raise not_required("timeInForce")
    return "GTC"


def _sized(call: Call, wanted: Wanted) -> Wanted:
    """The order with its quantity in the market's steps."""
    market = wanted.market
    if wanted.type == "MARKET" and wanted.quote_quantity:
        if wanted.quantity:
            raise not_required("quantity")
        quantity = (wanted.quote_quantity / wanted.house_price).quantize(market.step, ROUND_DOWN)
    else:
        quantity = call.decimal("quantity")
        if "quoteOrderQty" in call.parameters:
            raise not_required("quoteOrderQty")
    for name, value, step in (
        ("PRICE_FILTER", wanted.price, market.tick),
        ("LOT_SIZE", quantity, market.step),
    ):
        if value % step:
            raise RefusedError(-1013, f"Filter failure: {name}")
    if not quantity:
        raise missing("quantity")
    if quantity * (wanted.price or wanted.house_price) < market.least_notional:
        raise RefusedError(-1013, "Filter failure: NOTIONAL")
    changed = {"quantity": quantity}
    return Wanted(**{name: getattr(wanted, name) for name in Wanted.__slots__} | changed)


def place(book: Book, wallet: Wallet, wanted: Wanted, call: Call, list_id: int) -> Order:
    """Puts the order on the book, or trades it; `list_id` of the order list that it belongs to.

    Raises:
        RefusedError: the account cannot pay, the name is taken, or a maker would take.
    """
    account = call.account.name
    taken = {order.client_order_id for order in book.open_of(account)}
    if wanted.client_order_id in taken:
        raise new_order_rejected("Duplicate order sent.")
    if wanted.crosses and wanted.type == "LIMIT_MAKER":
        raise new_order_rejected("Order would immediately match and take.")
    order_id = book.next_id()
    order = Order(
        order_id,
        wanted.client_order_id or f"stand-in-{order_id}",
        account,
        wanted.market,
        wanted.side,
        wanted.type,
        wanted.quantity,
        call.now_ms,
        price=wanted.price,
        stop_price=wanted.stop_price,
        quote_quantity=wanted.quote_quantity,
        time_in_force=wanted.time_in_force,
        list_id=list_id,
        updated_ms=call.now_ms,
    )
    if wanted.crosses:
        _trade(book, wallet, order, wanted.house_price)
    elif wanted.time_in_force in ("IOC", "FOK"):
        order.status = "EXPIRED"
    else:
        wallet.lock(*order.locks)
    book.add(order)
    return order


def _trade(book: Book, wallet: Wallet, order: Order, price: Decimal) -> None:
    base, quote = (order.market.base, order.quantity), (order.market.quote, order.quantity * price)
    give, take = (quote, base) if order.side == "BUY" else (base, quote)
    wallet.exchange(*give, *take)
    order.fill = Fill(book.next_trade_id(), price, order.quantity, order.created_ms)
    order.status = "FILLED"


def cancel(wallet: Wallet, order: Order, now_ms: int) -> None:
    """Takes an open order off the book."""
    asset, amount = order.locks
    wallet.lock(asset, -amount)
    order.status = "CANCELED"
    order.updated_ms = now_ms


def reduce(wallet: Wallet, order: Order, quantity: Decimal, now_ms: int) -> None:
    """Amends the quantity, which only goes down (rest-api.md, Order Amend Keep Priority)."""
    if not Decimal(0) < quantity < order.quantity:
        words = "Order amend (quantity increase) is not supported."
        raise RefusedError(-2038, words)
    asset, before = order.locks
    order.quantity = quantity
    wallet.lock(asset, order.locks[1] - before)
    order.updated_ms = now_ms
