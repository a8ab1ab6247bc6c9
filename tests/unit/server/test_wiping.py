"""What held a password is overwritten in place, and nothing else is."""

import asyncio

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from vaultsigner.server.wiping import require_wipeable, take, wipe, wipe_unless_shared, wipe_unread


def fresh(text: str) -> bytes:
    """A bytes object that is no constant of this module."""
    return bytes(bytearray(text.encode()))


def test_wipes_bytes_and_bytearrays_in_place() -> None:
    held, buffer = fresh("password"), bytearray(b"password")
    wipe(held)
    wipe(buffer)
    assert (held, buffer) == (bytes(8), bytearray(8))


def test_the_interpreters_own_single_bytes_stay() -> None:
    """CPython has one object for each byte value: wiping it would change every b"a" in the process."""
    one = fresh("a")
    wipe(one)
    wipe(b"")
    assert one == bytes([97])


def test_a_shared_object_is_not_wiped() -> None:
    alone, shared = fresh("password"), fresh("password")
    elsewhere = [shared]
    wipe_unless_shared(alone)
    wipe_unless_shared(shared)
    assert alone == bytes(8)
    assert elsewhere == [b"password"]


def test_this_interpreter_and_library_are_good_enough() -> None:
    require_wipeable()


class _Protocol(BaseProtocol):
    """A reader pauses and resumes its protocol; here there is nothing to pause."""

    def pause_reading(self) -> None:
        """Nothing to pause."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Nothing to resume."""


def reader() -> StreamReader:
    """A payload as the parser makes it, on a connection that is up."""
    loop = asyncio.get_running_loop()
    protocol = _Protocol(loop)
    protocol.transport = asyncio.Transport()
    return StreamReader(protocol, 65536, loop=loop)


@pytest.mark.parametrize("chunked", [False, True])
async def test_every_piece_is_wiped_once_taken(chunked: bool) -> None:
    """An HTTP chunk that came in two segments is joined by the reader: the originals must not be forgotten."""
    stream, pieces = reader(), [fresh("pass"), fresh("word"), fresh("123")]
    if chunked:
        stream.begin_http_chunk_receiving()
    for piece in pieces:
        stream.feed_data(piece)
    if chunked:
        stream.end_http_chunk_receiving()
    stream.feed_eof()
    body = bytearray(16)
    assert await take(stream, memoryview(body), max_chunk_pieces=9) == 11
    assert body == b"password123" + bytes(5)
    assert pieces == [bytes(4), bytes(4), bytes(3)]


async def test_pieces_that_come_later_are_wiped_too() -> None:
    stream, first, last = reader(), fresh("pass"), fresh("word")
    body = bytearray(8)
    taking = asyncio.create_task(take(stream, memoryview(body), max_chunk_pieces=9))
    for piece in (first, last):
        await asyncio.sleep(0)
        stream.feed_data(piece)
        await asyncio.sleep(0)
    stream.feed_eof()
    assert await taking == 8
    assert (bytes(body), first, last) == (b"password", bytes(4), bytes(4))


async def test_a_body_that_does_not_fit_is_wiped_all_the_same() -> None:
    stream, pieces = reader(), [fresh("pass"), fresh("word")]
    for piece in pieces:
        stream.feed_data(piece)
    stream.feed_eof()
    assert await take(stream, memoryview(bytearray(6)), max_chunk_pieces=9) > 6
    assert pieces == [bytes(4), bytes(4)]


async def test_unread_pieces_are_wiped() -> None:
    stream, piece = reader(), fresh("password")
    stream.feed_data(piece)
    wipe_unread(stream)
    wipe_unread(EMPTY_PAYLOAD)
    assert piece == bytes(8)
