"""python-binance, sync and async: what it calls the same things, and what the README says to set."""

from typing import Any

from binance import AsyncClient, Client

from tests.clients.exchange.job import (
    Call,
    Job,
    Result,
    arguments,
    free_of,
    order_of,
    orders_of,
    settled,
)


class WithPythonBinance:
    """python-binance's client; `asynchronous` says of which kind."""

    def __init__(self, job: Job, *, asynchronous: bool) -> None:
        spot, usdm, coinm = (job.addresses[product] for product in ("spot", "usdm", "coinm"))
        addresses = {
            "API_URL": f"{spot}/api",
            "MARGIN_API_URL": f"{spot}/sapi",
            "FUTURES_URL": f"{usdm}/fapi",
            "FUTURES_COIN_URL": f"{coinm}/dapi",
        }
        key = {"private_key": job.secret} if job.is_private_key else {"api_secret": job.secret}
        kind = type("DeskClient", (AsyncClient if asynchronous else Client,), addresses)
        self.create: Any = getattr(kind, "create", kind)
        self.options = {"api_key": job.api_key, **key}
        self.made: Any = None
        self.order_id = ""

    async def client(self) -> Any:
        """Made when it is first asked for: the async kind asks for the time then."""
        if self.made is None:
            self.made = await settled(self.create(**self.options))
        return self.made

    async def close(self) -> None:
        """Either kind wants to be closed."""
        if self.made is not None:
            await settled(self.made.close_connection())

    async def time(self, _: Call) -> Result:
        """Milliseconds."""
        return (await settled((await self.client()).get_server_time()))["serverTime"]

    async def markets(self, _: Call) -> Result:
        """The exchange's own names of what is traded, by type."""
        client = await self.client()
        spot = await settled(client.get_exchange_info())
        swap = await settled(client.futures_exchange_info())
        coin = await settled(client.futures_coin_exchange_info())
        swaps = [*swap["symbols"], *coin["symbols"]]
        return {
            "spot": sorted(symbol["symbol"] for symbol in spot["symbols"]),
            "swap": sorted(symbol["symbol"] for symbol in swaps),
        }

    async def price(self, call: Call) -> Result:
        """As text."""
        return (await settled((await self.client()).get_symbol_ticker(**arguments(call))))["price"]

    async def balances(self, _: Call) -> Result:
        """What is free."""
        return free_of((await settled((await self.client()).get_account()))["balances"])

    async def open_orders(self, call: Call) -> Result:
        """Of one market."""
        return orders_of(await settled((await self.client()).get_open_orders(**arguments(call))))

    async def create_order(self, call: Call) -> Result:
        """A limit order."""
        wanted = {"type": "LIMIT", "timeInForce": "GTC", **arguments(call)}
        return self._remembered(await settled((await self.client()).create_order(**wanted)))

    async def query_order(self, call: Call) -> Result:
        """The order made last."""
        asked = (await self.client()).get_order(symbol=call["symbol"], orderId=self.order_id)
        return order_of(await settled(asked))

    async def find_order(self, call: Call) -> Result:
        """An order by the name that it was given."""
        return order_of(await settled((await self.client()).get_order(**arguments(call))))

    async def replace_order(self, call: Call) -> Result:
        """The order made last, at another price."""
        wanted = {"type": "LIMIT", "timeInForce": "GTC", **arguments(call)}
        how = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": self.order_id}
        done = await settled((await self.client()).cancel_replace_order(**wanted, **how))
        return self._remembered(done["newOrderResponse"])

    async def cancel_order(self, call: Call) -> Result:
        """The order made last."""
        done = (await self.client()).cancel_order(symbol=call["symbol"], orderId=self.order_id)
        return {"order_id": str((await settled(done))["orderId"])}

    async def cancel_all(self, call: Call) -> Result:
        """Of one market."""
        done = await settled((await self.client()).cancel_all_open_orders(symbol=call["symbol"]))
        return [{"order_id": str(order["orderId"])} for order in done]

    async def order_list(self, call: Call) -> Result:
        """An OCO pair."""
        done = await settled((await self.client()).create_oco_order(**arguments(call)))
        return orders_of(done["orders"])

    async def withdraw(self, call: Call) -> Result:
        """To an address outside."""
        return (await settled((await self.client()).withdraw(**arguments(call))))["id"]

    async def transfer(self, call: Call) -> Result:
        """Between two wallets of the account."""
        done = await settled((await self.client()).make_universal_transfer(**arguments(call)))
        return str(done["tranId"])

    async def listen_key(self, _: Call) -> Result:
        """Of the spot market: made, kept alive, closed."""
        client = await self.client()
        key = await settled(client.stream_get_listen_key())
        await settled(client.stream_keepalive(key))
        await settled(client.stream_close(key))
        return key

    async def futures_order(self, call: Call) -> Result:
        """A limit order for USD-M futures."""
        wanted = {"type": "LIMIT", "timeInForce": "GTC", **arguments(call)}
        return self._remembered(await settled((await self.client()).futures_create_order(**wanted)))

    async def futures_replace(self, call: Call) -> Result:
        """The order made last, amended in its place."""
        wanted = {"orderId": self.order_id, **arguments(call)}
        return self._remembered(await settled((await self.client()).futures_modify_order(**wanted)))

    async def futures_batch(self, call: Call) -> Result:
        """Two limit orders at once."""
        wanted = {"type": "LIMIT", "timeInForce": "GTC", **arguments(call)}
        batch = [dict(wanted), dict(wanted)]
        return orders_of(await settled((await self.client()).futures_place_batch_order(batchOrders=batch)))

    async def futures_leverage(self, call: Call) -> Result:
        """Of one market."""
        done = await settled((await self.client()).futures_change_leverage(**arguments(call)))
        return str(done["leverage"])

    async def coin_futures_order(self, call: Call) -> Result:
        """A limit order for COIN-M futures."""
        wanted = {"type": "LIMIT", "timeInForce": "GTC", **arguments(call)}
        done = await settled((await self.client()).futures_coin_create_order(**wanted))
        return self._remembered(done)

    def _remembered(self, document: Any) -> Result:
        order = order_of(document)
        self.order_id = order["order_id"]
        return order
