"""Reads jobs on standard input, does them with the library that is named there, writes the results: see job.py."""

import asyncio
import json
import sys
from typing import Any

from tests.clients.exchange.job import Call, Job


def client_of(library: str, job: Job) -> Any:
    """The client of that library; only its own environment can import it."""
    if library.startswith("ccxt"):
        from tests.clients.exchange.with_ccxt import WithCcxt  # noqa: PLC0415 (of this environment, perhaps)

        return WithCcxt(job, asynchronous=library.endswith("async"))
    if library.startswith("python-binance"):
        from tests.clients.exchange.with_python_binance import WithPythonBinance  # noqa: PLC0415 (as above)

        return WithPythonBinance(job, asynchronous=library.endswith("async"))
    from tests.clients.exchange.with_binance_connector import (  # noqa: PLC0415 (as above)
        WithBinanceConnector,
    )

    return WithBinanceConnector(job)


async def result_of(client: Any, call: Call) -> dict[str, Any]:
    """What came of one call."""
    try:
        return {"result": await getattr(client, call["do"])(call)}
    except Exception as error:  # noqa: BLE001 (whatever the library raises is what the test wants to see)
        return {"error": {"class": type(error).__name__, "text": str(error)}}


async def results_of(library: str, document: dict[str, Any]) -> list[dict[str, Any]]:
    """What came of the calls of one job, made in order."""
    client = client_of(library, Job(document["addresses"], document["api_key"], document["secret"]))
    try:
        return [await result_of(client, call) for call in document["calls"]]
    finally:
        await client.close()


async def main() -> None:
    """One job after the other."""
    document = json.load(sys.stdin)
    results = [await results_of(document["library"], job) for job in document["jobs"]]
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
