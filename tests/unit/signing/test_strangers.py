"""How long an address that failed too often is turned away, and what it is told."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, cast

from vaultsigner.config.settings import RateLimits
from vaultsigner.signing.clock import SystemClock
from vaultsigner.signing.strangers import Strangers
from vaultsigner.state import Count, NotCounted, State

HERE = ip_address("127.0.0.9")


@dataclass
class Full:
    """State in which a rate has room again in so many milliseconds."""

    left_ms: int
    asked: list[Count] = field(default_factory=list)

    async def count(self, count: Count, *, now_ms: int) -> NotCounted:
        self.asked.append(count)
        return NotCounted("rate", self.left_ms, count.rates[0].key)


async def test_a_blocked_address_is_told_no_more_than_what_is_left() -> None:
    now = 100.0
    strangers = Strangers(
        cast(State, cast(Any, Full(2_400))), RateLimits(), SystemClock(), monotonic=lambda: now
    )
    refused = await strangers.failed_signature(HERE)
    assert refused is not None
    assert refused.retry_after_seconds == 3
    for later, told in ((0.0, 3), (0.4, 2), (1.3, 2), (1.5, 1), (2.39, 1)):
        now = 100.0 + later
        blocked = strangers.blocked(HERE)
        assert blocked is not None, later
        assert blocked.retry_after_seconds == told, later
    now = 102.401
    assert strangers.blocked(HERE) is None, "it may come again when the rate has room, not a second later"
    assert strangers.blocked(ip_address("127.0.0.10")) is None
