"""What anybody may ask: the time, what is traded, at what prices."""

import json
from collections.abc import Callable
from decimal import Decimal

from vaultsigner.dev.exchange.calls import Call
from vaultsigner.dev.exchange.endpoints import Endpoint, reads
from vaultsigner.dev.exchange.markets import MARKETS, Market, Product, exchange_info, market_of
from vaultsigner.dev.exchange.refusals import Json, RefusedError, illegal
from vaultsigner.dev.exchange.wallets import amount_text

ROOTS: dict[Product, str] = {"spot": "/api/v3", "usdm": "/fapi/v1", "coinm": "/dapi/v1"}
SYMBOLS = '^\\[("[\\w]{1,20}"(,"[\\w]{1,20}")*)?\\]$'
DEPTH = 5
HOUSE_QUANTITY = Decimal(1)
DAY_MS = 86_400_000
NO_TRADE = -1
TICKER_TYPES = ("FULL", "MINI")


class Public:
    """The public endpoints of one product."""

    def __init__(self, product: Product) -> None:
        self.product = product

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What it serves."""
        root = ROOTS[self.product]
        which = reads("symbol symbols")
        info = reads("symbol symbols permissions showPermissionSets symbolStatus")
        day = reads("symbol symbols type symbolStatus")
        return (
            Endpoint("GET", f"{root}/ping", lambda _: {}, "none", parameters=reads("")),
            Endpoint("GET", f"{root}/time", self.time, "none", parameters=reads("")),
            Endpoint("GET", f"{root}/exchangeInfo", self.exchange_info, "none", parameters=info, weight=20),
            Endpoint("GET", f"{root}/ticker/price", self.price, "none", parameters=which, weight=2),
            Endpoint(
                "GET", f"{root}/ticker/bookTicker", self.book_ticker, "none", parameters=which, weight=2
            ),
            Endpoint("GET", f"{root}/ticker/24hr", self.day, "none", parameters=day, weight=2),
            Endpoint("GET", f"{root}/depth", self.depth, "none", parameters=reads("symbol limit"), weight=5),
        )

    def time(self, call: Call) -> Json:
        """GET time."""
        return {"serverTime": call.now_ms}

    def exchange_info(self, call: Call) -> Json:
        """GET exchangeInfo, of one symbol, of several, or all."""
        return exchange_info(self.product, self._symbols(call), call.now_ms)

    def price(self, call: Call) -> Json:
        """GET ticker/price."""
        return self._each(call, lambda market: {"symbol": market.symbol, "price": amount_text(market.price)})

    def book_ticker(self, call: Call) -> Json:
        """GET ticker/bookTicker."""
        quantity = amount_text(HOUSE_QUANTITY)

        def told(market: Market) -> dict[str, Json]:
            bid = {"bidPrice": amount_text(market.bid), "bidQty": quantity}
            return {"symbol": market.symbol, **bid, "askPrice": amount_text(market.ask), "askQty": quantity}

        return self._each(call, told)

    def day(self, call: Call) -> Json:
        """GET ticker/24hr: a day on which nobody traded and no price moved."""
        kind = call.optional("type") or "FULL"
        if kind not in TICKER_TYPES:
            raise illegal("type", "|".join(TICKER_TYPES))

        def told(market: Market) -> dict[str, Json]:
            price, nothing = amount_text(market.price), amount_text(Decimal(0))
            mini: dict[str, Json] = {
                "symbol": market.symbol,
                **{f"{name}Price": price for name in ("open", "high", "low", "last")},
                **{"volume": nothing, "quoteVolume": nothing},
                **{"openTime": call.now_ms - DAY_MS, "closeTime": call.now_ms},
                **{"firstId": NO_TRADE, "lastId": NO_TRADE, "count": 0},
            }
            if kind == "MINI":
                return mini
            changes = {"priceChange": nothing, "priceChangePercent": "0.000", "weightedAvgPrice": nothing}
            full = mini | changes | {"lastQty": nothing}
            if self.product != "spot":
                return full
            house = amount_text(HOUSE_QUANTITY)
            bid = {"bidPrice": amount_text(market.bid), "bidQty": house}
            return (
                full
                | {"prevClosePrice": price}
                | bid
                | {"askPrice": amount_text(market.ask), "askQty": house}
            )

        return self._each(call, told)

    def depth(self, call: Call) -> Json:
        """GET depth: the house alone."""
        market = market_of(self.product, call.text("symbol"))
        steps = range(min(call.optional_integer("limit") or DEPTH, DEPTH))
        quantity = amount_text(HOUSE_QUANTITY)
        return {
            "lastUpdateId": call.now_ms,
            "bids": [[amount_text(market.bid - step * market.tick), quantity] for step in steps],
            "asks": [[amount_text(market.ask + step * market.tick), quantity] for step in steps],
        }

    def _symbols(self, call: Call) -> list[str]:
        symbol, symbols = call.optional("symbol"), call.optional("symbols")
        if symbol is not None:
            return [symbol]
        if symbols is None:
            return []
        try:
            names = json.loads(symbols)
        except ValueError:
            raise illegal("symbols", SYMBOLS) from None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise RefusedError(-1135, "JSON sent for parameter 'symbols' is not valid")
        return names

    def _each(self, call: Call, told: Callable[[Market], dict[str, Json]]) -> Json:
        names = self._symbols(call) or list(MARKETS[self.product])
        documents = [told(market_of(self.product, name)) for name in names]
        return documents[0] if "symbol" in call.parameters else documents
