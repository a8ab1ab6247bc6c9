"""What it costs to ask an exchange through vaultsigner: beside asking the exchange itself, and beside a signature alone.

The exchange is the stand-in, on loopback, which checks each signature: an order that is only tried (`POST /api/v3/order/test`),
so that its books stay empty. To a real exchange the way alone takes longer than all of this.
"""

import json
import secrets
from dataclasses import replace
from urllib.parse import urlencode

from benchmarks.child_servers import ChildServer, run_child_server
from benchmarks.desk import SIGNER, Desk, Ground
from benchmarks.load import Target
from benchmarks.side_by_side import Comparison, Contender, Rounds, compare
from benchmarks.signed_requests import Signer
from vaultsigner.dev.planned_exchanges import PlannedExchange

DIRECT, IN_TRANSIT, IN_KV, SIGN_ONLY = (
    "the exchange, asked directly",
    "through vaultsigner, secret in Transit",
    "through vaultsigner, secret in KV",
    "signed only (Transit), for the caller to send",
)
TRANSIT, KV = "bench-transit", "bench-kv"
ENDPOINT = "/api/v3/order/test"
ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "60000",
}
ACCOUNT = Signer("BenchAccountAtTheExchange", secrets.token_hex(32))
"""The account at the exchange, and how it is asked without vaultsigner."""


async def compare_forwarding(ground: Ground, rounds: Rounds) -> Comparison:
    """Load the exchange itself, and vaultsigner before it, with orders that a client signs with HMAC."""
    account = f"{ACCOUNT.api_key} {ACCOUNT.secret}\n".encode()
    async with run_child_server("benchmarks.exchange_process", account) as exchange:
        url = f"http://127.0.0.1:{exchange.port}"
        exchanges = tuple(
            PlannedExchange(name, url, ACCOUNT.api_key, "hmac", ACCOUNT.secret, transit=name == TRANSIT)
            for name in (TRANSIT, KV)
        )
        clients = tuple(replace(client, exchanges=(TRANSIT, KV)) for client in ground.plan.clients)
        plan = replace(ground.plan, clients=clients, exchanges=exchanges)
        async with ground.run_desk("forwarding", plan) as desk:
            return await compare(_contenders(desk, exchange), rounds)


def _contenders(desk: Desk, exchange: ChildServer) -> list[Contender]:
    listen, order = desk.listen, urlencode(ORDER)

    def forward(name: str, exchange_name: str) -> Target:
        path = f"/exchange/{exchange_name}{ENDPOINT}"
        return Target(name, listen.host, listen.port, (lambda: SIGNER.post_order(path, str(listen), order),))

    asked = json.dumps({"method": "POST", "path": ENDPOINT, "params": ORDER}).encode()
    sign_path = f"/api/exchange/{TRANSIT}/sign"
    host = f"127.0.0.1:{exchange.port}"
    at_exchange = (exchange.pid,)
    return [
        Contender(
            Target(DIRECT, "127.0.0.1", exchange.port, (lambda: ACCOUNT.post_order(ENDPOINT, host, order),)),
            at_exchange,
        ),
        Contender(forward(IN_TRANSIT, TRANSIT), desk.processes + at_exchange),
        Contender(forward(IN_KV, KV), desk.processes + at_exchange),
        Contender(
            Target(
                SIGN_ONLY, listen.host, listen.port, (lambda: SIGNER.post(sign_path, str(listen), asked),)
            ),
            desk.processes + at_exchange,
        ),
    ]
