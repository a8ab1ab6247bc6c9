"""A Beacon Chain node stand-in: the HTTP API that a signer needs, over a chain in memory, with faults on demand.

Paths and answers as in the chain's API reference (`/api/v1/...`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web

from vaultsigner.dev.beacon_chain import BeaconChain, Received
from vaultsigner.dev.beacon_faults import Fault, Faults

SHUTDOWN_SECONDS = 0.2

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BeaconNode:
    """A node of `chain`, reachable at `url`; `faults` says what goes wrong."""

    def __init__(self, chain: BeaconChain) -> None:
        self.chain = chain
        self.faults = Faults()
        self.url = ""

    def application(self) -> web.Application:
        """The routes that a signer uses."""
        application = web.Application(middlewares=[self._fail_queries])
        application.add_routes(
            [
                web.get("/api/v1/node-info", self.node_info),
                web.get("/api/v1/account/{address}", self.account),
                web.get("/api/v1/account/{address}/sequence", self.sequence),
                web.get("/api/v1/tx/{hash}", self.transaction),
                web.post("/api/v1/broadcast", self.broadcast),
            ]
        )
        return application

    async def node_info(self, _: web.Request) -> web.Response:
        """Which chain this is."""
        info = {"network": self.chain.chain_id, "version": "0.33.9", "moniker": "stand-in"}
        return web.json_response({"node_info": info, "sync_info": {"catching_up": False}})

    async def account(self, request: web.Request) -> web.Response:
        """An account, as of the last block."""
        address = request.match_info["address"]
        account = self.chain.accounts.get(address)
        if account is None:
            return _error(HTTPStatus.NOT_FOUND, "account not found")
        return web.json_response(
            {
                "account_number": account.account_number,
                "address": address,
                "balances": [],
                "flags": 0,
                "public_key": None,
                "sequence": self.chain.visible_sequence(address),
            }
        )

    async def sequence(self, request: web.Request) -> web.Response:
        """The account's sequence alone."""
        address = request.match_info["address"]
        if address not in self.chain.accounts:
            return _error(HTTPStatus.NOT_FOUND, "account not found")
        return web.json_response({"sequence": self.chain.visible_sequence(address)})

    async def transaction(self, request: web.Request) -> web.Response:
        """A transaction that is in a block."""
        wanted = request.match_info["hash"].upper()
        if self.chain.find(wanted) is None:
            return _error(HTTPStatus.NOT_FOUND, f"Tx: Transaction ({wanted}) not found")
        return web.json_response({"code": 0, "hash": wanted, "height": "1", "log": "Msg 0: ", "ok": True})

    async def broadcast(self, request: web.Request) -> web.StreamResponse:
        """Takes a transaction; without `sync` the caller does not learn whether it is any good."""
        text = (await request.text()).strip()
        fault = self.faults.next_broadcast()
        if fault is not None:
            return await self._broadcast_badly(request, text, fault)
        received = self.chain.take(text)
        await self.faults.delay_broadcast()
        checked = request.query.get("sync", "").lower() in ("1", "true")
        if received.refusal is not None and checked:
            return _error(HTTPStatus.BAD_REQUEST, received.refusal)
        return web.json_response([_good_answer(received)])

    async def _broadcast_badly(self, request: web.Request, text: str, fault: Fault) -> web.StreamResponse:
        if fault.executes:
            self.chain.take(text)
        else:
            self.chain.lose(text)
        return await fault.answer(request)

    @web.middleware
    async def _fail_queries(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "GET" and self.faults.every_query is not None:
            return await self.faults.every_query.answer(request)
        return await handler(request)


@asynccontextmanager
async def run_beacon_node(
    *,
    chain_id: str = "Binance-Chain-Ganges",
    address_prefix: str = "tbnb",
    block_seconds: float = 0.0,
    port: int = 0,
) -> AsyncIterator[BeaconNode]:
    """A node on 127.0.0.1 in this event loop for as long as the block lasts; port 0 lets the system choose."""
    node = BeaconNode(BeaconChain(chain_id, address_prefix, block_seconds))
    runner = web.AppRunner(
        node.application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handler_cancellation=True
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        bound_port = runner.addresses[0][1]
        node.url = f"http://127.0.0.1:{bound_port}"
        yield node
    finally:
        await runner.cleanup()


def _good_answer(received: Received) -> dict[str, object]:
    return {"code": 0, "data": "", "hash": received.transaction_hash, "log": "Msg 0: ", "ok": True}


def _error(status: HTTPStatus, message: str) -> web.Response:
    document = {"code": int(status), "failed_tx_index": 0, "message": message, "success_tx_results": None}
    return web.json_response(document, status=status)
