"""Names of files of records: one for each file, and an order that is that of writing."""

from datetime import date
from itertools import pairwise

import pytest

from vaultsigner.audit.files.file_names import (
    LARGEST_NUMBER,
    FileName,
    in_order,
    is_chain,
    is_passing,
    name_of,
    parse,
)
from vaultsigner.errors import AuditError

DAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "2026-11-21.jsonl"),
        (2, "2026-11-21.0002.jsonl"),
        (9999, "2026-11-21.9999.jsonl"),
        (10_000, "2026-11-21.10000.jsonl"),
        (LARGEST_NUMBER, "2026-11-21.999999.jsonl"),
    ],
)
def test_a_name_says_what_it_was_made_from(number: int, name: str) -> None:
    assert name_of(DAY, number) == name
    assert parse(name) == FileName(DAY, number)
    assert parse(f"{name}.gz") == FileName(DAY, number, compressed=True)
    assert str(FileName(DAY, number).gzipped) == f"{name}.gz"
    assert str(FileName(DAY, number).gzipped.plain) == name


@pytest.mark.parametrize(
    "name",
    [
        "2026-11-21.jsonl.bak",
        "2026-11-21.JSONL",
        "2026-11-31.jsonl",
        "2026-11-21.0000.jsonl",
        "2026-11-21.0001.jsonl",
        "2026-11-21.002.jsonl",
        "2026-11-21.00002.jsonl",
        "2026-11-21.1000000.jsonl",
        "2026-11-21.٠٠٠٢.jsonl",
        "2026-11-21.jsonl.gz.gz",
        "2026-11-21.jsonl\n",
        "2026-11-21.jsonl.gz.new",
        "lock",
    ],
)
def test_no_second_name_is_taken_for_a_file(name: str) -> None:
    assert parse(name) is None


@pytest.mark.parametrize("number", [0, -1, LARGEST_NUMBER + 1])
def test_a_day_has_no_such_number(number: int) -> None:
    with pytest.raises(AuditError, match="no file number"):
        name_of(DAY, number)


def test_files_stand_in_the_order_of_writing() -> None:
    written = [name_of(DAY, number) for number in (1, 2, 3, 99, 100, 9999, 10_000, 10_001)]
    written.append("2026-11-22.jsonl")
    assert in_order(["lock", *reversed(written), "2026-11-22.jsonl.bak"]) == written
    assert all(a < b for a, b in pairwise(name for name in map(parse, written) if name is not None))


def test_a_compressed_file_counts_where_the_plain_one_is_gone() -> None:
    assert in_order(["2026-11-21.jsonl", "2026-11-20.jsonl.gz", "2026-11-21.jsonl.gz"]) == [
        "2026-11-20.jsonl.gz",
        "2026-11-21.jsonl",
    ]


def test_what_the_keeper_has_there_for_itself_is_no_strangers() -> None:
    assert is_passing("lock")
    assert is_passing(FileName(DAY, 2).being_made)
    assert FileName(DAY, 2).being_made == "2026-11-21.0002.jsonl.gz.new"
    assert not is_passing("2026-11-21.jsonl.new")
    assert not is_passing("notes.new")


@pytest.mark.parametrize(
    ("name", "is_one"), [("0123456789abcdef", True), ("0123456789ABCDEF", False), ("a" * 17, False)]
)
def test_a_chain_has_a_name_of_its_own(name: str, *, is_one: bool) -> None:
    assert is_chain(name) is is_one
