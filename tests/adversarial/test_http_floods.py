"""Requests that cost their sender little: others are answered meanwhile, and nobody acts in another's name."""

import asyncio
import gc
import gzip
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.integration.server.conftest import NO_PROXY, Service, serving, split_reply
from tests.integration.server.recording_pipeline import RecordingPipeline
from tests.patience import PATIENCE_SECONDS, until
from tests.work import slowness
from vaultsigner.server import connections, downloads
from vaultsigner.server.bodies import MAX_CHUNK_PIECES
from vaultsigner.signing.calls import NO_CREDENTIALS, Answer, Call

CHUNKED = b"Host: x\r\nTransfer-Encoding: chunked\r\n"
LOOP_SECONDS = 0.1
"""Of processor time, on a machine of the usual pace."""
CRUMBS = b"1\r\nx\r\n" * 60_000 + b"0\r\n\r\n"
PATHS = ("/api/auth/login", "/api/order/sign", "/api/wallet/resync", "/api/nothing", "/nothing")
WALLETS = b"GET /api/wallet HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with serving(NO_PROXY, RecordingPipeline()) as running:
        yield running


@asynccontextmanager
async def longest_turn() -> AsyncIterator[list[float]]:
    """Measures how long the event loop lets others wait, at worst; the whole of its work is in this thread."""
    worst = [0.0]

    async def watch() -> None:
        while True:
            started = time.thread_time()
            await asyncio.sleep(0)
            worst[0] = max(worst[0], time.thread_time() - started)

    # How long the collector takes is a matter of all that the other tests of this process hold.
    gc.disable()
    watching = asyncio.create_task(watch())
    try:
        yield worst
    finally:
        watching.cancel()
        gc.enable()


async def send_and_read(service: Service, data: bytes) -> bytes:
    """Send everything and read what comes until the server closes; a reset behind the answer does not matter."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.readuntil(b"}"), PATIENCE_SECONDS)
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_in_crumbs_does_not_stop_the_event_loop(service: Service, path: str) -> None:
    data = b"POST " + path.encode() + b" HTTP/1.1\r\n" + CHUNKED + b"\r\n" + CRUMBS
    async with longest_turn() as worst:
        started = time.thread_time()
        status, headers, body = split_reply(await send_and_read(service, data))
        spent = time.thread_time() - started
    assert (status, body["code"]) == ((404, "not_found") if "nothing" in path else (400, "malformed_request"))
    assert headers["connection"] == "close"
    assert worst[0] < LOOP_SECONDS * slowness()
    # The watcher spins for as long as the exchange takes, so this bounds the whole of the work.
    assert spent < 5 * LOOP_SECONDS * slowness()
    assert service.pipeline.calls == []


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/order/sign"])
@pytest.mark.parametrize(("pieces", "status"), [(MAX_CHUNK_PIECES, 200), (MAX_CHUNK_PIECES + 1, 400)])
async def test_chunks_are_counted(service: Service, path: str, pieces: int, status: int) -> None:
    head = b"POST " + path.encode() + b" HTTP/1.1\r\n" + CHUNKED + b"\r\n"
    answer = await service.raw(head + b"1\r\n \r\n" * pieces + b"0\r\n\r\n", end=False)
    assert split_reply(answer)[0] == status


async def test_crumbs_that_come_one_by_one_are_counted_too(service: Service) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"POST /api/auth/login HTTP/1.1\r\n" + CHUNKED + b"\r\n")
    for _ in range(MAX_CHUNK_PIECES // 64 + 1):
        writer.write(b"1\r\n \r\n" * 64)
        await writer.drain()
        await asyncio.sleep(0.001)
    assert b" 400 " in await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)
    writer.close()


class Waiting(RecordingPipeline):
    """Lists wallets when told to."""

    go: asyncio.Event

    async def wallets(self, call: Call) -> Answer:
        """Wait first."""
        self._asked("wallets", call)
        await self.go.wait()
        return Answer([])


async def test_crumbs_behind_a_slow_request_wait_without_harm() -> None:
    pipeline = Waiting()
    pipeline.go = asyncio.Event()
    async with serving(NO_PROXY, pipeline) as service, longest_turn() as worst:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        crumbs = b"POST /api/auth/login HTTP/1.1\r\n" + CHUNKED + b"\r\n" + CRUMBS
        writer.write(WALLETS + b"\r\n" + crumbs + WALLETS + b"\r\n")
        await asyncio.sleep(0.3)
        pipeline.go.set()
        answers = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
        writer.close()
    assert answers.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 400 " in answers
    assert worst[0] < LOOP_SECONDS * slowness()


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "trailers",
    [
        b"",
        b"Authorization: Bearer stolen\r\n",
        b"X-MBX-APIKEY: stolen\r\n",
        b"X-Mp-Open-Api-Token: stolen\r\n",
        b"X-Forwarded-For: 6.6.6.6\r\n",
        b"Connection: keep-alive\r\n",
        b"Content-Length: 70000\r\n",
        b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    ],
)
@pytest.mark.parametrize("path", [b"/api/auth/login", b"/api/order/sign", b"/api/nothing", b"/"])
async def test_trailers_give_the_next_request_no_identity(
    service: Service, path: bytes, trailers: bytes, together: bool
) -> None:
    first = b"POST " + path + b" HTTP/1.1\r\n" + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n" + trailers + b"\r\n"
    victim = WALLETS + b"\r\n"
    pieces = (first + victim, victim) if together else (first, victim)
    answer = await asked_twice(service, *pieces)
    assert answer.count(b"HTTP/1.") - answer.count(b"well-formed HTTP/1.") == 1
    assert b"\r\nConnection: close\r\n" in answer or answer.startswith(b"HTTP/1.0 ")
    assert "wallets" not in [method for method, _ in service.pipeline.calls]
    assert [call.credentials for _, call in service.pipeline.calls] in ([], [NO_CREDENTIALS])


async def asked_twice(service: Service, first: bytes, second: bytes) -> bytes:
    """Send, wait for the answer, send again on the same connection; what comes until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(first)
    answer = await asyncio.wait_for(reader.readuntil(b"}"), PATIENCE_SECONDS)
    try:
        writer.write(second)
        return answer + await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    except ConnectionError:
        return answer
    finally:
        writer.close()


async def test_nothing_behind_a_change_of_protocol_is_served(service: Service) -> None:
    """The library parses what follows by another way, past everything that looks at chunks."""
    first = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    carrier = b"POST / HTTP/1.1\r\n" + CHUNKED + b"\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n"
    behind = carrier + WALLETS + b"\r\n"
    answer = await asked_twice(service, first + behind, behind)
    assert (answer.count(b"HTTP/1.1 "), service.pipeline.calls) == (1, [])


async def test_requests_in_front_of_chunks_are_all_answered(service: Service) -> None:
    sign = b"POST /api/order/sign HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    last = b"POST /api/order/sign HTTP/1.1\r\n" + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\n"
    answer = await service.raw(sign * 5 + last + sign * 5, end=False)
    assert (answer.count(b"HTTP/1.1 200 OK"), len(service.pipeline.calls)) == (6, 6)


async def test_a_trailer_that_is_announced_is_refused(service: Service) -> None:
    head = b"POST /api/order/sign HTTP/1.1\r\nTrailer: Authorization\r\n" + CHUNKED + b"\r\n"
    answer = await service.raw(head + b"2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n", end=False)
    assert split_reply(answer)[2]["code"] == "malformed_request"
    assert service.pipeline.calls == []


async def test_a_connection_without_chunks_is_kept(service: Service) -> None:
    sign = b"POST /api/order/sign HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    for _ in range(3):
        writer.write(sign)
        answer = await asyncio.wait_for(reader.readuntil(b'{"signed_msg":"c0ffee"}'), PATIENCE_SECONDS)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b"Connection: close" not in answer
    writer.close()


async def sent_until_closed(port: int, *pieces: bytes, pause_seconds: float = 0.1) -> int:
    """Send pieces with pauses between, and wait until the server closes the connection; how many it let us send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = 0
    try:
        reading = asyncio.create_task(reader.read())
        for piece in pieces:
            writer.write(piece)
            sent += 1
            await asyncio.wait([reading], timeout=pause_seconds)
            if reading.done():
                break
        await asyncio.wait_for(reading, PATIENCE_SECONDS)
    except ConnectionError:
        pass
    finally:
        writer.close()
    return sent


@pytest.mark.parametrize("pieces", [(), (b"G",)])
async def test_a_connection_without_a_whole_head_is_closed(
    service: Service, pieces: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    started = time.monotonic()
    await sent_until_closed(service.port, *pieces)
    assert time.monotonic() - started > 0.4


@pytest.mark.parametrize(
    "pieces", [(b"\r\n",) * 600, (b"POST / HTTP/1.1\r\nX-A: ", *(b"a",) * 600)], ids=range(2)
)
async def test_a_head_that_comes_in_drops_is_not_waited_for(
    service: Service, pieces: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each drop comes soon after the one before; all of them would take a minute."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    assert await sent_until_closed(service.port, *pieces) < 100


async def test_a_kept_connection_may_be_idle_but_not_drip(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    for pause in (0.0, 0.8):
        await asyncio.sleep(pause)
        writer.write(WALLETS + b"\r\n")
        await asyncio.wait_for(reader.readuntil(b'{"signed_msg":"c0ffee"}'), PATIENCE_SECONDS)
    started = time.monotonic()
    writer.write(b"GET")
    assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""
    assert time.monotonic() - started > 0.2
    writer.close()


async def test_a_head_that_comes_in_time_is_no_longer_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer may take longer than the head may."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    pipeline = Waiting()
    pipeline.go = asyncio.Event()
    async with serving(NO_PROXY, pipeline) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(WALLETS)
        await asyncio.sleep(0.05)
        writer.write(b"\r\n")
        await asyncio.sleep(1.2)
        pipeline.go.set()
        assert b" 200 " in await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)
        writer.close()


async def test_connections_beyond_the_limit_are_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "connection_limit", lambda: 5)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 2 * PATIENCE_SECONDS)  # is not why they are closed
    async with serving(NO_PROXY, RecordingPipeline()) as service:
        kept = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(5)]
        assert await sent_until_closed(service.port) == 0
        for reader, writer in kept:
            writer.write(WALLETS + b"Connection: close\r\n\r\n")
            assert b" 200 " in await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)
            assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
            writer.close()
        assert (await service.request("GET", "/")).status == 200


async def received(client: socket.socket) -> int:
    """How many bytes are left to read on a connection that the server has given up."""
    size = 0
    try:
        loop = asyncio.get_running_loop()
        while data := await asyncio.wait_for(loop.sock_recv(client, 65536), PATIENCE_SECONDS):
            size += len(data)
    except ConnectionResetError:
        pass
    return size


async def test_answers_that_nobody_reads_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = asyncio.Event()

    def connection_lost(connection: connections.Connection, error: BaseException | None) -> None:
        lost.set()
        lose(connection, error)

    lose = connections.Connection.connection_lost
    monkeypatch.setattr(connections.Connection, "connection_lost", connection_lost)
    monkeypatch.setattr(connections, "WRITE_SECONDS", 0.5)
    async with serving(NO_PROXY, RecordingPipeline(outcome=Answer("x" * 2_000_000))) as service:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", service.port))
            await loop.sock_sendall(client, (WALLETS + b"\r\n") * 20)
            await asyncio.wait_for(lost.wait(), PATIENCE_SECONDS)
            assert await received(client) < 20_000_000
        assert len(service.pipeline.calls) < 20


async def largest_asset(service: Service) -> str:
    """The path of the Swagger UI script, more than a megabyte."""
    page = (await service.request("GET", "/docs")).body.decode()
    found = re.search(r'src="([^"]+swagger_bundle.js)"', page)
    assert found is not None
    return found[1]


async def unread_download(service: Service, path: str) -> socket.socket:
    """Ask for a file and do not read it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", service.port))
    await loop.sock_sendall(client, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


@pytest.fixture
def transports(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Transport]:
    """The server's side of all connections from now on.

    Sockets are given a small buffer here: the kernel's usual one takes some megabytes before anything waits in our memory.
    """
    made: list[asyncio.Transport] = []
    connect = connections.Connection.connection_made

    def connection_made(connection: connections.Connection, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        made.append(transport)
        connect(connection, transport)

    monkeypatch.setattr(connections.Connection, "connection_made", connection_made)
    return made


def waiting(transports: list[asyncio.Transport]) -> list[int]:
    """How many bytes wait in memory on each connection where there are any."""
    return [size for each in transports if (size := each.get_write_buffer_size())]


PLAIN = {"Accept-Encoding": "identity"}


async def test_downloads_that_nobody_reads_are_few_and_small(
    service: Service, transports: list[asyncio.Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WRITE_SECONDS", 2 * PATIENCE_SECONDS)
    monkeypatch.setattr(downloads, "MAX_DOWNLOADS", 3)
    path = await largest_asset(service)
    assert len((await service.request("GET", path, headers=PLAIN)).body) > 1_000_000
    clients = [await unread_download(service, path) for _ in range(3)]
    await until(lambda: len(waiting(transports)) == 3, "all wait for their reader")
    assert max(waiting(transports)) <= 3 * downloads.PIECE_BYTES
    busy = await service.request("GET", path, headers=PLAIN)
    assert (busy.status, busy.json()["code"]) == (503, "documents_busy")
    assert (await service.request("GET", "/docs")).status == 200
    assert (await service.post("/api/order/sign")).status == 200
    for client in clients:
        client.close()


async def test_downloads_that_nobody_reads_are_ended(
    service: Service, transports: list[asyncio.Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WRITE_SECONDS", 0.3)
    monkeypatch.setattr(downloads, "MAX_DOWNLOADS", 3)
    path = await largest_asset(service)
    known = len(transports)
    clients = [await unread_download(service, path) for _ in range(3)]
    await until(lambda: len(transports) == known + 3, "all are connected")
    await until(lambda: all(each.is_closing() for each in transports[known:]), "they are given up")
    await until(lambda: not waiting(transports), "nothing waits")
    assert (await service.request("GET", path, headers=PLAIN)).status == 200
    for client in clients:
        client.close()


async def test_a_large_download_arrives_whole_and_the_connection_is_kept(service: Service) -> None:
    path = await largest_asset(service)
    packed = await service.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    head, _, body = packed.partition(b"\r\n\r\n")
    plain = await service.request("GET", path, headers={"Accept-Encoding": "identity"})
    assert b"Connection: close" not in head
    assert gzip.decompress(body) == plain.body
    assert int(plain.headers["Content-Length"]) == len(plain.body)
