"""The libraries that people trade with, each in its environment, told what to do by jobs: tests/clients/exchange/job.py."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.exchanges import KEY_OF, KEYS
from vaultsigner.dev.exchange.signatures import Scheme

ROOT = Path(__file__).parents[3]
NPM = ROOT / ".venv-npm-clients"
PYTHON_DRIVER = ["-m", "tests.clients.exchange"]
PRODUCTS = ("spot", "usdm", "coinm")

Call = dict[str, str]
Job = dict[str, Any]
Results = list[Any]


@dataclass(frozen=True, slots=True)
class Library:
    """One of them: how it is started, and what it does not have."""

    name: str
    command: tuple[str | Path, ...]
    lacks: frozenset[str] = frozenset()


def _python(environment: str) -> tuple[str | Path, ...]:
    return (ROOT / environment / "bin" / "python", *PYTHON_DRIVER)


_NODE = (NPM / "node", ROOT / "tests" / "clients" / "npm" / "driver.cjs", NPM)
_CLIENTS = _python(".venv-exchange-clients")
FUTURES = frozenset(
    {"futures_order", "futures_replace", "futures_batch", "futures_leverage", "coin_futures_order"}
)
LIBRARIES = {
    library.name: library
    for library in (
        Library("ccxt", _CLIENTS),
        Library("ccxt-async", _CLIENTS),
        Library("python-binance", _CLIENTS, frozenset({"amend_order"})),
        Library("python-binance-async", _CLIENTS, frozenset({"amend_order"})),
        Library("binance-connector", _python(".venv-binance-connector"), FUTURES),
        Library("ccxt-js", _NODE),
        Library("binance-js", _NODE),
        Library("connector-js", _NODE, FUTURES),
    )
}


def job(addresses: str | dict[str, str], scheme: Scheme, calls: list[Call], key: Any = None) -> Job:
    """A job with the vectors' key of that scheme, or another; one address: for all of the exchange's hosts."""
    whose = key or KEYS[KEY_OF[scheme]]
    hosts = dict.fromkeys(PRODUCTS, addresses) if isinstance(addresses, str) else addresses
    secret = whose.get("secret") or whose["private_key"]
    return {"addresses": hosts, "api_key": whose["api_key"], "secret": secret, "calls": calls}


def drive(library: str, jobs: list[Job]) -> list[Results]:
    """What came of each call of each job."""
    done = subprocess.run(
        LIBRARIES[library].command,
        input=json.dumps({"library": library, "jobs": jobs}),
        capture_output=True,
        text=True,
        check=False,
        env={},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    results: list[Results] = json.loads(done.stdout)
    return results


LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.5", "price": "50000"}
OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.5",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "70000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowPrice": "49000",
    "belowStopPrice": "50000",
    "belowTimeInForce": "GTC",
}
WITHDRAWAL = {"coin": "USDT", "amount": "250", "address": "TAddress", "network": "TRX", "name": "cold-store"}
TRANSFER = {"type": "MAIN_UMFUTURE", "asset": "USDT", "amount": "100"}
FUTURES_LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.5", "price": "50000"}
BTC = {"symbol": "BTCUSDT"}

READING: list[Call] = [
    {"do": "time"},
    {"do": "markets"},
    {"do": "price", **BTC},
    {"do": "balances"},
    {"do": "open_orders", **BTC},
]
TRADING: list[Call] = [
    {"do": "create_order", **LIMIT, "newClientOrderId": "x-U5D79M5B-mine"},
    {"do": "query_order", **BTC},
    {"do": "open_orders", **BTC},
    {"do": "amend_order", **BTC, "newQty": "0.4"},
    {"do": "replace_order", **LIMIT, "price": "51000"},
    {"do": "cancel_order", **BTC},
    {"do": "order_list", **OCO},
    {"do": "cancel_all", **BTC},
]
MOVING: list[Call] = [{"do": "withdraw", **WITHDRAWAL}, {"do": "transfer", **TRANSFER}]
STREAMING: list[Call] = [{"do": "listen_key"}]
FUTURES_CALLS: list[Call] = [
    {"do": "futures_order", **FUTURES_LIMIT},
    {"do": "futures_replace", **FUTURES_LIMIT, "quantity": "0.4", "price": "50100"},
    {"do": "futures_batch", **FUTURES_LIMIT},
    {"do": "futures_leverage", **BTC, "leverage": "7"},
    {"do": "coin_futures_order", "symbol": "BTCUSD_PERP", "side": "BUY", "quantity": "2", "price": "50000"},
]


ODD = 'a b+c%d/e=f&gh"i[1,2] é🐎~'
"""Looked for as an order's name: what the exchange says it was asked shows whether it came through. No apostrophe: the two npm
packages that use axios sign it as it is, and send it encoded."""
FIND_ODD: Call = {"do": "find_order", **BTC, "origClientOrderId": ODD}

ENCODING = [name for name in LIBRARIES if not name.startswith("python-binance")]
"""python-binance 1.0.37 signs before it encodes: such values are wrongly signed wherever it sends them."""


def calls_of(library: str, scheme: Scheme, *groups: list[Call]) -> list[Call]:
    """Those of the calls that the library can make. python-binance 1.0.37 cannot sign a batch with a private key."""
    lacks = LIBRARIES[library].lacks
    if library.startswith("python-binance") and scheme != "hmac":
        lacks |= {"futures_batch"}
    return [call for group in groups for call in group if call["do"] not in lacks]


def named(calls: list[Call], results: Results) -> dict[str, Any]:
    """The results by the name of the call; all must have come off."""
    assert len(calls) == len(results)
    failed = {call["do"]: result for call, result in zip(calls, results, strict=True) if "error" in result}
    assert not failed, failed
    return {call["do"]: result["result"] for call, result in zip(calls, results, strict=True)}
