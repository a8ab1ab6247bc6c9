"""The spot market's endpoints of one order (rest-api.md, Trading endpoints, Account endpoints)."""

from collections import defaultdict
from collections.abc import Callable
from http import HTTPStatus

from vaultsigner.dev.exchange import spot_orders
from vaultsigner.dev.exchange.calls import LEGAL_CLIENT_ORDER_ID, Call
from vaultsigner.dev.exchange.endpoints import Endpoint, reads
from vaultsigner.dev.exchange.markets import market_of
from vaultsigner.dev.exchange.orders import Book, Order
from vaultsigner.dev.exchange.refusals import Json, RefusedError, no_such_order, unknown_order
from vaultsigner.dev.exchange.signatures import Right
from vaultsigner.dev.exchange.wallets import Wallet, amount_text

ORDER = reads(
    "symbol side type timeInForce quantity quoteOrderQty price newClientOrderId strategyId strategyType stopPrice "
    "trailingDelta icebergQty newOrderRespType selfTradePreventionMode pegPriceType pegOffsetValue pegOffsetType"
)
WHICH = reads("symbol orderId origClientOrderId")
CANCEL = WHICH | reads("newClientOrderId cancelRestrictions")
REPLACE = ORDER | reads(
    "cancelReplaceMode cancelNewClientOrderId cancelOrigClientOrderId cancelOrderId cancelRestrictions "
    "orderRateLimitExceededMode"
)
ACK = ("symbol", "orderId", "orderListId", "clientOrderId", "transactTime")
UNCHANGED = "The requested action would change no state; rejecting"


class Spot:
    """The spot market: a book, and what every account has."""

    def __init__(self) -> None:
        self.book = Book()
        self.wallets = defaultdict[str, Wallet](Wallet)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What it serves."""
        trade: Right = "trade"
        test = ORDER | reads("computeCommissionRates")
        path = "/api/v3/order"
        amend = WHICH | reads("newClientOrderId newQty")
        return (
            Endpoint("POST", path, self.order, right=trade, parameters=ORDER, orders=1),
            Endpoint("GET", path, self.query, parameters=WHICH, weight=4),
            Endpoint("DELETE", path, self.cancel, right=trade, parameters=CANCEL),
            Endpoint("POST", f"{path}/test", self.test, right=trade, parameters=test),
            Endpoint(
                "POST", f"{path}/cancelReplace", self.replace, right=trade, parameters=REPLACE, orders=1
            ),
            Endpoint(
                "PUT", f"{path}/amend/keepPriority", self.amend, right=trade, parameters=amend, weight=4
            ),
            Endpoint("GET", "/api/v3/openOrders", self.open_orders, parameters=reads("symbol"), weight=6),
            Endpoint(
                "DELETE", "/api/v3/openOrders", self.cancel_all, right=trade, parameters=reads("symbol")
            ),
            Endpoint("GET", "/api/v3/allOrders", self.all_orders, weight=20),
            Endpoint("GET", "/api/v3/myTrades", self.trades, weight=20),
            Endpoint("GET", "/api/v3/account", self.account, parameters=reads("omitZeroBalances"), weight=20),
        )

    def order(self, call: Call) -> Json:
        """POST order."""
        return told(self.place(call), call)

    def place(self, call: Call, list_id: int = -1) -> Order:
        """An order as a call asks for it; of an order list, perhaps."""
        wanted = spot_orders.read_order(call)
        return spot_orders.place(self.book, self.wallets[call.account.name], wanted, call, list_id)

    def test(self, call: Call) -> Json:
        """POST order/test: everything but the matching engine."""
        spot_orders.read_order(call)
        return {}

    def query(self, call: Call) -> Json:
        """GET order."""
        order = self._found(call)
        if order is None:
            raise no_such_order()
        return order.queried_document()

    def cancel(self, call: Call) -> Json:
        """DELETE order."""
        order = self._found(call)
        if order is None or not order.is_open:
            raise unknown_order()
        restriction = call.optional("cancelRestrictions")
        if restriction not in (None, "ONLY_NEW", "ONLY_PARTIALLY_FILLED"):
            raise RefusedError(-1145, "Invalid cancelRestrictions")
        cancel_id = call.optional_name("newClientOrderId", LEGAL_CLIENT_ORDER_ID)
        return self.cancelled(order, call, cancel_id)

    def cancelled(self, order: Order, call: Call, cancel_id: str | None = None) -> Json:
        """Takes it off the book and tells so."""
        spot_orders.cancel(self.wallets[order.account], order, call.now_ms)
        return order.cancelled_document(call.now_ms, cancel_id or f"cancel-{order.order_id}")

    def replace(self, call: Call) -> Json:
        """POST order/cancelReplace: two things, either of which may fail; 409 where only one did."""
        modes = ("STOP_ON_FAILURE", "ALLOW_FAILURE")
        mode = call.choice(
            "cancelReplaceMode", modes, RefusedError(-1130, "Data sent for parameter is not valid.")
        )
        spot_orders.read_order(call)
        which = call.renamed(
            {"symbol": "symbol", "cancelOrderId": "orderId", "cancelOrigClientOrderId": "origClientOrderId"}
            | {"cancelNewClientOrderId": "newClientOrderId", "cancelRestrictions": "cancelRestrictions"}
        )
        cancelled, cancel_went = _tried(self.cancel, which)
        attempted = cancel_went or mode == "ALLOW_FAILURE"
        placed, place_went = _tried(self.order, call) if attempted else (None, False)
        document = {
            "cancelResult": _word(cancel_went),
            "newOrderResult": _word(place_went) if attempted else "NOT_ATTEMPTED",
            "cancelResponse": cancelled,
            "newOrderResponse": placed,
        }
        if cancel_went and place_went:
            return document
        if cancel_went or place_went:
            words = "Order cancel-replace partially failed."
            raise RefusedError(-2021, words, HTTPStatus.CONFLICT, document)
        raise RefusedError(-2022, "Order cancel-replace failed.", data=document)

    def amend(self, call: Call) -> Json:
        """PUT order/amend/keepPriority."""
        order = self._found(call)
        if order is None or not order.is_open:
            raise unknown_order()
        quantity = call.decimal("newQty")
        if quantity == order.quantity:
            raise RefusedError(-2038, UNCHANGED)
        before = order.client_order_id
        name = call.optional_name("newClientOrderId", LEGAL_CLIENT_ORDER_ID)
        spot_orders.reduce(self.wallets[order.account], order, quantity, call.now_ms)
        order.client_order_id = name or f"amended-{order.order_id}"
        amended = order.document(call.now_ms) | {"origClientOrderId": before, "qty": amount_text(quantity)}
        return {"transactTime": call.now_ms, "executionId": order.order_id, "amendedOrder": amended}

    def open_orders(self, call: Call) -> Json:
        """GET openOrders, of one symbol or all."""
        open_now = self.book.open_of(call.account.name, _symbol(call))
        return [order.queried_document() for order in open_now]

    def cancel_all(self, call: Call) -> Json:
        """DELETE openOrders."""
        symbol = market_of("spot", call.text("symbol")).symbol
        open_now = self.book.open_of(call.account.name, symbol)
        if not open_now:
            raise unknown_order()
        return [self.cancelled(order, call) for order in open_now]

    def all_orders(self, call: Call) -> Json:
        """GET allOrders."""
        symbol = market_of("spot", call.text("symbol")).symbol
        return [order.queried_document() for order in self.book.of(call.account.name, symbol)]

    def trades(self, call: Call) -> Json:
        """GET myTrades."""
        symbol = market_of("spot", call.text("symbol")).symbol
        return [trade for order in self.book.of(call.account.name, symbol) for trade in fills_of(order)]

    def account(self, call: Call) -> Json:
        """GET account."""
        rights = call.account.rights
        return {
            "makerCommission": 0,
            "takerCommission": 0,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "canTrade": "trade" in rights,
            "canWithdraw": "withdraw" in rights,
            "canDeposit": True,
            "updateTime": call.now_ms,
            "accountType": "SPOT",
            "balances": self.wallets[call.account.name].document,
            "permissions": ["SPOT"],
        }

    def _found(self, call: Call) -> Order | None:
        symbol = market_of("spot", call.text("symbol")).symbol
        order_id, name = call.optional_integer("orderId"), call.optional("origClientOrderId")
        if order_id is None and name is None:
            words = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
            raise RefusedError(-1102, words)
        return self.book.find(self.book.of(call.account.name, symbol), order_id, name)


def told(order: Order, call: Call) -> Json:
    """A new order, as `newOrderRespType` wants it."""
    usual = "FULL" if order.type in ("MARKET", "LIMIT") else "ACK"
    kind = call.optional("newOrderRespType") or usual
    document = order.document(call.now_ms)
    if kind == "ACK":
        return {name: document[name] for name in ACK}
    return document | {"fills": fills_of(order)} if kind == "FULL" else document


def fills_of(order: Order) -> list[dict[str, Json]]:
    """An order's trades, with what either place that tells them has."""
    if order.fill is None:
        return []
    fill = order.fill
    return [
        {
            "symbol": order.market.symbol,
            "id": fill.trade_id,
            "tradeId": fill.trade_id,
            "orderId": order.order_id,
            "orderListId": order.list_id,
            "price": amount_text(fill.price),
            "qty": amount_text(fill.quantity),
            "quoteQty": amount_text(fill.quantity * fill.price),
            "commission": "0.00000000",
            "commissionAsset": "BNB",
            "time": fill.time_ms,
            "isBuyer": order.side == "BUY",
            "isMaker": False,
            "isBestMatch": True,
        }
    ]


def _tried(answer: Callable[[Call], Json], call: Call) -> tuple[Json, bool]:
    try:
        return answer(call), True
    except RefusedError as refusal:
        return refusal.document, False


def _word(went: bool) -> str:
    return "SUCCESS" if went else "FAILURE"


def _symbol(call: Call) -> str | None:
    symbol = call.optional("symbol")
    return None if symbol is None else market_of("spot", symbol).symbol
