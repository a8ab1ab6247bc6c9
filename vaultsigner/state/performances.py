"""What a transaction does once it is in a block, and for whom. Pure."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Performed:
    """An operation in which an address has a part.

    Args:
        operation: e.g. `transfer`.
        role: of the address in it.
    """

    operation: str
    role: Literal["sender", "recipient"]
    address: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A transaction that went out, and of which nobody knows whether it came into a block."""

    chain_id: str
    transaction_hash: str


PENDING_MS = 7 * 86_400_000
"""How long what is pending is remembered: a chain takes a transaction within minutes or, once its number is used, never."""
