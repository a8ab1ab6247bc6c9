"""Limits for those who have not shown who they are: log-ins by user and address, failed signatures by address."""

import math
import time
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network

from vaultsigner.config.settings import RateLimits
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.calls import IpAddress
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.counting import rate_of, refusal_of, too_many
from vaultsigner.state import Count, Rate, State

REMEMBERED = 10_000


class Strangers:
    """Counts in state, over all processes; a failure to count is a failure of the request."""

    def __init__(
        self,
        state: State,
        limits: RateLimits,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic
        self._blocked_until: dict[str, float] = {}

    def blocked(self, ip: IpAddress) -> Refusal | None:
        """Whether this process knows already that the address has failed too often: then nothing more is spent on it."""
        until = self._blocked_until.get(_origin(ip))
        left = 0.0 if until is None else until - self._monotonic()
        if left <= 0:
            return None
        return too_many(f"failed signature from {_origin(ip)}", math.ceil(left))

    async def failed_signature(self, ip: IpAddress) -> Refusal | None:
        """Count one; a refusal when there were too many from that address.

        Raises:
            StateError: it cannot be counted.
        """
        limit = self._limits.failed_signatures_per_address
        refusal = await self._commit(rate_of(f"failed signature from {_origin(ip)}", limit))
        if refusal is not None and refusal.retry_after_seconds is not None:
            if len(self._blocked_until) >= REMEMBERED:
                self._blocked_until.clear()
            self._blocked_until[_origin(ip)] = self._monotonic() + refusal.retry_after_seconds
        return refusal

    async def log_in_from(self, ip: IpAddress) -> Refusal | None:
        """Count an attempt before its password is looked at.

        Raises:
            StateError: it cannot be counted.
        """
        return await self._commit(self._rate_of_address(ip))

    async def log_in_as(self, subject: str) -> Refusal | None:
        """Count an attempt, once custody knows for whom; its answer, good or bad, is withheld when this refuses.

        Raises:
            StateError: it cannot be counted.
        """
        return await self._commit(self._rate_of_subject(subject))

    async def not_tried(self, ip: IpAddress) -> None:
        """No password was looked at: the attempt does not count.

        Raises:
            StateError: that cannot be written.
        """
        await self._state.refund(self._rate_of_address(ip), now_ms=self._clock.milliseconds())

    async def logged_in(self, ip: IpAddress, subject: str) -> None:
        """The password was right: neither attempt counts.

        Raises:
            StateError: that cannot be written.
        """
        await self.not_tried(ip)
        await self._state.refund(self._rate_of_subject(subject), now_ms=self._clock.milliseconds())

    def _rate_of_address(self, ip: IpAddress) -> Rate:
        return rate_of(f"log-in from {_origin(ip)}", self._limits.log_ins_per_address)

    def _rate_of_subject(self, subject: str) -> Rate:
        return rate_of(f"log-in as {subject}", self._limits.log_ins_per_user)

    async def _commit(self, rate: Rate) -> Refusal | None:
        refused = await self._state.count(Count(rates=(rate,)), now_ms=self._clock.milliseconds())
        return None if refused is None else refusal_of(refused)


def _origin(ip: IpAddress) -> str:
    """An IPv6 customer has a /64 at least, and so 2^64 addresses to ask from."""
    return str(IPv6Network((ip, 64), strict=False)) if isinstance(ip, IPv6Address) else str(ip)
