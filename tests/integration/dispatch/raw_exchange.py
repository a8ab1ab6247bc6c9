"""A server of bare bytes: it keeps what came as it came, and answers whatever bytes a test wants."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answerer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Arrived:
    """One request, as it came."""

    connection: int
    head: bytes
    body: bytes

    @property
    def line(self) -> bytes:
        """The request line."""
        return self.head.split(b"\r\n", 1)[0]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values, in the order they came."""
        lines = self.head.decode("latin-1").split("\r\n")[1:-2]
        return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


@dataclass
class RawExchange:
    """What it got, and what it will say: each request takes the next answer, and the last one is for all that follow."""

    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"
    answers: list[Answerer] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    connections: int = 0

    @property
    def base_url(self) -> str:
        """As config names it."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def says(self, *answers: bytes | Answerer) -> None:
        """Bytes are sent as they are, and the connection is kept."""
        self.answers = [answer if callable(answer) else _bytes(answer) for answer in answers]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        connection = self.connections
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = [
                    int(line[15:])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ]
                body = await reader.readexactly(length[0]) if length else b""
                self.arrived.append(Arrived(connection, head, body))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                await answer(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def _bytes(data: bytes) -> Answerer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Say nothing and close the connection."""
    writer.close()


def then_hang_up(data: bytes) -> Answerer:
    """Send this and close the connection."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return answer


def then_stall(data: bytes) -> Answerer:
    """Send this, and then nothing more, until the other side has gone."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await writer.wait_closed()

    return answer


def response(body: bytes = b"{}", status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """A well-formed answer, unless `length` says otherwise."""
    size = len(body) if length is None else length
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {size}", *headers)
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


@asynccontextmanager
async def raw_exchange(tls: ssl.SSLContext | None = None) -> AsyncIterator[RawExchange]:
    """A running one, which says `{}` unless told otherwise."""
    exchange = RawExchange(scheme="http" if tls is None else "https")
    exchange.says(response())
    server = await asyncio.start_server(exchange.serve, "127.0.0.1", 0, ssl=tls)
    exchange.port = server.sockets[0].getsockname()[1]
    async with server:
        yield exchange
        server.close()
