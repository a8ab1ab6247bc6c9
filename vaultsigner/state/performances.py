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
