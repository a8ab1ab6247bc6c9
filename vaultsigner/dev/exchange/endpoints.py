"""What the exchange serves: one row an endpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from vaultsigner.dev.exchange.calls import Call
from vaultsigner.dev.exchange.refusals import Json
from vaultsigner.dev.exchange.signatures import Right

Security = Literal["none", "key", "signed"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method at one path.

    Args:
        answer: makes the document, or raises RefusedError.
        security: none; an API key; or an API key, a timestamp and a signature.
        right: what the API key must be allowed.
        parameters: all that it reads (without timestamp, recvWindow, signature); None reads anything.
        weight: of X-MBX-USED-WEIGHT.
        weighs_on_account: the weight is the account's, not the address's (some of the wallet's endpoints).
        orders: how many orders it adds to X-MBX-ORDER-COUNT.
    """

    method: str
    path: str
    answer: Callable[[Call], Json]
    security: Security = "signed"
    right: Right = "read"
    parameters: frozenset[str] | None = None
    weight: int = 1
    weighs_on_account: bool = False
    orders: int = 0


def reads(names: str) -> frozenset[str]:
    """Names apart by blanks."""
    return frozenset(names.split())
