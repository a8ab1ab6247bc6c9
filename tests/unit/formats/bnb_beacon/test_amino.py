"""Amino: one encoding for every struct, and no other accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.formats.bnb_beacon.amino import (
    Reader,
    bytes_member,
    encode_varint,
    text_member,
    varint_member,
)
from vaultsigner.formats.bnb_beacon.errors import FormatError

MAX_INT64 = 2**63 - 1


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (16383, "ff7f"),
        (MAX_INT64, "ff" * 8 + "7f"),
    ],
)
def test_varint(value: int, encoded: str) -> None:
    assert encode_varint(value).hex() == encoded
    assert Reader(bytes.fromhex(encoded)).read_varint() == value


@pytest.mark.parametrize("value", [-1, 2**63, 2**64])
def test_number_outside_63_bits_cannot_be_written(value: int) -> None:
    with pytest.raises(FormatError):
        encode_varint(value)


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "80",
        "8000",
        "818000",
        "ff" * 9 + "01",
        "ff" * 9 + "7f",
        "80" * 9 + "01",
        "80" * 20,
    ],
    ids=["empty", "cut", "long zero", "long one", "minus one", "past 64 bits", "2^63", "endless"],
)
def test_varint_in_another_spelling_is_refused(encoded: str) -> None:
    with pytest.raises(FormatError):
        Reader(bytes.fromhex(encoded)).read_varint()


def test_zero_and_empty_members_are_left_out() -> None:
    assert varint_member(1, 0) + bytes_member(2, b"") + text_member(3, "") == b""


def struct(encoded: str) -> tuple[int, bytes, str]:
    reader = Reader(bytes.fromhex(encoded))
    values = reader.read_number(1), reader.read_bytes(2), reader.read_text(3)
    reader.finish()
    return values


def test_struct() -> None:
    assert struct("08ac02 1202beef 1a02d197") == (300, b"\xbe\xef", "ї")
    assert struct("") == (0, b"", "")


@pytest.mark.parametrize(
    "encoded",
    [
        "0800",
        "1200",
        "1a00",
        "08ac0200",
        "120200",
        "12ffffffffffffffff7f00",
        "1202beef 08ac02",
        "08ac02 08ac02",
        "2001",
        "0a01ff",
        "1001",
        "1a01ff",
        "1a03eda080",
    ],
    ids=[
        "explicit zero",
        "explicit empty bytes",
        "explicit empty text",
        "trailing byte",
        "cut",
        "length past the end",
        "out of order",
        "twice",
        "unknown member",
        "bytes for a number",
        "number for bytes",
        "not UTF-8",
        "encoded surrogate",
    ],
)
def test_other_spellings_of_a_struct_are_refused(encoded: str) -> None:
    with pytest.raises(FormatError):
        struct(encoded)


def test_half_of_a_surrogate_pair_cannot_be_written() -> None:
    with pytest.raises(FormatError, match="surrogate"):
        text_member(1, "\ud800")


@given(st.integers(0, MAX_INT64))
def test_varint_round_trip(value: int) -> None:
    reader = Reader(encode_varint(value))
    assert reader.read_varint() == value
    reader.finish()


@given(st.binary(max_size=12))
def test_what_reads_as_a_number_is_its_one_spelling(data: bytes) -> None:
    reader = Reader(data)
    try:
        value = reader.read_varint()
        reader.finish()
    except FormatError:
        return
    assert encode_varint(value) == data


@given(st.binary(max_size=30))
def test_what_reads_as_a_struct_is_its_one_spelling(data: bytes) -> None:
    try:
        number, raw, text = struct(data.hex())
    except FormatError:
        return
    assert varint_member(1, number) + bytes_member(2, raw) + text_member(3, text) == data
