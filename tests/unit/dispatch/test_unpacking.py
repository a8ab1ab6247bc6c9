"""What is unpacked is what was packed, whole, whatever the sizes of the pieces; and what is cut is noticed."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.dispatch.unpacking import MOST_MEMBERS, Unpacker

TEXTS = st.binary(max_size=300) | st.integers(0, 200_000).map(bytes)
MEMBERS = st.lists(TEXTS, max_size=3)


def unpacked(packed: bytes, fed: int, taken: int) -> tuple[bytes, bool]:
    """What comes out, and whether it may end there."""
    unpacker, text = Unpacker(), bytearray()
    for at in range(0, len(packed), fed):
        unpacker.feed(packed[at : at + fed])
        while piece := unpacker.take(taken):
            assert len(piece) <= taken
            text += piece
    while piece := unpacker.take(taken):
        text += piece
    return bytes(text), unpacker.finished


@given(MEMBERS, st.integers(1, 1000), st.integers(1, 100_000))
def test_what_was_packed_comes_out(texts: list[bytes], fed: int, taken: int) -> None:
    packed = b"".join(map(gzip.compress, texts))
    assert unpacked(packed, fed, max(taken, 100)) == (b"".join(texts), True)


@given(TEXTS, st.integers(1, 1000), st.data())
def test_what_is_cut_is_not_finished(text: bytes, fed: int, data: st.DataObject) -> None:
    packed = gzip.compress(text)
    size = data.draw(st.integers(1, len(packed) - 1))
    some, finished = unpacked(packed[:size], fed, 1 << 16)
    assert text.startswith(some)
    assert not finished


def test_it_is_not_finished_before_all_is_taken() -> None:
    unpacker = Unpacker()
    assert unpacker.finished
    unpacker.feed(gzip.compress(bytes(1000)))
    assert not unpacker.finished
    assert unpacker.take(999) == bytes(999)
    assert not unpacker.finished
    assert (unpacker.take(999), unpacker.take(999)) == (b"\0", b"")
    assert unpacker.finished


def test_a_thousand_empty_members_are_nothing_and_more_are_refused() -> None:
    member = gzip.compress(b"")
    assert unpacked(member * MOST_MEMBERS, 1 << 14, 1) == (b"", True)
    with pytest.raises(ValueError, match="too many members"):
        unpacked(member * (MOST_MEMBERS + 1), 1 << 14, 1)


@pytest.mark.parametrize(
    "packed",
    [b"{}", zlib.compress(b"{}"), gzip.compress(b"{}") + b"\0", gzip.compress(b"{}")[:-5] + b"wrong"],
    ids=["plain", "zlib", "more after it", "another checksum"],
)
def test_what_is_no_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="not gzip"):
        unpacked(packed + bytes(20), 7, 100)
