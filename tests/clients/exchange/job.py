"""What a driver is told to do, and how it tells what came of it.

Standard input is {"library", "jobs"}. A job: addresses (spot, usdm, coinm: where each of the exchange's hosts is reached),
api_key, secret (HMAC, or a private key in PEM) and calls. A call: `do` and its arguments, all texts, named as Binance names them.
The answer is a list for each job, with {"result": ...} or {"error": {"class", "text"}} for each call; orders are told by order_id
and client_order_id.
"""

import inspect
from dataclasses import dataclass
from typing import Any

Call = dict[str, str]
Result = Any


@dataclass(frozen=True, slots=True)
class Job:
    """The part of a job that a client is made of."""

    addresses: dict[str, str]
    api_key: str
    secret: str

    @property
    def is_private_key(self) -> bool:
        """RSA or Ed25519 rather than HMAC."""
        return "PRIVATE KEY" in self.secret


async def settled(value: Any) -> Any:
    """The value of a library that waits, or of one that lets others wait."""
    return await value if inspect.isawaitable(value) else value


def order_of(document: dict[str, Any]) -> Result:
    """An order, of the exchange's own document."""
    return {"order_id": str(document["orderId"]), "client_order_id": document["clientOrderId"]}


def orders_of(documents: list[dict[str, Any]]) -> Result:
    """Several of them."""
    return [order_of(document) for document in documents]


def free_of(balances: list[dict[str, Any]]) -> Result:
    """What is free of each asset, of the exchange's own document."""
    return {balance["asset"]: balance["free"] for balance in balances}


def arguments(call: Call) -> dict[str, str]:
    """All of a call but its name."""
    return {name: value for name, value in call.items() if name != "do"}
