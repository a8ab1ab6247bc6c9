"""What is counted so that it happens once, or not too often: nonces, rates, limits, and approvals. Pure."""

from dataclasses import dataclass
from typing import Literal

from vaultsigner.state.approvals import ApprovalRefused, ApprovalUse
from vaultsigner.state.limits import LimitUse

CLOCK_SLACK_MS = 120_000
"""How far behind ours the clock of another server may be without a nonce being forgotten that it would still accept."""


@dataclass(frozen=True, slots=True)
class Nonce:
    """Something that counts once.

    Args:
        digest: of what may not come again. Two spellings of one thing must have one digest: the caller sees to that.
        expires_at_ms: from when on nobody accepts it any more, whether it is remembered or not.
    """

    digest: bytes
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something may happen: `count` times at once, and then evenly, `count` times in `every_ms`.

    Args:
        key: whose rate it is, e.g. `login address 10.0.0.7`. Whoever shares a key shares the rate, over all processes.
        count: at least 1.
        every_ms: at least 1.
    """

    key: str
    count: int
    every_ms: int

    @property
    def step_us(self) -> int:
        """What one costs, in microseconds: rounded up, so that never more than `count` fit."""
        return -(-self.every_ms * 1_000 // self.count)


@dataclass(frozen=True, slots=True)
class Count:
    """What is to be counted together: all of it or nothing."""

    nonces: tuple[Nonce, ...] = ()
    rates: tuple[Rate, ...] = ()
    limits: tuple[LimitUse, ...] = ()
    approval: ApprovalUse | None = None


@dataclass(frozen=True, slots=True)
class NotCounted:
    """Why nothing was counted.

    Args:
        why: `replayed`: the nonce was used before. `clock`: it is older than what state remembers, so nobody knows; the
            clock went back, or was far ahead once. `rate`: too often. `limit`: too much in a window. `approval`: it is not
            to be used for this, see `approval`.
        retry_after_ms: for `rate` and `limit`: when there is room again, if nothing else comes; None: never, it is more than
            the whole limit.
        key: of the rate or limit that has no room.
        left_units: for `limit`: how much would fit now.
        approval: for `approval`: what is wrong with it.
    """

    why: Literal["replayed", "clock", "rate", "limit", "approval"]
    retry_after_ms: int | None = 0
    key: str | None = None
    left_units: int | None = None
    approval: ApprovalRefused | None = None
