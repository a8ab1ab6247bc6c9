"""The HTTP connection itself: how bytes come in, and how a request that is no HTTP is answered."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import HttpRequestParser
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler, RequestPayloadError, _ErrInfo

from vaultsigner.server.bodies import MAX_CHUNK_PIECES
from vaultsigner.server.edge import Edge
from vaultsigner.server.process import connection_limit
from vaultsigner.server.wiping import pieces_waiting, require_wipeable, wipe_unless_shared, wipe_unread

log = structlog.get_logger(__name__)

READ_BUFFER_BYTES = 65536
KEEP_ALIVE_SECONDS = 75.0
HEAD_SECONDS = 10.0
"""How long a request's head may take, from its first byte or the connection's beginning; idle in between is another matter."""
WRITE_SECONDS = 30.0
"""How long a client may leave an answer unread that waits in memory."""
FULL_LOG_SECONDS = 60.0
LINGER_SECONDS = 2.0
"""How long an unread body is drained after its refusal, so that the client reads the answer and not a reset."""

Answerer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Connection(RequestHandler, asyncio.BufferedProtocol):
    """One client connection, read through a buffer that all connections share and that is wiped after each read.

    The event loop fills the buffer and hands it over in one step, so no two connections are ever in it at once.
    """

    __slots__ = (
        "_answer_broken",
        "_head_deadline",
        "_input",
        "_last_body",
        "_last_pieces",
        "_last_resort",
        "_write_deadline",
    )

    def __init__(self, manager: "ConnectionServer", **options: Any) -> None:
        super().__init__(manager, **options)
        self._answer_broken = manager.answer_broken
        self._last_resort = manager.last_resort
        self._input = manager.input
        self._last_body: StreamReader | None = None
        self._last_pieces = 0
        self._head_deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        # The parser's own queue limit would park the rest of a read in memory that nobody can wipe. Without it a connection
        # queues at most what one read holds: RequestHandler stops reading by its own count.
        self._parser = HttpRequestParser(
            self,
            self._loop,
            READ_BUFFER_BYTES,
            payload_exception=RequestPayloadError,
            auto_decompress=False,
            max_msg_queue_size=0,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect a request soon: who connects and says nothing would keep others out."""
        super().connection_made(transport)
        self._head_deadline = self._loop.call_later(HEAD_SECONDS, self._end_without_head)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing is waited for any more."""
        for timer in (self._head_deadline, self._write_deadline):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    async def start(self) -> None:
        """Answer the connection's requests. A last answer that its client never reads would keep a closed connection for ever."""
        transport = self.transport
        try:
            await super().start()
        finally:
            if transport is not None and transport.get_write_buffer_size() > 0:
                self._loop.call_later(WRITE_SECONDS, transport.abort)

    def pause_writing(self) -> None:
        """An answer is not being read: the client has a while to go on."""
        super().pause_writing()
        if self.transport is not None:
            self._write_deadline = self._loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It goes on."""
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None
        super().resume_writing()

    def _end_without_head(self) -> None:
        self._head_deadline = None
        if self._is_idle():
            self.force_close()

    def _is_idle(self) -> bool:
        """Whether no request is here; the beginning of one does not count."""
        return self._waiter is not None and not self._waiter.done()

    def _watch_head(self) -> None:
        if self._head_deadline is None:
            if self._is_idle():
                self._head_deadline = self._loop.call_later(HEAD_SECONDS, self._end_without_head)
        elif not self._is_idle():
            self._head_deadline.cancel()
            self._head_deadline = None

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the event loop puts what it reads next."""
        return self._input

    def buffer_updated(self, nbytes: int) -> None:
        """Parse what came in, then leave no copy of it here: it may hold a password."""
        arrived = self._input[:nbytes]
        data = arrived.tobytes()
        arrived[:] = bytes(nbytes)
        self.data_received(data)
        self._watch_head()
        wipe_unless_shared(data)

    def data_received(self, data: bytes) -> None:
        """Parse `data`, unless the connection's last request has come in whole already, or in crumbs."""
        if self._hears_no_more():
            return
        known = len(self._messages)
        pieces = 0 if self._last_body is None else pieces_waiting(self._last_body)
        super().data_received(data)
        if self._last_body is None:
            self._find_last(known)
        else:
            self._drop_behind(known)
        if self._last_body is not None:
            self._last_pieces += pieces_waiting(self._last_body) - pieces
        else:
            self._fail_broken_body()

    def _hears_no_more(self) -> bool:
        last = self._last_body
        if last is None:
            return False
        return last.is_eof() or last.exception() is not None or self._last_pieces > MAX_CHUNK_PIECES

    def _find_last(self, first_new: int) -> None:
        """A request with chunks is its connection's last one, and so is one that would change the protocol.

        The parser keeps the trailer fields behind the last chunk and adds them to the headers of whatever request comes next:
        a client behind the same proxy would act with the token that another one sent as a trailer.
        """
        for at, (message, body) in enumerate(islice(self._messages, first_new, None), first_new):
            if not isinstance(message, _ErrInfo) and (message.chunked or message.upgrade):
                self._messages[at] = (message._replace(should_close=True), body)
                self._last_body = body
                self._drop_behind(at + 1)
                return

    def _drop_behind(self, first: int) -> None:
        """Forget what the parser made of bytes behind the last request; of a broken end of its body, the reader is told."""
        while len(self._messages) > first:
            message, body = self._messages.pop()
            wipe_unread(body)
            last = self._last_body
            if isinstance(message, _ErrInfo) and last is not None and not last.is_eof():
                last.set_exception(_broken_framing())

    def _fail_broken_body(self) -> None:
        """The parser tells a body's broken framing as a broken request behind it; whoever reads the body would wait for ever."""
        reading = self._current_request
        if reading is None or not self._messages or not isinstance(self._messages[-1][0], _ErrInfo):
            return
        if not reading.content.is_eof():
            reading.content.set_exception(_broken_framing())

    def _make_error_handler(
        self, err_info: _ErrInfo
    ) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        """What the parser could not read is answered in our error shape, and recorded, like every other refusal."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await self._answer_broken(request)

        return answer

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The last resort, when even answering failed. The library's own page would quote the exception."""
        log.error("answering failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer is on its way already")
        return self._last_resort(request)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """The library would log an exception's text and traceback, which may quote what the client sent."""
        log.warning("connection failed", exc_info=kw.get("exc_info"))


def _broken_framing() -> RequestPayloadError:
    return RequestPayloadError("the body's framing is broken")


class ConnectionServer(web.Server):
    """Makes a `Connection` for each client."""

    def __init__(self, plain: web.Server, edge: Edge) -> None:
        super().__init__(
            edge,
            request_factory=plain.request_factory,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=LINGER_SECONDS,
            access_log=None,
            debug=False,
        )
        self._limit = connection_limit()
        self._told_full = -FULL_LOG_SECONDS
        self.answer_broken = edge.answer_broken
        self.last_resort = edge.last_resort
        self.input = memoryview(bytearray(READ_BUFFER_BYTES))

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Count a client in, or out where there are too many: without a file left nothing could be recorded or signed."""
        super().connection_made(handler, transport)
        if len(self._connections) <= self._limit:
            return
        handler.force_close()
        now = self._loop.time()
        if now - self._told_full >= FULL_LOG_SECONDS:
            self._told_full = now
            log.warning("too many connections: new ones are closed", limit=self._limit)

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class ConnectionRunner(web.AppRunner):
    """Runs an application, its edge around it, over `Connection`.

    Raises:
        UnwipeableError: at construction, where passwords could not be kept out of memory.
    """

    __slots__ = ()

    def __init__(self, app: web.Application, *, shutdown_timeout: float) -> None:
        require_wipeable()
        super().__init__(app, shutdown_timeout=shutdown_timeout)

    async def _make_server(self) -> web.Server:
        plain = await super()._make_server()
        return ConnectionServer(plain, Edge(self.app, plain.request_handler))
