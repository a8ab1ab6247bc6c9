"""USD-M and COIN-M futures (`/fapi`, `/dapi`): orders, batches, leverage, what an account has.

As on the spot market the house trades with everybody at fixed prices. Positions net; nobody is ever liquidated.
"""

import json
from collections import defaultdict
from decimal import Decimal

from vaultsigner.dev.exchange.calls import LEGAL_FUTURES_ORDER_ID, Call
from vaultsigner.dev.exchange.endpoints import Endpoint
from vaultsigner.dev.exchange.markets import (
    FUTURES_ORDER_TYPES,
    MARKETS,
    TIMES_IN_FORCE,
    Market,
    Product,
    market_of,
)
from vaultsigner.dev.exchange.orders import Book, Fill, Order
from vaultsigner.dev.exchange.refusals import Json, RefusedError, no_such_order, unknown_order
from vaultsigner.dev.exchange.signatures import Right
from vaultsigner.dev.exchange.wallets import amount_text

START = Decimal(100_000)
FIRST_LEVERAGE = 20
MAX_LEVERAGE = 125
MAX_BATCH = 5
Whose = tuple[str, str]


class Futures:
    """One of the two futures markets."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.root = "/fapi" if product == "usdm" else "/dapi"
        self.book = Book()
        self.positions = defaultdict[Whose, Decimal](Decimal)
        self.leverages = defaultdict[Whose, int](lambda: FIRST_LEVERAGE)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What it serves; parameters that it does not know do not matter to it."""
        trade: Right = "trade"
        root = f"{self.root}/v1"
        rows = [
            Endpoint("POST", f"{root}/order", self.order, right=trade, orders=1),
            Endpoint("PUT", f"{root}/order", self.amend, right=trade, orders=1),
            Endpoint("GET", f"{root}/order", self.query),
            Endpoint("DELETE", f"{root}/order", self.cancel, right=trade),
            Endpoint("POST", f"{root}/batchOrders", self.batch, right=trade, weight=5, orders=MAX_BATCH),
            Endpoint("GET", f"{root}/openOrders", self.open_orders),
            Endpoint("DELETE", f"{root}/allOpenOrders", self.cancel_all, right=trade),
            Endpoint("POST", f"{root}/leverage", self.leverage, right=trade),
            Endpoint("GET", f"{root}/account", self.account, weight=5),
            Endpoint("GET", f"{root}/balance", self.balance, weight=5),
            Endpoint("GET", f"{root}/positionRisk", self.position_risk, weight=5),
        ]
        for version in ("v2", "v3") if self.product == "usdm" else ():
            newer = f"{self.root}/{version}"
            rows += [
                Endpoint("GET", f"{newer}/account", self.account, weight=5),
                Endpoint("GET", f"{newer}/balance", self.balance, weight=5),
                Endpoint("GET", f"{newer}/positionRisk", self.position_risk, weight=5),
            ]
        return tuple(rows)

    def order(self, call: Call) -> Json:
        """POST order."""
        market = self._market(call)
        order_id = self.book.next_id()
        kind = call.choice("type", FUTURES_ORDER_TYPES, RefusedError(-1116, "Invalid orderType."))
        order = Order(
            order_id,
            call.optional_name("newClientOrderId", LEGAL_FUTURES_ORDER_ID) or f"stand-in-{order_id}",
            call.account.name,
            market,
            call.choice("side", ("BUY", "SELL"), RefusedError(-1117, "Invalid side.")),
            kind,
            self._quantity(call, market),
            call.now_ms,
            updated_ms=call.now_ms,
            position_side=call.optional("positionSide") or "BOTH",
            reduce_only=(call.optional("reduceOnly") or "false").lower() == "true",
        )
        if kind == "LIMIT":
            order.price = self._price(call, market)
            refusal = RefusedError(-1115, "Invalid timeInForce.")
            order.time_in_force = call.choice("timeInForce", TIMES_IN_FORCE, refusal)
        if "STOP" in kind or "TAKE_PROFIT" in kind:
            order.stop_price = call.optional_decimal("stopPrice")
        if kind == "MARKET" or (kind == "LIMIT" and _crosses(order)):
            self._trade(order)
        self.book.add(order)
        return _told(order)

    def batch(self, call: Call) -> Json:
        """POST batchOrders: each member is answered for itself."""
        try:
            members = json.loads(call.text("batchOrders"), parse_int=str, parse_float=str)
        except ValueError:
            members = None
        if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
            raise RefusedError(-1130, "Data sent for parameter 'batchOrders' is not valid.")
        if not 1 <= len(members) <= MAX_BATCH:
            raise RefusedError(-4082, "Invalid number of batch place orders.")
        return [self._member(call, member) for member in members]

    def _member(self, call: Call, member: dict[str, Json]) -> Json:
        texts = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in member.items()
        }
        try:
            return self.order(call.with_parameters(texts))
        except RefusedError as refusal:
            return refusal.document

    def amend(self, call: Call) -> Json:
        """PUT order: another price and quantity of a limit order."""
        market = self._market(call)
        order = self._found(call)
        if order is None or not order.is_open:
            raise no_such_order()
        quantity, price = self._quantity(call, market), self._price(call, market)
        if (quantity, price) == (order.quantity, order.price):
            raise RefusedError(-5027, "No need to modify the order.")
        order.quantity, order.price, order.updated_ms = quantity, price, call.now_ms
        return _told(order)

    def query(self, call: Call) -> Json:
        """GET order."""
        order = self._found(call)
        if order is None:
            raise no_such_order()
        return _told(order)

    def cancel(self, call: Call) -> Json:
        """DELETE order."""
        order = self._found(call)
        if order is None or not order.is_open:
            raise unknown_order()
        order.status, order.updated_ms = "CANCELED", call.now_ms
        return _told(order)

    def cancel_all(self, call: Call) -> Json:
        """DELETE allOpenOrders."""
        for order in self.book.open_of(call.account.name, self._market(call).symbol):
            order.status, order.updated_ms = "CANCELED", call.now_ms
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def open_orders(self, call: Call) -> Json:
        """GET openOrders."""
        symbol = self._market(call).symbol if "symbol" in call.parameters else None
        return [_told(order) for order in self.book.open_of(call.account.name, symbol)]

    def leverage(self, call: Call) -> Json:
        """POST leverage."""
        market = self._market(call)
        wanted = call.optional_integer("leverage") or 0
        if not 1 <= wanted <= MAX_LEVERAGE:
            raise RefusedError(-4028, f"Leverage {wanted} is not valid")
        self.leverages[call.account.name, market.symbol] = wanted
        return {"leverage": wanted, "maxNotionalValue": "1000000", "symbol": market.symbol}

    def account(self, call: Call) -> Json:
        """GET account."""
        return {
            "feeTier": 0,
            "canTrade": "trade" in call.account.rights,
            "canDeposit": True,
            "canWithdraw": True,
            "updateTime": call.now_ms,
            "totalWalletBalance": amount_text(START),
            "totalMarginBalance": amount_text(START),
            "availableBalance": amount_text(START),
            "assets": self.balance(call),
            "positions": self.position_risk(call),
        }

    def balance(self, call: Call) -> Json:
        """GET balance."""
        assets = dict.fromkeys(market.margin_asset for market in MARKETS[self.product].values())
        amount = amount_text(START)
        return [
            {
                "accountAlias": call.account.name,
                "asset": asset,
                "balance": amount,
                "walletBalance": amount,
                "marginBalance": amount,
                "crossWalletBalance": amount,
                "availableBalance": amount,
                "maxWithdrawAmount": amount,
                "initialMargin": amount_text(Decimal(0)),
                "unrealizedProfit": amount_text(Decimal(0)),
                "updateTime": call.now_ms,
            }
            for asset in assets
        ]

    def position_risk(self, call: Call) -> Json:
        """GET positionRisk."""
        return [
            {
                "symbol": symbol,
                "positionSide": "BOTH",
                "positionAmt": str(self.positions[call.account.name, symbol]),
                "entryPrice": amount_text(market.price),
                "markPrice": amount_text(market.price),
                "unRealizedProfit": amount_text(Decimal(0)),
                "liquidationPrice": "0",
                "leverage": str(self.leverages[call.account.name, symbol]),
                "marginType": "cross",
                "marginAsset": market.margin_asset,
                "notional": amount_text(market.price * self.positions[call.account.name, symbol]),
                "updateTime": call.now_ms,
            }
            for symbol, market in MARKETS[self.product].items()
        ]

    def _market(self, call: Call) -> Market:
        return market_of(self.product, call.text("symbol"))

    def _quantity(self, call: Call, market: Market) -> Decimal:
        quantity = call.decimal("quantity")
        if not quantity or quantity % market.step:
            raise RefusedError(-1111, "Precision is over the maximum defined for this asset.")
        return quantity

    def _price(self, call: Call, market: Market) -> Decimal:
        price = call.decimal("price")
        if not price or price % market.tick:
            raise RefusedError(-4014, "Price not increased by tick size.")
        return price

    def _found(self, call: Call) -> Order | None:
        symbol = self._market(call).symbol
        order_id, name = call.optional_integer("orderId"), call.optional("origClientOrderId")
        if order_id is None and name is None:
            raise RefusedError(
                -1102, "Mandatory parameter 'orderId' was not sent, was empty/null, or malformed."
            )
        return self.book.find(self.book.of(call.account.name, symbol), order_id, name)

    def _trade(self, order: Order) -> None:
        price = order.market.ask if order.side == "BUY" else order.market.bid
        order.fill = Fill(self.book.next_trade_id(), price, order.quantity, order.created_ms)
        order.status = "FILLED"
        signed = order.quantity if order.side == "BUY" else -order.quantity
        self.positions[order.account, order.market.symbol] += signed


def _crosses(order: Order) -> bool:
    market = order.market
    return order.price >= market.ask if order.side == "BUY" else order.price <= market.bid


def _told(order: Order) -> dict[str, Json]:
    """As the futures APIs answer an order."""
    paid = amount_text(order.paid)
    return {
        "orderId": order.order_id,
        "symbol": order.market.symbol,
        "pair": order.market.base + order.market.quote,
        "status": order.status,
        "clientOrderId": order.client_order_id,
        "price": str(order.price),
        "avgPrice": str(order.fill.price if order.fill else 0),
        "origQty": str(order.quantity),
        "executedQty": str(order.executed),
        "cumQty": str(order.executed),
        "cumQuote": paid,
        "cumBase": paid,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "origType": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side,
        "positionSide": order.position_side,
        "stopPrice": str(order.stop_price or 0),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }
