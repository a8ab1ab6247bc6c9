"""ccxt, sync and async: what it calls the same things, and what the README says to set."""

from typing import Any

import ccxt
import ccxt.async_support

from tests.clients.exchange.job import Call, Job, Result, arguments, order_of, settled

HOSTS = {
    "spot": "https://api.binance.com",
    "usdm": "https://fapi.binance.com",
    "coinm": "https://dapi.binance.com",
}


class WithCcxt:
    """ccxt's binance; `asynchronous` says of which kind."""

    def __init__(self, job: Job, *, asynchronous: bool) -> None:
        kind = ccxt.async_support.binance if asynchronous else ccxt.binance
        # Its two questions for margin pairs go out at once, alike but for their paths: one signature for two requests.
        options = {"fetchMargins": False}
        self.exchange = kind({"apiKey": job.api_key, "secret": job.secret, "options": options})
        for product, host in HOSTS.items():
            for name, url in self.exchange.urls["api"].items():
                self.exchange.urls["api"][name] = url.replace(host, job.addresses[product])
        self.order_id = ""

    async def close(self) -> None:
        """The async kind wants to be closed."""
        if hasattr(self.exchange, "close"):
            await settled(self.exchange.close())

    async def time(self, _: Call) -> Result:
        """Milliseconds."""
        return await settled(self.exchange.fetch_time())

    async def markets(self, _: Call) -> Result:
        """The exchange's own names of what is traded, by type."""
        markets = (await settled(self.exchange.load_markets())).values()
        return {
            kind: sorted(market["id"] for market in markets if market["type"] == kind)
            for kind in ("spot", "swap")
        }

    async def price(self, call: Call) -> Result:
        """As text."""
        document = await settled(self.exchange.public_get_ticker_price({"symbol": call["symbol"]}))
        return document["price"]

    async def balances(self, _: Call) -> Result:
        """What is free."""
        balances = await settled(self.exchange.fetch_balance())
        return {balance["asset"]: balance["free"] for balance in balances["info"]["balances"]}

    async def open_orders(self, call: Call) -> Result:
        """Of one market."""
        orders = await settled(self.exchange.fetch_open_orders(await self._symbol(call)))
        return [order_of(order["info"]) for order in orders]

    async def create_order(self, call: Call) -> Result:
        """A limit order."""
        return self._remembered(await self._created(await self._symbol(call), call))

    async def query_order(self, call: Call) -> Result:
        """The order made last."""
        order = await settled(self.exchange.fetch_order(self.order_id, await self._symbol(call)))
        return order_of(order["info"])

    async def find_order(self, call: Call) -> Result:
        """An order by the name that it was given."""
        which = {"origClientOrderId": call["origClientOrderId"]}
        order = await settled(self.exchange.fetch_order("", await self._symbol(call), which))
        return order_of(order["info"])

    async def replace_order(self, call: Call) -> Result:
        """The order made last, at another price: ccxt's edit_order cancels and places anew."""
        symbol, side = await self._symbol(call), call["side"].lower()
        numbers = (float(call["quantity"]), float(call["price"]))
        edited = self.exchange.edit_order(self.order_id, symbol, "limit", side, *numbers)
        return self._remembered(await settled(edited))

    async def amend_order(self, call: Call) -> Result:
        """The order made last, with a smaller quantity, in its place in the queue."""
        which = {"symbol": call["symbol"], "orderId": self.order_id, "newQty": call["newQty"]}
        amended = self.exchange.request("order/amend/keepPriority", ["private", 1], "PUT", which)
        document = await settled(amended)
        return order_of(document["amendedOrder"])

    async def cancel_order(self, call: Call) -> Result:
        """The order made last."""
        order = await settled(self.exchange.cancel_order(self.order_id, await self._symbol(call)))
        return {"order_id": order["id"]}

    async def cancel_all(self, call: Call) -> Result:
        """Of one market."""
        orders = await settled(self.exchange.cancel_all_orders(await self._symbol(call)))
        return [{"order_id": order["id"]} for order in orders]

    async def order_list(self, call: Call) -> Result:
        """An OCO pair."""
        document = await settled(self.exchange.private_post_orderlist_oco(arguments(call)))
        return [order_of(order) for order in document["orders"]]

    async def withdraw(self, call: Call) -> Result:
        """To an address outside."""
        options = {"network": call["network"], "name": call["name"]}
        amount = float(call["amount"])
        done = await settled(self.exchange.withdraw(call["coin"], amount, call["address"], options))
        return done["id"]

    async def transfer(self, call: Call) -> Result:
        """Between two wallets of the account."""
        done = await settled(self.exchange.sapi_post_asset_transfer(arguments(call)))
        return str(done["tranId"])

    async def listen_key(self, _: Call) -> Result:
        """Of the spot market: made, kept alive, closed."""
        made = await settled(self.exchange.public_post_userdatastream())
        await settled(self.exchange.public_put_userdatastream(made))
        await settled(self.exchange.public_delete_userdatastream(made))
        return made["listenKey"]

    async def futures_order(self, call: Call) -> Result:
        """A limit order for USD-M futures."""
        await settled(self.exchange.load_markets())
        return self._remembered(await self._created("BTC/USDT:USDT", call))

    async def futures_replace(self, call: Call) -> Result:
        """The order made last, amended in its place."""
        numbers = (float(call["quantity"]), float(call["price"]))
        side = call["side"].lower()
        edited = self.exchange.edit_order(self.order_id, "BTC/USDT:USDT", "limit", side, *numbers)
        return self._remembered(await settled(edited))

    async def futures_batch(self, call: Call) -> Result:
        """Two limit orders at once."""
        one = {"symbol": "BTC/USDT:USDT", "type": "limit", "side": call["side"].lower()}
        numbers = {"amount": float(call["quantity"]), "price": float(call["price"])}
        orders = await settled(self.exchange.create_orders([one | numbers, one | numbers]))
        return [order_of(order["info"]) for order in orders]

    async def futures_leverage(self, call: Call) -> Result:
        """Of one market."""
        done = await settled(self.exchange.set_leverage(int(call["leverage"]), "BTC/USDT:USDT"))
        return str(done["leverage"])

    async def coin_futures_order(self, call: Call) -> Result:
        """A limit order for COIN-M futures."""
        await settled(self.exchange.load_markets())
        return self._remembered(await self._created("BTC/USD:BTC", call))

    async def _symbol(self, call: Call) -> str:
        markets = await settled(self.exchange.load_markets())
        return next(
            str(market["symbol"])
            for market in markets.values()
            if market["id"] == call["symbol"] and market["type"] == "spot"
        )

    async def _created(self, symbol: str, call: Call) -> Any:
        names = {"newClientOrderId": call["newClientOrderId"]} if "newClientOrderId" in call else {}
        numbers = (float(call["quantity"]), float(call["price"]))
        made = self.exchange.create_order(symbol, "limit", call["side"].lower(), *numbers, names)
        return await settled(made)

    def _remembered(self, order: Any) -> Result:
        self.order_id = order["id"]
        return order_of(order["info"])
