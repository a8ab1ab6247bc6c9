"""Exchanges' answers on their way to the caller: whole, or plainly cut, and no faster than the caller takes them."""

import asyncio
import contextlib

import aiohttp
import pytest

from tests.integration.server.bodies import CUT, Pieces
from tests.integration.server.conftest import Service, split_reply
from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.signing.calls import Streamed

PATH = "/exchange/main/api/v3/exchangeInfo"
GET = f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
HEADERS = (
    ("Content-Type", "application/json;charset=UTF-8"),
    ("Retry-After", "7"),
    ("X-MBX-USED-WEIGHT-1M", "12"),
)
PIECE = b"0123456789abcdef" * 4096


def answer(
    service: Service, body: Pieces, whole: bytes | None = None, status: int = 200, *, known: bool = True
) -> None:
    """What the pipeline will answer."""
    service.pipeline.streamed = Streamed(
        status, HEADERS, body, whole, "desk", "sha256:" + "ab" * 32, AuditPosition("a1b2", 7), known
    )


@pytest.mark.parametrize("status", [200, 202, 400, 401, 418, 429, 500, 503])
@pytest.mark.parametrize("known", [True, False])
async def test_a_body_that_is_known_is_answered_at_once(service: Service, status: int, known: bool) -> None:
    body = Pieces((b"never read",))
    answer(service, body, b'{"code":-1003,"msg":"\xf0\x9f\x9a\x80"}', status, known=known)
    reply = await service.request("GET", PATH)
    assert (reply.status, reply.body) == (status, b'{"code":-1003,"msg":"\xf0\x9f\x9a\x80"}')
    assert reply.headers["Content-Length"] == str(len(reply.body))
    assert {name: reply.headers[name] for name, _ in HEADERS} == dict(HEADERS)
    assert reply.headers["X-Vaultsigner-Decision"] == "rule=desk; policy=abababababab; audit=a1b2:7"
    assert reply.headers.get("X-Vaultsigner-Outcome") == (None if known else "unknown")
    assert len(reply.headers["X-Request-Id"]) == 26
    assert (reply.headers["Cache-Control"], reply.headers["Server"]) == ("no-store", "vaultsigner")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert (body.taken, body.closed.is_set()) == (0, True)


@pytest.mark.parametrize("known", [True, False])
async def test_a_long_body_is_handed_on_piece_by_piece(service: Service, known: bool) -> None:
    body = Pieces((PIECE, b"", b"x", PIECE) * 40)
    answer(service, body, known=known)
    for _ in range(2):
        reply = await service.request("GET", PATH)
        assert (reply.status, reply.body) == (200, b"".join(body.pieces))
    assert reply.headers["Transfer-Encoding"] == "chunked"
    assert {name: reply.headers[name] for name, _ in HEADERS} == dict(HEADERS)
    assert reply.headers["X-Vaultsigner-Decision"] == "rule=desk; policy=abababababab; audit=a1b2:7"
    assert reply.headers.get("X-Vaultsigner-Outcome") == (None if known else "unknown")
    assert len(reply.headers["X-Request-Id"]) == 26
    assert body.closed.is_set()


async def test_the_connection_is_good_for_more_afterwards(service: Service) -> None:
    answer(service, Pieces((b"one",)))
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    raw = await service.raw(GET * 3 + last, end=False)
    assert raw.count(b"HTTP/1.1 200 OK") == raw.count(b"\r\n\r\n3\r\none\r\n0\r\n\r\n") == 4


async def test_an_empty_body_has_no_type_that_nobody_said(service: Service) -> None:
    service.pipeline.streamed = Streamed(204, (), Pieces(), b"")
    raw = await service.raw(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), end=False)
    assert raw.startswith(b"HTTP/1.1 204 ")
    assert b"\r\ncontent-type:" not in raw.lower()
    assert b"x-vaultsigner" not in raw.lower()
    service.pipeline.streamed = Streamed(200, (), Pieces(), b"<html>")
    reply = await service.request("GET", PATH)
    assert reply.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("pieces", [(), (b"half",), (PIECE,) * 5])
async def test_what_is_cut_looks_cut(service: Service, pieces: tuple[bytes, ...]) -> None:
    body = Pieces(pieces, error=CUT)
    answer(service, body)
    with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await service.request("GET", PATH)
    assert body.closed.is_set()


async def test_nothing_follows_an_answer_that_fails_half_way(service: Service) -> None:
    body = Pieces((b"half",), error=ValueError("a defect"))
    answer(service, body)
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(GET)
    got = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            got += piece
    writer.close()
    assert got.count(b"HTTP/1.1 ") <= 1
    assert not got.endswith(b"0\r\n\r\n")
    assert body.closed.is_set()
    assert [refusal.code for _, refusal in service.pipeline.refusals] == ["internal_error"]


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_what_is_cut_is_reset_also_where_a_close_would_be_an_end(
    service: Service, version: str
) -> None:
    body = Pieces((b"half",), error=CUT)
    answer(service, body)
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    try:
        writer.write(f"GET {PATH} HTTP/{version}\r\nHost: x\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_an_older_client_gets_it_whole(service: Service) -> None:
    answer(service, Pieces((b"one", b"two")))
    raw = await service.raw(GET.replace(b"HTTP/1.1", b"HTTP/1.0"), end=False)
    assert b"transfer-encoding" not in raw.lower()
    assert raw.endswith(b"\r\n\r\nonetwo")


async def test_who_goes_away_is_not_read_for(service: Service) -> None:
    body = Pieces((PIECE,) * 100_000)
    answer(service, body)
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(GET)
    await reader.readexactly(1000)
    writer.transport.abort()
    await body.left.wait()
    await body.closed.wait()
    assert body.taken < len(body.pieces)


async def test_who_does_not_read_is_not_read_for(service: Service) -> None:
    body = Pieces((PIECE,) * 2_000)
    answer(service, body)
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1024)
    writer.write(GET)
    before = -1
    while before != body.taken:
        before = body.taken
        await asyncio.sleep(0.2)
    # What waits in both ends' kernels and in our own buffers is a few megabytes.
    assert 0 < body.taken < 1_000
    writer.transport.abort()
    await body.closed.wait()
    assert not reader.at_eof()


async def test_a_post_gets_its_answer_streamed_too(service: Service) -> None:
    answer(service, Pieces((b'{"orderId":', b"1}")), status=400)
    data = b"a=1"
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n"
    raw = await service.raw(head.encode(), data, end=False)
    assert raw.startswith(b"HTTP/1.1 400 ")
    assert raw.endswith(b'\r\n\r\nb\r\n{"orderId":\r\n2\r\n1}\r\n0\r\n\r\n')
    status, _, body = split_reply(await service.raw(b"nonsense\r\n\r\n"))
    assert (status, body["code"]) == (400, "malformed_request")
