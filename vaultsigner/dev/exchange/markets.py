"""What is traded here, at prices that never move, and the documents that tell clients so."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from vaultsigner.dev.exchange.refusals import Json, RefusedError

Product = Literal["spot", "usdm", "coinm"]

SPOT_ORDER_TYPES = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)
FUTURES_ORDER_TYPES = (
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
)
TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTX", "GTD")
NEVER_DELIVERED_MS = 4_133_404_800_000
RATE_LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
]


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol of one product.

    Args:
        price: where the house buys and sells, a thousandth below and above.
        tick: the smallest step of a price.
        step: the smallest step of a quantity.
        least_notional: an order's price times quantity is at least this.
        contract_size: what a contract is worth, in the quote asset (COIN-M).
    """

    product: Product
    symbol: str
    base: str
    quote: str
    price: Decimal
    tick: Decimal
    step: Decimal
    least_notional: Decimal = Decimal(5)
    contract_size: Decimal = Decimal(1)

    @property
    def bid(self) -> Decimal:
        """What the house pays."""
        return self._on_tick(self.price * Decimal("0.999"))

    @property
    def ask(self) -> Decimal:
        """What the house takes."""
        return self._on_tick(self.price * Decimal("1.001"))

    @property
    def margin_asset(self) -> str:
        """What a futures position is settled in."""
        return self.base if self.product == "coinm" else self.quote

    def _on_tick(self, price: Decimal) -> Decimal:
        return price // self.tick * self.tick

    @property
    def filters(self) -> list[dict[str, Json]]:
        """As exchangeInfo has them."""
        tick, step = str(self.tick), str(self.step)
        notional = {
            "filterType": "NOTIONAL",
            "minNotional": str(self.least_notional),
            "maxNotional": "9000000",
        }
        if self.product != "spot":
            notional = {"filterType": "MIN_NOTIONAL", "notional": str(self.least_notional)}
        return [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000", "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": "1000", "stepSize": step},
            notional,
        ]


def _spot(base: str, quote: str, *numbers: str) -> Market:
    return Market("spot", base + quote, base, quote, *map(Decimal, numbers))


MARKETS: dict[Product, dict[str, Market]] = {
    "spot": {
        market.symbol: market
        for market in (
            _spot("BTC", "USDT", "60000", "0.01", "0.00001"),
            _spot("ETH", "USDT", "3000", "0.01", "0.0001"),
            _spot("BNB", "USDT", "600", "0.01", "0.001"),
            _spot("LTC", "BTC", "0.15", "0.000001", "0.001", "0.0001"),
            _spot("１２３", "４５６", "0.15", "0.000001", "0.001", "0.0001"),  # the documents' own example
        )
    },
    "usdm": {
        "BTCUSDT": Market("usdm", "BTCUSDT", "BTC", "USDT", Decimal(60000), Decimal("0.1"), Decimal("0.001")),
        "ETHUSDT": Market("usdm", "ETHUSDT", "ETH", "USDT", Decimal(3000), Decimal("0.01"), Decimal("0.001")),
    },
    "coinm": {
        "BTCUSD_PERP": Market(
            "coinm",
            "BTCUSD_PERP",
            "BTC",
            "USD",
            Decimal(60000),
            Decimal("0.1"),
            Decimal(1),
            Decimal(1),
            Decimal(100),
        ),
    },
}


def market_of(product: Product, symbol: str) -> Market:
    """The market of that symbol.

    Raises:
        RefusedError: there is none.
    """
    market = MARKETS[product].get(symbol)
    if market is None:
        raise RefusedError(-1121, "Invalid symbol.")
    return market


def exchange_info(product: Product, symbols: list[str], now_ms: int) -> dict[str, Json]:
    """GET exchangeInfo of a product; no symbols: all of them."""
    chosen = [market_of(product, symbol) for symbol in symbols] or list(MARKETS[product].values())
    tell = _spot_symbol if product == "spot" else _futures_symbol
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": RATE_LIMITS,
        "exchangeFilters": [],
        "symbols": [tell(market) for market in chosen],
    }


def _spot_symbol(market: Market) -> dict[str, Json]:
    return {
        "symbol": market.symbol,
        "status": "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": list(SPOT_ORDER_TYPES),
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": market.filters,
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _futures_symbol(market: Market) -> dict[str, Json]:
    status = "contractStatus" if market.product == "coinm" else "status"
    document: dict[str, Json] = {
        "symbol": market.symbol,
        "pair": market.base + market.quote,
        "contractType": "PERPETUAL",
        "deliveryDate": NEVER_DELIVERED_MS,
        "onboardDate": 1_569_398_400_000,
        status: "TRADING",
        "baseAsset": market.base,
        "quoteAsset": market.quote,
        "marginAsset": market.margin_asset,
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "filters": market.filters,
        "orderTypes": list(FUTURES_ORDER_TYPES),
        "timeInForce": list(TIMES_IN_FORCE),
    }
    if market.product == "coinm":
        document["contractSize"] = int(market.contract_size)
    return document
