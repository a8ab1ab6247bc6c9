"""What callers have used up of the exchange's patience, and the headers that tell them (rest-api.md, LIMITS)."""

from dataclasses import dataclass, field

from vaultsigner.dev.exchange.endpoints import Endpoint
from vaultsigner.dev.exchange.refusals import RefusedError, too_much_weight

MINUTE_MS = 60_000
TEN_SECONDS_MS = 10_000
Headers = dict[str, str]


@dataclass(slots=True)
class _Window:
    """A sum that starts anew with every period."""

    period_ms: int
    started: int = 0
    used: int = 0

    def add(self, amount: int, now_ms: int) -> int:
        period = now_ms // self.period_ms
        if period != self.started:
            self.started, self.used = period, 0
        self.used += amount
        return self.used


@dataclass(slots=True)
class Limits:
    """Weights of all callers together (they come from one address, and have one account) and orders.

    Args:
        weight_per_minute: past that 429 is the answer; set it low to see that. The wallet's endpoints have limits of their own.
    """

    weight_per_minute: int = 6_000
    wallet_weight_per_minute: int = 12_000
    wallet_account_weight_per_minute: int = 180_000
    _weights: dict[str, _Window] = field(default_factory=dict)
    _orders: dict[str, _Window] = field(default_factory=dict)

    def use(self, endpoint: Endpoint, now_ms: int) -> tuple[Headers, RefusedError | None]:
        """Counts one request: the headers of its answer, and a refusal where it is one too many."""
        family = endpoint.path.split("/")[1]
        names, limit = self._of(endpoint, family)
        weight = self._weights.setdefault(names[0] + family, _Window(MINUTE_MS)).add(endpoint.weight, now_ms)
        headers = dict.fromkeys(names, str(weight))
        if endpoint.orders:
            orders = self._orders.setdefault(family, _Window(TEN_SECONDS_MS)).add(endpoint.orders, now_ms)
            headers["X-MBX-ORDER-COUNT-10S"] = str(orders)
        if weight <= limit:
            return headers, None
        wait_seconds = (MINUTE_MS - now_ms % MINUTE_MS) // 1_000 + 1
        return headers | {"Retry-After": str(wait_seconds)}, too_much_weight(limit)

    def _of(self, endpoint: Endpoint, family: str) -> tuple[tuple[str, ...], int]:
        """The headers that tell the weight of an endpoint, and how much of it there may be."""
        if family != "sapi":
            return ("X-MBX-USED-WEIGHT", "X-MBX-USED-WEIGHT-1M"), self.weight_per_minute
        if endpoint.weighs_on_account:
            return ("X-SAPI-USED-UID-WEIGHT-1M",), self.wallet_account_weight_per_minute
        return ("X-SAPI-USED-IP-WEIGHT-1M",), self.wallet_weight_per_minute
