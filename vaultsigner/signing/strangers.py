"""Limits for those who have not shown who they are: log-ins by user and address, failed signatures by address."""

import asyncio
import time
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network

from vaultsigner.config.settings import RateLimits
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.calls import IpAddress
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.limits import rate_of, refusal_of, too_many
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
        return too_many(_key_of(ip), round(left * 1000))

    async def failed_signature(self, ip: IpAddress) -> Refusal | None:
        """Count one; a refusal when there were too many from that address.

        Raises:
            StateError: it cannot be counted.
        """
        rate = rate_of(_key_of(ip), self._limits.failed_signatures_per_address)
        refused = await self._state.count(Count(rates=(rate,)), now_ms=self._clock.milliseconds())
        if refused is None:
            return None
        if len(self._blocked_until) >= REMEMBERED:
            self._blocked_until.clear()
        self._blocked_until[_origin(ip)] = self._monotonic() + (refused.retry_after_ms or 0) / 1000
        return refusal_of(refused)

    async def unproved_call(self, ip: IpAddress) -> Refusal | None:
        """Count a call to an exchange that nobody signed: what it costs there is the desk's.

        Raises:
            StateError: it cannot be counted.
        """
        key = f"unsigned call to an exchange from {_origin(ip)}"
        return await self._commit(rate_of(key, self._limits.public_calls_per_address))

    async def log_in_from(self, ip: IpAddress) -> Refusal | None:
        """Count an attempt before its password is looked at.

        Raises:
            StateError: it cannot be counted.
        """
        return await self._commit(self._rate_of_address(ip))

    async def failed_log_in(self, subject: str | None, bucket: str | None) -> Refusal | None:
        """Count a failure; it is told as one unless this refuses.

        What is told depends on the bucket alone, which is the same for names with and without a user. The user's own rate is
        charged beside it, for `right_password` to look at; for strangers the same is done with a rate that nobody looks at.

        Args:
            subject, bucket: as in `LogInRefused`; without a bucket there is nothing to count.

        Raises:
            StateError: it cannot be counted.
        """
        if bucket is None:
            return None
        whose = subject or f"nobody of {bucket}"
        told, _ = await asyncio.gather(
            self._commit(self._rate_of_log_ins(bucket)), self._commit(self._rate_of_log_ins(whose))
        )
        return told

    async def right_password(self, ip: IpAddress, subject: str, bucket: str) -> Refusal | None:
        """A right password counts for nothing, but is withheld where guesses would not be told either.

        Either rate that still has room is good enough. By the user's own, strangers who use up the bucket lock nobody out; a
        wrong guess uses up what a right one would need. And while a failure is still told, so is success, or silence would be
        the sign of a right guess.

        Raises:
            StateError: it cannot be counted, or what was counted not be written back.
        """
        rate = self._rate_of_log_ins(subject)
        if await self._commit(rate) is not None:
            rate = self._rate_of_log_ins(bucket)
            if (refused := await self._commit(rate)) is not None:
                return refused
        await self._refund(rate)
        await self.not_tried(ip)
        return None

    async def not_tried(self, ip: IpAddress) -> None:
        """No password was looked at: the attempt does not count.

        Raises:
            StateError: that cannot be written.
        """
        await self._refund(self._rate_of_address(ip))

    def _rate_of_address(self, ip: IpAddress) -> Rate:
        return rate_of(f"log-in from {_origin(ip)}", self._limits.log_ins_per_address)

    def _rate_of_log_ins(self, whose: str) -> Rate:
        return rate_of(f"log-in as {whose}", self._limits.log_ins_per_user)

    async def _refund(self, rate: Rate) -> None:
        await self._state.refund(rate, now_ms=self._clock.milliseconds())

    async def _commit(self, rate: Rate) -> Refusal | None:
        refused = await self._state.count(Count(rates=(rate,)), now_ms=self._clock.milliseconds())
        return None if refused is None else refusal_of(refused)


def _key_of(ip: IpAddress) -> str:
    return f"failed signature from {_origin(ip)}"


def _origin(ip: IpAddress) -> str:
    """An IPv6 customer has a /64 at least, and so 2^64 addresses to ask from."""
    return str(IPv6Network((ip, 64), strict=False)) if isinstance(ip, IPv6Address) else str(ip)
