"""The exchange on a port: HTTP, its WebSocket API, and the faults that are armed."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from vaultsigner.dev.exchange import websocket
from vaultsigner.dev.exchange.exchange import ALWAYS, Answer, Exchange
from vaultsigner.dev.exchange.faults import Faults, plain
from vaultsigner.dev.exchange.requests import RawRequest
from vaultsigner.dev.exchange.signatures import Account

SHUTDOWN_SECONDS = 0.2
LARGEST_BODY_BYTES = 64 << 20


class ExchangeServer:
    """An exchange, its faults, and the application that serves them."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.exchange = Exchange(accounts)
        self.faults = Faults()

    @property
    def url(self) -> str:
        """Where it is reached."""
        return self.exchange.url

    def application(self) -> web.Application:
        """Every path goes to the exchange as it came, so that nothing is decoded on the way."""
        application = web.Application(client_max_size=LARGEST_BODY_BYTES)
        application.router.add_get(websocket.PATH, self.talk)
        application.router.add_route("*", "/{path:.*}", self.handle)
        return application

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request over HTTP."""
        raw = await _raw(request)
        fault = self.faults.take(f"{raw.method} {raw.path}")
        if fault is None:
            return plain(self.exchange.take(raw))
        if not fault.executes:
            self.exchange.leave(raw, fault.name, fault.status)
            return await fault.way(request, Answer(0, b"{}", ALWAYS))
        answer = self.exchange.take(raw)
        if not self.exchange.received[-1].executed:
            return plain(answer)
        self.exchange.spoil(fault.name, fault.status)
        return await fault.way(request, answer)

    async def talk(self, request: web.Request) -> web.WebSocketResponse:
        """One connection of the WebSocket API."""
        response = web.WebSocketResponse()
        await response.prepare(request)
        session = websocket.Session(self.exchange)
        async for message in response:
            if message.type is WSMsgType.TEXT:
                await response.send_str(session.take(message.data))
        return response


async def _raw(request: web.Request) -> RawRequest:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
    return RawRequest(request.method, request.raw_path, headers, await request.read())


@asynccontextmanager
async def run_exchange(accounts: Iterable[Account], *, port: int = 0) -> AsyncIterator[ExchangeServer]:
    """An exchange on 127.0.0.1 in this event loop for as long as the block lasts; port 0 lets the system choose."""
    server = ExchangeServer(accounts)
    runner = web.AppRunner(
        server.application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handler_cancellation=True
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        server.exchange.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
