"""A bounded HTTP/1.1 load on loopback: N kept-alive connections, each sending the next request when its answer is in.

A bare protocol rather than an HTTP client library, so that the load takes as little as it can from the two cores that it shares
with what is measured.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send what. `requests` make whole requests, head and body; connections take the makers in turn."""

    name: str
    host: str
    port: int
    requests: tuple[Callable[[], bytes], ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run gave: answers a second, latencies in milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float
    answers: int


def post(path: str, host: str, body: bytes, headers: Sequence[str] = ()) -> bytes:
    """A POST request as bytes."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def get(path: str, host: str, headers: Sequence[str] = ()) -> bytes:
    """A GET request as bytes."""
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode()


def always(request: bytes) -> Callable[[], bytes]:
    """A maker of one request that is the same each time."""
    return lambda: request


class _Connection(asyncio.Protocol):
    """Sends, waits for the whole answer, notes how long it took, and starts again until told to stop."""

    def __init__(self, request: Callable[[], bytes], until: float, latencies: list[float]) -> None:
        self._request = request
        self._until = until
        self._latencies = latencies
        self._sent_at = 0.0
        self._buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, body = self._buffer.partition(b"\r\n\r\n")
        if not mark or len(body) < self._length(head):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._fail(RuntimeError(f"not a good answer: {self._buffer[:300]!r}"))
            return
        now = time.perf_counter()
        self._latencies.append(now - self._sent_at)
        self._buffer = b""
        if now < self._until:
            self._send()
        else:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or RuntimeError("the connection was closed"))

    def _send(self) -> None:
        request = self._request()
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self._transport.close()

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    @staticmethod
    def _length(head: bytes) -> int:
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                return int(value)
        raise RuntimeError("an answer without Content-Length")


async def measure(target: Target, connections: int, seconds: float) -> Measured:
    """Load `target` for so many seconds over so many connections.

    Raises:
        RuntimeError: an answer was not a 200, or a connection broke.
    """
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    started = time.perf_counter()
    opened = []
    for request in itertools.islice(itertools.cycle(target.requests), connections):
        connection = partial(_Connection, request, started + seconds, latencies)
        opened.append(await loop.create_connection(connection, target.host, target.port))
    await asyncio.gather(*(protocol.done for _, protocol in opened))
    elapsed = time.perf_counter() - started
    ordered = sorted(latencies)
    return Measured(
        rate=len(ordered) / elapsed,
        p50_ms=1000 * ordered[len(ordered) // 2],
        p99_ms=1000 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
        answers=len(ordered),
    )
