"""The end of the record, and what comes: each line once, whole, whatever the files go through."""

import os
import tracemalloc
from pathlib import Path

import pytest

from tests.unit.audit.long_log import CHAIN, OTHER_CHAIN, days_of, log_of, long_log, write_days
from vaultsigner.audit.files.compression import compress
from vaultsigner.audit.files.following import MOST_AT_A_LOOK, Follower, time_of

LOG, OTHER = long_log(CHAIN), long_log(OTHER_CHAIN, 300)


@pytest.mark.parametrize("count", [0, 1, 10, 300, 2000, 2001, 9999, 10_000, 20_000])
def test_the_last_lines_over_the_ends_of_files(tmp_path: Path, count: int) -> None:
    write_days(tmp_path, days_of(LOG.lines))
    follower = Follower(tmp_path)
    assert follower.last(count) == list(LOG.lines[-count:] if count else ())
    assert follower.new() == []


def test_chains_are_put_in_the_order_of_their_times(tmp_path: Path) -> None:
    write_days(tmp_path, days_of(LOG.lines[:300]))
    write_days(tmp_path, days_of(OTHER.lines), OTHER_CHAIN)
    last = Follower(tmp_path).last(40)
    assert [time_of(line) for line in last] == sorted(
        time_of(line) for line in (*LOG.lines[280:300], *OTHER.lines[280:])
    )


def test_each_new_line_comes_once_and_whole(tmp_path: Path) -> None:
    path = write_days(tmp_path, [("2026-11-20", [*LOG.lines[:5], LOG.lines[5][:30]])]) / "2026-11-20.jsonl"
    follower = Follower(tmp_path)
    assert follower.last(2) == list(LOG.lines[3:5])
    assert follower.new() == []
    with path.open("ab") as file:
        file.write(LOG.lines[5][30:] + LOG.lines[6])
    assert follower.new() == list(LOG.lines[5:7])
    assert follower.new() == []
    path.with_name("2026-11-21.jsonl").write_bytes(LOG.lines[7])
    write_days(tmp_path, [("2026-11-20", OTHER.lines[:1])], OTHER_CHAIN)
    assert sorted(follower.new()) == sorted([LOG.lines[7], OTHER.lines[0]])


def test_a_repair_in_the_place_of_half_a_line_is_shown(tmp_path: Path) -> None:
    path = write_days(tmp_path, [("2026-11-20", [*LOG.lines[:5], b'{"half'])]) / "2026-11-20.jsonl"
    follower = Follower(tmp_path)
    follower.last(1)
    path.write_bytes(b"".join(LOG.lines[:6]))
    assert follower.new() == [LOG.lines[5]]


def test_a_file_that_became_another_one_is_read_anew(tmp_path: Path) -> None:
    path = write_days(tmp_path, [("2026-11-20", LOG.lines[:5])]) / "2026-11-20.jsonl"
    follower = Follower(tmp_path)
    follower.last(5)
    other = log_of(LOG.heads[1], 2, "other").lines
    path.write_bytes(b"".join((*LOG.lines[:2], other[0])))
    assert follower.new() == [*LOG.lines[:2], other[0]]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
def test_a_look_takes_so_much_and_the_next_goes_on_from_there(tmp_path: Path, packed: bool) -> None:
    line = LOG.lines[0]
    wanted = [*[line] * (MOST_AT_A_LOOK // len(line) * 2), *LOG.lines[5:8]]
    chain = write_days(tmp_path, [("2026-11-20", LOG.lines[:5])])
    follower = Follower(tmp_path)
    follower.last(1)
    (chain / "2026-11-21.jsonl").write_bytes(b"".join(wanted[:-2]))
    if packed:
        compress(chain / "2026-11-21.jsonl")
    (chain / "2026-11-22.jsonl").write_bytes(b"".join(wanted[-2:]))
    looks = [follower.new() for _ in range(4)]
    assert [line for look in looks for line in look] == wanted
    assert max(sum(map(len, look)) for look in looks) < MOST_AT_A_LOOK + max(map(len, wanted))
    assert follower.new() == []


def test_a_look_takes_no_more_of_lines_that_are_short(tmp_path: Path) -> None:
    write_days(tmp_path, [("2026-11-20", LOG.lines[:5])])
    follower = Follower(tmp_path)
    follower.last(1)
    write_days(tmp_path, [("2026-11-21", [b"{}\n"] * 100_000)])
    assert len(follower.new()) < 50_000


def test_a_compressed_file_that_appears_before_what_was_read_is_passed_over(tmp_path: Path) -> None:
    chain = write_days(tmp_path, [("2026-11-20", LOG.lines[:5])])
    follower = Follower(tmp_path)
    follower.last(1)
    for day in ("2026-11-19", "2026-11-21"):
        (chain / f"{day}.jsonl").write_bytes(b"".join(LOG.lines[5:7]))
        compress(chain / f"{day}.jsonl")
    assert follower.new() == list(LOG.lines[5:7])
    assert follower.new() == []


def test_the_last_lines_of_a_file_with_a_very_long_one_are_not_read_from_its_beginning(
    tmp_path: Path,
) -> None:
    path = write_days(tmp_path, [("2026-11-20", LOG.lines[:5])]) / "2026-11-20.jsonl"
    os.truncate(path, 100_000_000)
    with path.open("ab") as file:
        file.write(b"\n" + LOG.lines[5] + LOG.lines[6])
    tracemalloc.start()
    try:
        assert Follower(tmp_path).last(5) == list(LOG.lines[5:7])
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("line", [b"", b"\n", b"{}\n", b"\xff\n"])
def test_a_line_that_is_no_record_has_no_time(line: bytes) -> None:
    assert time_of(line) == b""
