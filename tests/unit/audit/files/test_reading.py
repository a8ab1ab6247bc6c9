"""Records read back: all chains, only intents, and nothing that a damaged or planted file holds can stop or fill the reader."""

import os
import tracemalloc
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.unit.audit.record_files import event
from tests.unit.cli.policy_records import MOMENT, decided, transfer, write_records
from vaultsigner.audit.files import reading
from vaultsigner.audit.files.reading import Record, Unreadable, read_intents, record_files
from vaultsigner.errors import AuditError


def intents_in(directory: Path, unreadable: Unreadable | None = None) -> list[tuple[int, Record]]:
    found = unreadable if unreadable is not None else Unreadable()
    return [each for file in record_files(directory) for each in read_intents(file, found)]


def test_every_chain_is_read_and_each_in_order(tmp_path: Path) -> None:
    write_records(tmp_path, decided(transfer("2")), at=MOMENT + timedelta(days=1), chain="0" * 15 + "a")
    write_records(tmp_path, decided(transfer("1")), chain="0" * 15 + "a")
    write_records(tmp_path, decided(transfer("3")), chain="0" * 15 + "b")
    assert [record["intent"]["amount"] for _, record in intents_in(tmp_path)] == ["1", "2", "3"]


def test_one_chain_may_be_named_by_itself(tmp_path: Path) -> None:
    path = write_records(tmp_path, decided(transfer("1")))
    assert len(intents_in(path.parent)) == 1


def test_only_intents_come_with_the_number_of_their_line(tmp_path: Path) -> None:
    write_records(tmp_path, event("start"), decided(transfer("1")), event("intent"), decided(transfer("2")))
    assert [(line, record["seq"]) for line, record in intents_in(tmp_path)] == [(2, 2), (4, 4)]


def test_a_text_that_looks_like_an_intent_is_none(tmp_path: Path) -> None:
    write_records(tmp_path, event("start", note='","kind":"intent","x":"', kind="intent"))
    unreadable = Unreadable()
    assert intents_in(tmp_path, unreadable) == []
    assert unreadable.count == 0


def test_days_before_are_not_opened(tmp_path: Path) -> None:
    write_records(tmp_path, decided(transfer("1")), at=MOMENT - timedelta(days=1))
    write_records(tmp_path, decided(transfer("2")))
    assert [file.day for file in record_files(tmp_path, since=MOMENT.date())] == [date(2026, 11, 20)]


@pytest.mark.parametrize("end", [b'{"kind":"intent","half', b"\0\0\0", b""])
def test_half_a_line_at_the_end_is_left_out(tmp_path: Path, end: bytes) -> None:
    path = write_records(tmp_path, decided(transfer("1")))
    path.write_bytes(path.read_bytes() + end)
    unreadable = Unreadable()
    assert len(intents_in(tmp_path, unreadable)) == 1
    assert unreadable.count == 0


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"\0\0\0\n",
        b'["intent"]\n',
        b'{"kind":"intent"\n',
        b'{"kind":"intent"}{"kind":"intent"}\n',
        b'{"kind":"intent","x":' + b"[" * 100_000 + b"\n",
        b'{"kind":"intent","x":"\xff"}\n',
    ],
)
def test_a_damaged_line_is_told_and_the_rest_is_read(tmp_path: Path, line: bytes) -> None:
    path = write_records(tmp_path, decided(transfer("1")), decided(transfer("2")))
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + line + second)
    unreadable = Unreadable()
    assert [number for number, _ in intents_in(tmp_path, unreadable)] == [1, 3]
    assert (unreadable.count, unreadable.places) == (1, [f"{path}:2"])


def test_an_endless_line_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 4096)
    path = write_records(tmp_path, decided(transfer("1")), decided(transfer("2")))
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b'{"kind":"intent",' + b" " * 8_000_000 + b"}\n" + second)
    unreadable = Unreadable()
    tracemalloc.start()
    try:
        assert [record["intent"]["amount"] for _, record in intents_in(tmp_path, unreadable)] == ["1", "2"]
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert unreadable.places == [f"{path}:2"]


def test_what_is_added_meanwhile_is_not_waited_for(tmp_path: Path) -> None:
    path = write_records(tmp_path, decided(transfer("1")))
    (file,) = record_files(tmp_path)
    path.write_bytes(path.read_bytes() * 2)
    assert len(list(read_intents(file, Unreadable()))) == 1


def test_planted_links_and_pipes_are_not_opened(tmp_path: Path) -> None:
    path = write_records(tmp_path, decided(transfer("1")))
    os.mkfifo(path.with_name("2026-11-21.jsonl"))
    path.with_name("2026-11-22.jsonl").symlink_to(path)
    assert [file.path for file in record_files(tmp_path)] == [path]


def test_progress_adds_up_to_the_size_of_the_files(tmp_path: Path) -> None:
    write_records(tmp_path, *(decided(transfer(str(number))) for number in range(1, 5000)))
    (file,) = record_files(tmp_path)
    told: list[int] = []
    list(read_intents(file, Unreadable(), told.append))
    assert sum(told) == file.size
    assert len(told) > 2


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_directory_without_records_is_no_empty_record(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(AuditError):
        record_files(tmp_path / name)
