"""Order lists of the spot market (rest-api.md, Order lists): OCO, old and new, OTO and OTOCO.

A list's orders go on the book together or not at all. Nothing here is ever triggered: who waits for another rests beside it.
"""

import itertools
from dataclasses import dataclass
from decimal import Decimal

from vaultsigner.dev.exchange.calls import LEGAL_CLIENT_ORDER_ID, Call
from vaultsigner.dev.exchange.endpoints import Endpoint, reads
from vaultsigner.dev.exchange.markets import market_of
from vaultsigner.dev.exchange.orders import Order
from vaultsigner.dev.exchange.refusals import Json, RefusedError, new_order_rejected, unknown_order
from vaultsigner.dev.exchange.spot import Spot, told

LEG = {
    "Type": "type",
    "Side": "side",
    "Quantity": "quantity",
    "Price": "price",
    "StopPrice": "stopPrice",
    "TimeInForce": "timeInForce",
    "ClientOrderId": "newClientOrderId",
    "IcebergQty": "icebergQty",
    "TrailingDelta": "trailingDelta",
    "StrategyId": "strategyId",
    "StrategyType": "strategyType",
}
WHOLE = reads("symbol listClientOrderId newOrderRespType selfTradePreventionMode")
OLD_OCO = WHOLE | reads(
    "side quantity limitClientOrderId price limitStrategyId limitStrategyType limitIcebergQty trailingDelta stopClientOrderId "
    "stopPrice stopStrategyId stopStrategyType stopLimitPrice stopIcebergQty stopLimitTimeInForce"
)
PRICES = "The relationship of the prices for the orders is not correct."


def leg_names(prefix: str) -> dict[str, str]:
    """The parameters of a leg and what they would be called in an order."""
    return {prefix + suffix: name for suffix, name in LEG.items()}


def _reads(*prefixes: str) -> frozenset[str]:
    return WHOLE | frozenset(name for prefix in prefixes for name in leg_names(prefix))


@dataclass(frozen=True, slots=True)
class OrderList:
    """Orders that belong together."""

    list_id: int
    name: str
    contingency: str
    orders: tuple[Order, ...]

    @property
    def is_open(self) -> bool:
        """Whether any of them is."""
        return any(order.is_open for order in self.orders)

    def document(self, now_ms: int) -> dict[str, Json]:
        """As the API answers it."""
        symbol = self.orders[0].market.symbol
        return {
            "orderListId": self.list_id,
            "contingencyType": self.contingency,
            "listStatusType": "EXEC_STARTED" if self.is_open else "ALL_DONE",
            "listOrderStatus": "EXECUTING" if self.is_open else "ALL_DONE",
            "listClientOrderId": self.name,
            "transactionTime": now_ms,
            "symbol": symbol,
            "orders": [
                {"symbol": symbol, "orderId": order.order_id, "clientOrderId": order.client_order_id}
                for order in self.orders
            ],
        }


class SpotLists:
    """Lists of orders on the spot market's book."""

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.lists: dict[int, OrderList] = {}
        self._ids = itertools.count(1)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What it serves."""
        oco = reads("side quantity") | _reads("above", "below")
        oto, otoco = (
            _reads("working", "pending"),
            _reads("working", "pending", "pendingAbove", "pendingBelow"),
        )
        which = reads("symbol orderListId listClientOrderId newClientOrderId")
        path = "/api/v3/orderList"
        return (
            Endpoint("POST", "/api/v3/order/oco", self.old_oco, right="trade", parameters=OLD_OCO, orders=2),
            Endpoint("POST", f"{path}/oco", self.oco, right="trade", parameters=oco, orders=2),
            Endpoint("POST", f"{path}/oto", self.oto, right="trade", parameters=oto, orders=2),
            Endpoint("POST", f"{path}/otoco", self.otoco, right="trade", parameters=otoco, orders=3),
            Endpoint("DELETE", path, self.cancel, right="trade", parameters=which),
            Endpoint("GET", path, self.query, parameters=reads("orderListId origClientOrderId"), weight=4),
            Endpoint("GET", "/api/v3/openOrderList", self.open_lists, parameters=reads(""), weight=6),
        )

    def oco(self, call: Call) -> Json:
        """POST orderList/oco: one above the price, one below."""
        legs = [self._leg(call, prefix) for prefix in ("above", "below")]
        return self._placed(call, "OCO", legs)

    def old_oco(self, call: Call) -> Json:
        """POST order/oco: a limit order, and a stop order."""
        both = {name: call.text(name) for name in ("symbol", "side", "quantity")}
        limit = call.renamed({"price": "price", "limitClientOrderId": "newClientOrderId"})
        stop = call.renamed(
            {"stopPrice": "stopPrice", "stopLimitPrice": "price", "stopLimitTimeInForce": "timeInForce"}
            | {"stopClientOrderId": "newClientOrderId"}
        )
        stop_type = "STOP_LOSS_LIMIT" if "price" in stop.parameters else "STOP_LOSS"
        legs = [
            call.with_parameters({**both, "type": stop_type, **stop.parameters}),
            call.with_parameters({**both, "type": "LIMIT_MAKER", **limit.parameters}),
        ]
        return self._placed(call, "OCO", legs)

    def oto(self, call: Call) -> Json:
        """POST orderList/oto: the second waits for the first."""
        return self._placed(call, "OTO", [self._leg(call, prefix) for prefix in ("working", "pending")])

    def otoco(self, call: Call) -> Json:
        """POST orderList/otoco: an OCO pair waits for an order."""
        pair = {"side": call.text("pendingSide"), "quantity": call.text("pendingQuantity")}
        pending = [
            call.with_parameters({**pair, **self._leg(call, prefix).parameters})
            for prefix in ("pendingAbove", "pendingBelow")
        ]
        return self._placed(call, "OTO", [self._leg(call, "working"), *pending])

    def _leg(self, call: Call, prefix: str) -> Call:
        both = call.renamed({"symbol": "symbol", "side": "side", "quantity": "quantity"})
        leg = call.renamed(leg_names(prefix))
        return call.with_parameters({**both.parameters, **leg.parameters})

    def _placed(self, call: Call, contingency: str, legs: list[Call]) -> Json:
        market = market_of("spot", call.text("symbol"))
        stops = [leg.decimal("stopPrice") for leg in legs if "stopPrice" in leg.parameters]
        limits = [leg.decimal("price") for leg in legs if leg.text("type") == "LIMIT_MAKER"]
        if contingency == "OCO" and not _spans(market.price, [*stops, *limits]):
            raise new_order_rejected(PRICES)
        list_id = next(self._ids)
        orders: list[Order] = []
        try:
            for leg in legs:
                orders.append(self.spot.place(leg, list_id))
        except RefusedError:
            for order in orders:
                self.spot.cancelled(order, call)
                del self.spot.book.orders[order.order_id]
            raise
        name = call.optional_name("listClientOrderId", LEGAL_CLIENT_ORDER_ID) or f"list-{list_id}"
        placed = OrderList(list_id, name, contingency, tuple(orders))
        self.lists[list_id] = placed
        wish = {"newOrderRespType": call.optional("newOrderRespType") or "RESULT"}
        reports = [told(order, call.with_parameters(wish)) for order in orders]
        return placed.document(call.now_ms) | {"orderReports": reports}

    def cancel(self, call: Call) -> Json:
        """DELETE orderList."""
        symbol = market_of("spot", call.text("symbol")).symbol
        found = self._found(call, "listClientOrderId")
        if found is None or not found.is_open or found.orders[0].market.symbol != symbol:
            raise unknown_order()
        reports = [self.spot.cancelled(order, call) for order in found.orders if order.is_open]
        return found.document(call.now_ms) | {"orderReports": reports}

    def query(self, call: Call) -> Json:
        """GET orderList."""
        found = self._found(call, "origClientOrderId")
        if found is None:
            raise RefusedError(-2018, "Order list does not exist.")
        return found.document(call.now_ms)

    def open_lists(self, call: Call) -> Json:
        """GET openOrderList."""
        return [found.document(call.now_ms) for found in self._of(call) if found.is_open]

    def _of(self, call: Call) -> list[OrderList]:
        return [found for found in self.lists.values() if found.orders[0].account == call.account.name]

    def _found(self, call: Call, name: str) -> OrderList | None:
        list_id, wanted = call.optional_integer("orderListId"), call.optional(name)
        if list_id is None and wanted is None:
            words = f"Param '{name}' or 'orderListId' must be sent, but both were empty/null!"
            raise RefusedError(-1102, words)
        of_account = (found for found in self._of(call) if list_id in (None, found.list_id))
        return next((found for found in of_account if wanted in (None, found.name)), None)


def _spans(price: Decimal, others: list[Decimal]) -> bool:
    """Whether the market's price lies between the two of an OCO."""
    return len(others) == 2 and min(others) < price < max(others)
