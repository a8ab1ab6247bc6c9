"""After log-ins no password is left in the HTTP process's memory, whatever way its bytes came in."""

import asyncio
import base64
import hashlib
import json
import re
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

LOG_INS = 50
CANARY_CHARACTERS = 24
WINDOW = 8
"""Fragments this long are looked for, so that a password cut in two is found as well."""

Pieces = list[bytes]


@dataclass(frozen=True)
class Target:
    """The process whose memory is searched."""

    pid: int
    port: int
    hashes: asyncio.StreamReader

    async def next_hash(self) -> str:
        """The hash of the next body that the pipeline was given."""
        return (await asyncio.wait_for(self.hashes.readline(), PATIENCE_SECONDS)).decode().strip()

    def count(self, needles: Iterable[bytes]) -> int:
        """How often any of the needles is in the process's memory."""
        pattern = re.compile(b"|".join(map(re.escape, needles)))
        return sum(len(pattern.findall(region)) for region in self._regions())

    def _regions(self) -> Iterable[bytes]:
        with Path(f"/proc/{self.pid}/mem").open("rb", buffering=0) as memory:
            for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines():
                where, rights = line.split()[:2]
                if "r" in rights and "[v" not in line:
                    start, end = (int(number, 16) for number in where.split("-"))
                    memory.seek(start)
                    yield memory.read(end - start)


@asynccontextmanager
async def sink() -> AsyncIterator[Target]:
    """A fresh server process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.server.password_sink", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield Target(process.pid, port, process.stdout)
    finally:
        process.kill()
        await process.wait()


def fragments(canary: str) -> list[bytes]:
    """The canary's windows, raw, in hex, in base64 at all three alignments and in UTF-16."""
    found = []
    for start in range(0, CANARY_CHARACTERS, WINDOW):
        window = canary[start : start + WINDOW].encode()
        found += [
            window,
            window.hex().encode(),
            window.hex().upper().encode(),
            window.decode().encode("utf-16-le"),
        ]
        found += [base64.b64encode(bytes(shift) + window)[shift + (shift > 0) : -4] for shift in range(3)]
    return found


def whole(body: bytes, path: bytes = b"/api/auth/login") -> Pieces:
    """One segment."""
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return [head % (path, len(body)) + body]


def head_and_body(body: bytes, path: bytes = b"/api/auth/login") -> Pieces:
    """As most clients send it: two segments."""
    head, body = whole(body, path)[0].split(b"\r\n\r\n")
    return [head + b"\r\n\r\n", body]


def in_the_middle(body: bytes) -> Pieces:
    """Cut inside the password."""
    sent = whole(body)[0]
    return [sent[: -CANARY_CHARACTERS // 2 - 8], sent[-CANARY_CHARACTERS // 2 - 8 :]]


def chunked(body: bytes) -> Pieces:
    """HTTP chunks that cut the password, in one segment."""
    head = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    cut = len(body) - 20
    parts = [body[:cut], body[cut:], b""]
    return [head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)]


def chunks_cut_again(body: bytes) -> Pieces:
    """HTTP chunks, and segments that cut them elsewhere."""
    sent = chunked(body)[0]
    return [sent[:-40], sent[-40:-30], sent[-30:]]


def pipelined(body: bytes) -> Pieces:
    """Forty log-ins at once."""
    return whole(body) * 40


def small_pieces(body: bytes, path: bytes = b"/api/auth/login") -> Pieces:
    """Nine characters at a time."""
    sent = whole(body, path)[0]
    return [sent[at : at + 9] for at in range(0, len(sent), 9)]


async def log_in(target: Target, canary: str, ways: list[Callable[[bytes], Pieces]], times: int) -> None:
    """Log in over and over, keeping connections for ten log-ins where they are kept, and see that every body arrived whole."""
    answer = b""
    for number in range(times):
        if number % 10 == 0 or b"Connection: close" in answer:
            reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        # Another length each time: what one log-in frees unwiped is not what the next one takes and overwrites.
        padding = "." * (10 * number)
        typed = {"username": f"user-{number}", "padding": padding, "password": f"{canary}-{number}"}
        body = json.dumps(typed).encode()
        pieces = ways[number % len(ways)](body)
        expected = sum(piece.count(b"POST ") for piece in pieces)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.002)
        for _ in range(expected):
            assert await target.next_hash() == hashlib.sha256(body).hexdigest()
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
            length = re.search(rb"(?i)content-length: (\d+)", answer)
            assert length is not None
            await reader.readexactly(int(length[1]))
        if number % 10 == 9 or number == times - 1 or b"Connection: close" in answer:
            writer.close()


@pytest.mark.parametrize(
    "way", [whole, head_and_body, in_the_middle, chunked, chunks_cut_again, small_pieces, pipelined]
)
async def test_no_password_stays_after_log_ins(way: Callable[[bytes], Pieces]) -> None:
    canary = secrets.token_hex(CANARY_CHARACTERS // 2)
    async with sink() as target:
        await log_in(target, canary, [way], LOG_INS if way is not pipelined else 3)
        assert target.count(fragments(canary)) == 0


@pytest.mark.parametrize("way", [whole, head_and_body, small_pieces])
async def test_no_password_stays_that_was_sent_to_a_wrong_path(way: Callable[[bytes, bytes], Pieces]) -> None:
    canary = secrets.token_hex(CANARY_CHARACTERS // 2)
    async with sink() as target:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        for number in range(10):
            body = json.dumps({"username": "sam", "password": f"{canary}-{number}"}).encode()
            for piece in way(body, b"/api/auth/logon"):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.002)
            assert b" 404 " in await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"}")
        assert target.count(fragments(canary)) == 0
        writer.close()


async def test_the_search_finds_a_planted_password() -> None:
    """A header is not wiped: what is planted there is found, so an empty search means something."""
    canary = secrets.token_hex(CANARY_CHARACTERS // 2)
    async with sink() as target:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Planted: " + canary.encode() + b"\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert target.count(fragments(canary)) > 0
        writer.close()
