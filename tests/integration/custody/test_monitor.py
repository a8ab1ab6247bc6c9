"""What the socket takes, and from whom."""

import asyncio
import json
import os
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.custody.conftest import CustodyWorld
from tests.integration.custody.custody_process import connected
from tests.patience import PATIENCE_SECONDS
from tests.world import Vector
from vaultsigner.custody.frames import MAX_FRAME_BYTES, VERSION, encode_frame
from vaultsigner.custody.monitor import MOST_CONNECTIONS

HEADER = struct.Struct(">IBBQ")
OTHER_USER = 65534

PROBE = """
import socket, sys
probe = socket.socket(socket.AF_UNIX)
probe.settimeout(60)
probe.connect(sys.argv[1])
try:
    print(len(probe.recv(100)))
except ConnectionResetError:
    print(0)
"""


async def converse(
    world: CustodyWorld, *frames: bytes | bytearray, answered: int | None = None
) -> list[tuple[int, int, int, object]]:
    """Send frames; what custody says, its hello first, until there are that many answers, or it hangs up."""
    reader, writer = await asyncio.open_unix_connection(str(world.custody.socket_path))
    answers: list[tuple[int, int, int, object]] = []
    try:
        for frame in frames:
            writer.write(frame)
        while answered is None or len(answers) <= answered:
            async with asyncio.timeout(PATIENCE_SECONDS):
                length, version, code, id_ = HEADER.unpack(await reader.readexactly(HEADER.size))
                payload = await reader.readexactly(length - HEADER.size + 4)
            answers.append((version, code, id_, json.loads(payload)))
    except asyncio.IncompleteReadError:
        answers.append((0, 0, 0, "closed"))
    except ConnectionResetError:
        pass
    finally:
        writer.close()
    return answers


async def test_hello_comes_first_and_answers_carry_their_ids(shared_world: CustodyWorld) -> None:
    hello, *rest = await converse(
        shared_world, *(encode_frame(5, number, b"{}") for number in (7, 2**64 - 1, 0)), answered=3
    )
    assert hello == (VERSION, 0x80, 0, {"ok": {"version": VERSION}})
    assert sorted(id_ for _, _, id_, _ in rest) == [0, 7, 2**64 - 1]
    assert {(version, code) for version, code, _, _ in rest} == {(VERSION, 0x85)}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (encode_frame(0, 1, b"{}"), 0x80),
        (encode_frame(0x63, 1, b"{}"), 0xE3),
        (encode_frame(0x7F, 1, b"{}"), 0xFF),
        (encode_frame(0x82, 1, b"{}"), 0x82),
        (HEADER.pack(12, 1, 5, 1) + b"{}", 0x80),
        (HEADER.pack(MAX_FRAME_BYTES + 1, VERSION, 5, 1), 0x80),
        (HEADER.pack(3, VERSION, 5, 1), 0x80),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0x80),
    ],
)
async def test_what_is_no_question_is_told_so_and_hung_up_on(
    shared_world: CustodyWorld, frame: bytes, code: int
) -> None:
    _, error, end = await converse(shared_world, frame)
    assert error[1] == code
    assert isinstance(error[3], dict)
    assert error[3]["error"]["code"] == "bad_question"
    assert end[3] == "closed"


async def test_a_bad_connection_does_not_disturb_a_good_one(
    shared_world: CustodyWorld, order: Vector
) -> None:
    async with connected(shared_world.custody.socket_path) as client:
        await converse(shared_world, b"\x00" * 64)
        assert (await client.sign_beacon(shared_world.request(order))).signature.hex() == order["signature"]


async def test_questions_whose_asker_has_gone_are_dropped(shared_world: CustodyWorld, order: Vector) -> None:
    _, writer = await asyncio.open_unix_connection(str(shared_world.custody.socket_path))
    for number in range(200):
        writer.write(encode_frame(2, number, shared_world.request(order).payload()))
    writer.transport.abort()
    async with connected(shared_world.custody.socket_path) as client:
        assert (await client.health()).vault == "ok"


async def test_a_ninth_connection_is_closed_and_the_others_are_served(own_world: CustodyWorld) -> None:
    """Each costs custody a buffer of 256 KiB, and a descriptor."""
    opened = [
        await asyncio.open_unix_connection(str(own_world.custody.socket_path))
        for _ in range(MOST_CONNECTIONS)
    ]
    try:
        for reader, _ in opened:
            assert await reader.read(HEADER.size)
        for _ in range(5):
            reader, writer = await asyncio.open_unix_connection(str(own_world.custody.socket_path))
            with suppress(ConnectionResetError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    assert await reader.read() == b""
            writer.close()
        assert (
            own_world.custody.log.read_text().count(f"{MOST_CONNECTIONS} connections are open already") == 5
        )
        reader, writer = opened.pop()
        writer.close()
        async with connected(own_world.custody.socket_path) as client:
            assert (await client.health()).vault == "ok"
    finally:
        for _, writer in opened:
            writer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_other_users_are_not_served(shared_world: CustodyWorld) -> None:
    """Even when the permissions of socket and directories would let them in."""
    path = shared_world.custody.socket_path
    opened = [
        parent
        for parent in [path, *path.parents][:-1]
        if parent != Path("/tmp") and parent.stat().st_uid == 0
    ]
    modes = {parent: parent.stat().st_mode for parent in opened}
    try:
        for parent in opened:
            parent.chmod(0o777)
        assert probe(path, os.geteuid()) > 0
        assert probe(path, OTHER_USER) == 0
    finally:
        for parent, mode in modes.items():
            parent.chmod(mode)


def probe(path: Path, user: int) -> int:
    """How many bytes custody says to a process of this user."""
    # The system's interpreter: the tests' own may lie where the other user cannot read.
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    command = [python, "-I", "-c", PROBE, str(path)]
    return int(subprocess.run(command, user=user, capture_output=True, check=True).stdout)
