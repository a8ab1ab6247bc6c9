"""What state remembers of a chain account, and what it answers to those who want its next number. Pure."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account: the chain's id (which signatures cover) and the address."""

    chain_id: str
    address: str


class HeldStatus(StrEnum):
    """How far the transaction on a held number has come."""

    RESERVED = "reserved"
    """Somebody signs for it; nothing was sent."""
    SENT = "sent"
    """Its bytes are stored, and may have been sent or be on their way just now."""
    UNKNOWN = "unknown"
    """It was sent and nobody knows what became of it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A sequence number that is taken, and by what.

    Args:
        fingerprint: of the request: the same for requests that give the same bytes at the same number.
        owner: who holds it.
        lease_until_ms: until when the owner is believed to be at work.
        transaction: the exact bytes, once they may have been sent.
    """

    sequence: int
    fingerprint: str
    owner: str
    status: HeldStatus
    lease_until_ms: int
    transaction: bytes | None = None
    transaction_hash: str | None = None

    def in_flight(self, now_ms: int) -> bool:
        """True while its owner may still be at work on it."""
        return self.status is not HeldStatus.UNKNOWN and now_ms < self.lease_until_ms


@dataclass(frozen=True, slots=True)
class Account:
    """An account as state knows it.

    Args:
        sequence: the next number; the held one while one is held.
        version: goes up with everything that happens to the account or to its held number.
    """

    account_number: int
    sequence: int
    held: Held | None
    version: int


@dataclass(frozen=True, slots=True)
class Reserved:
    """The number is the caller's until its lease ends. `transaction`: send exactly these bytes, which went out before."""

    account_number: int
    sequence: int
    transaction: bytes | None


@dataclass(frozen=True, slots=True)
class HeldByOther:
    """The number is not to be had: another transaction is on it, or the same one is in flight."""

    held: Held


class Resynchronised(StrEnum):
    """What became of the node's view of an account."""

    UPDATED = "updated"
    """Nothing was held that was ever sent; number and sequence are the node's now."""
    SETTLED = "settled"
    """The held transaction is forgotten; number and sequence are the node's now."""
    IN_FLIGHT = "in_flight"
    """Left alone: somebody is at work on the held number."""
    UNSETTLED = "unsettled"
    """Left alone: the outcome of the held transaction is not established."""
    CHANGED = "changed"
    """Left alone: something happened to the account after the caller had looked at it, so the node's view may be old."""
