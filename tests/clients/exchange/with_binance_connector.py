"""binance-connector, Binance's own for Python: what it calls the same things, and what the README says to set."""

from typing import Any

from binance.spot import Spot

from tests.clients.exchange.job import Call, Job, Result, arguments, free_of, order_of, orders_of


class WithBinanceConnector:
    """Its spot client. It has no futures, and amends by cancelling and placing anew."""

    def __init__(self, job: Job) -> None:
        key = {"private_key": job.secret} if job.is_private_key else {"api_secret": job.secret}
        self.client = Spot(api_key=job.api_key, base_url=job.addresses["spot"], **key)
        self.order_id = ""

    async def close(self) -> None:
        """Nothing to close."""

    async def time(self, _: Call) -> Result:
        """Milliseconds."""
        return self.client.time()["serverTime"]

    async def markets(self, _: Call) -> Result:
        """The exchange's own names of what is traded; only of the spot market."""
        symbols = self.client.exchange_info()["symbols"]
        return {"spot": sorted(symbol["symbol"] for symbol in symbols)}

    async def price(self, call: Call) -> Result:
        """As text."""
        return self.client.ticker_price(call["symbol"])["price"]

    async def balances(self, _: Call) -> Result:
        """What is free."""
        return free_of(self.client.account()["balances"])

    async def open_orders(self, call: Call) -> Result:
        """Of one market."""
        return orders_of(self.client.get_open_orders(call["symbol"]))

    async def create_order(self, call: Call) -> Result:
        """A limit order."""
        return self._remembered(self.client.new_order(type="LIMIT", timeInForce="GTC", **arguments(call)))

    async def query_order(self, call: Call) -> Result:
        """The order made last."""
        return order_of(self.client.get_order(call["symbol"], orderId=self.order_id))

    async def find_order(self, call: Call) -> Result:
        """An order by the name that it was given."""
        return order_of(self.client.get_order(**arguments(call)))

    async def replace_order(self, call: Call) -> Result:
        """The order made last, at another price."""
        how = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": self.order_id}
        wanted = {"type": "LIMIT", "timeInForce": "GTC", **arguments(call)}
        return self._remembered(self.client.cancel_and_replace(**wanted, **how)["newOrderResponse"])

    async def amend_order(self, call: Call) -> Result:
        """The order made last, with a smaller quantity: it has no method of its own for that."""
        which = {"symbol": call["symbol"], "orderId": self.order_id, "newQty": call["newQty"]}
        document = self.client.sign_request("PUT", "/api/v3/order/amend/keepPriority", which)
        return order_of(document["amendedOrder"])

    async def cancel_order(self, call: Call) -> Result:
        """The order made last."""
        done = self.client.cancel_order(call["symbol"], orderId=self.order_id)
        return {"order_id": str(done["orderId"])}

    async def cancel_all(self, call: Call) -> Result:
        """Of one market."""
        done = self.client.cancel_open_orders(call["symbol"])
        return [{"order_id": str(order["orderId"])} for order in done]

    async def order_list(self, call: Call) -> Result:
        """An OCO pair."""
        return orders_of(self.client.new_oco_order(**arguments(call))["orders"])

    async def withdraw(self, call: Call) -> Result:
        """To an address outside."""
        return self.client.withdraw(**arguments(call))["id"]

    async def transfer(self, call: Call) -> Result:
        """Between two wallets of the account."""
        return str(self.client.user_universal_transfer(**arguments(call))["tranId"])

    async def listen_key(self, _: Call) -> Result:
        """Of the spot market: made, kept alive, closed."""
        key = self.client.new_listen_key()["listenKey"]
        self.client.renew_listen_key(key)
        self.client.close_listen_key(key)
        return key

    def _remembered(self, document: Any) -> Result:
        order = order_of(document)
        self.order_id = order["order_id"]
        return order
