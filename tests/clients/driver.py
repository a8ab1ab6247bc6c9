"""Runs in .venv-clients: obeys one JSON line at a time on standard input with python-binance-chain's own signing clients.

A line is {"call": method, "message": {"class": ..., ...} or null, "wallet": name or null}; the answer is {"result": ...} or
{"error": class name, "text": ...}. The first line has url, username, password and kind (sync or async).
"""

import asyncio
import json
import sys
from decimal import Decimal
from typing import Any

from binance_chain import messages
from binance_chain.constants import OrderSide, OrderType, TimeInForce, VoteOption
from binance_chain.signing.http import AsyncHttpApiSigningClient, HttpApiSigningClient

READERS = {
    "price": Decimal,
    "quantity": Decimal,
    "amount": Decimal,
    "side": OrderSide,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
    "vote_option": VoteOption,
}


def message_of(document: dict[str, Any]) -> Any:
    """The library's message from its class name and the arguments of its constructor."""
    fields = {name: READERS.get(name, lambda value: value)(value) for name, value in document.items()}
    if "transfers" in fields:
        fields["transfers"] = [
            messages.Transfer(amount=Decimal(entry["amount"]), symbol=entry["symbol"])
            for entry in fields["transfers"]
        ]
    return getattr(messages, fields.pop("class"))(**fields)


def arguments_of(line: dict[str, Any]) -> list[Any]:
    """What the client's method is called with."""
    arguments = [message_of(line["message"])] if line.get("message") else []
    return arguments + ([line["wallet"]] if line.get("wallet") else [])


def answer(result: Any) -> None:
    """One line back."""
    print(json.dumps(result), flush=True)


def told(error: Exception) -> dict[str, str]:
    """An exception, as data."""
    return {"error": type(error).__name__, "text": str(error)}


def drive_sync(first: dict[str, Any]) -> None:
    """HttpApiSigningClient logs in while it is made."""
    try:
        client = HttpApiSigningClient(first["url"], first["username"], first["password"])
    except Exception as error:  # noqa: BLE001 (whatever the library raises is what the test wants to see)
        answer(told(error))
        return
    answer({"result": "logged in"})
    with client.session:
        for line in map(json.loads, sys.stdin):
            try:
                answer({"result": getattr(client, line["call"])(*arguments_of(line))})
            except Exception as error:  # noqa: BLE001 (as above)
                answer(told(error))


async def drive_async(first: dict[str, Any]) -> None:
    """AsyncHttpApiSigningClient is made first and logs in when told to."""
    client = await AsyncHttpApiSigningClient.create(first["url"], first["username"], first["password"])
    async with client.session:
        try:
            await client.authenticate()
        except Exception as error:  # noqa: BLE001 (as above)
            answer(told(error))
            return
        answer({"result": "logged in"})
        for line in map(json.loads, sys.stdin):
            try:
                answer({"result": await getattr(client, line["call"])(*arguments_of(line))})
            except Exception as error:  # noqa: BLE001 (as above)
                answer(told(error))


def main() -> None:
    """Read who to be, then obey."""
    first = json.loads(sys.stdin.readline())
    if first["kind"] == "sync":
        drive_sync(first)
    else:
        asyncio.run(drive_async(first))


if __name__ == "__main__":
    main()
