"""What somebody may do to a chain: for every kind the verification names it and its place."""

import os
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from tests.unit.audit.long_log import (
    CHAIN,
    OTHER_CHAIN,
    RECORDS,
    Log,
    days_of,
    forged,
    log_of,
    long_log,
    resealed,
    write_days,
)
from vaultsigner.audit.chain import Head, read_line, seal
from vaultsigner.audit.files import chain_files
from vaultsigner.audit.files.chain_files import ChainFiles, find_chains
from vaultsigner.audit.verifying.findings import Finding, Kind
from vaultsigner.audit.verifying.noted_heads import NotedHead, NotedHeadError, read_noted_head
from vaultsigner.audit.verifying.verification import Verdict, verify_chain
from vaultsigner.errors import AuditError

LOG = long_log()
Place = tuple[Kind, int, int]
"""What, at which line, about which record."""


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """The log of 10,000 records, a file a day."""
    return write_days(tmp_path, days_of(LOG.lines))


def verify(directory: Path, *noted: NotedHead) -> Verdict:
    (chain,) = find_chains(directory)
    return verify_chain(chain, noted)


def found(directory: Path, *noted: NotedHead) -> Finding:
    finding = verify(directory, *noted).finding
    assert finding is not None
    return finding


def flipped(line: bytes, chance: Random) -> bytes:
    """One bit of one byte is another, but for the newline."""
    index = chance.randrange(len(line) - 1)
    return line[:index] + bytes([line[index] ^ 1 << chance.randrange(8)]) + line[index + 1 :]


def noted(index: int, log: Log = LOG) -> NotedHead:
    """The head after line `index`, as somebody noted it."""
    return NotedHead(log.heads[index].seq, log.heads[index].hash)


def seconds_apart(step: int) -> range:
    """Some of all records, from first to last."""
    return range(0, RECORDS, step)


Attack = Callable[[list[bytes], int, Random], Place | None]
"""Does something at a line of a window; answers what should be found, with line and record relative to the window's begin."""


def flip(lines: list[bytes], at: int, chance: Random) -> Place:
    lines[at] = flipped(lines[at], chance)
    return Kind.ALTERED, at, at


def delete(lines: list[bytes], at: int, chance: Random) -> Place:
    del lines[at]
    return Kind.DELETED, at, at


def insert(lines: list[bytes], at: int, chance: Random) -> Place:
    lines.insert(at, b'{"kind":"control"}\n')
    return Kind.INSERTED, at, at


def swap(lines: list[bytes], at: int, chance: Random) -> Place:
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return Kind.SWAPPED, at, at


def duplicate(lines: list[bytes], at: int, chance: Random) -> Place:
    lines.insert(at, lines[at])
    return Kind.DUPLICATED, at + 1, at


def splice(lines: list[bytes], at: int, chance: Random) -> Place:
    lines[at] = long_log(OTHER_CHAIN, 50).lines[chance.randrange(50)]
    return Kind.SPLICED, at, -1


def replace(lines: list[bytes], at: int, chance: Random) -> Place:
    """The record says another thing, with a correct hash: the one behind it tells."""
    head, _ = read_line(lines[at])
    lines[at] = seal({"kind": "forged"}, LOG.head_before(head.seq - 1), head.time_us)[0]
    return Kind.REPLACED, at + 1, at + 1


def test_an_untouched_log_is_intact(chain: Path) -> None:
    verdict = verify(chain)
    assert verdict.finding is None
    assert (verdict.head, verdict.files) == (LOG.heads[-1], 5)
    assert verify(chain, noted(0), noted(4711), noted(RECORDS - 1)).confirmed == tuple(
        map(noted, (0, 4711, RECORDS - 1))
    )


@pytest.mark.parametrize("index", [*seconds_apart(1999), 2000, RECORDS - 1])
@pytest.mark.parametrize(
    "attack", [flip, delete, insert, duplicate, splice, replace], ids=lambda attack: attack.__name__
)
def test_in_the_whole_log(tmp_path: Path, attack: Attack, index: int) -> None:
    """From the first line of the first file, over the ends of files too."""
    lines = [list(found) for _, found in days_of(LOG.lines)]
    day, at = divmod(index, RECORDS // 5)
    expected = attack(lines[day], at, Random(index))  # noqa: S311 - the same each time
    assert expected is not None
    write_days(tmp_path, [(name, mine) for (name, _), mine in zip(days_of(LOG.lines), lines, strict=True)])
    if attack in (delete, replace) and index == RECORDS - 1:
        assert verify(tmp_path).finding is None  # nobody can tell; see the heads below
        return
    finding = found(tmp_path)
    line, path = expected[1] + 1, f"2026-11-{20 + day}.jsonl"
    if line > len(lines[day]):
        line, path = 1, f"2026-11-{21 + day}.jsonl"
    assert finding.path is not None
    assert (finding.kind, finding.path.name, finding.line) == (expected[0], path, line)


@pytest.mark.parametrize(("first", "second"), [(10, 11), (10, 500), (0, 9999), (1999, 2000), (3000, 8000)])
def test_records_swapped_over_any_distance(tmp_path: Path, first: int, second: int) -> None:
    lines = list(LOG.lines)
    lines[first], lines[second] = lines[second], lines[first]
    sizes = [len(mine) for _, mine in days_of(LOG.lines)]
    days = [(f"2026-11-{20 + day}", lines[day * sizes[0] : (day + 1) * sizes[0]]) for day in range(5)]
    write_days(tmp_path, days)
    finding = found(tmp_path)
    assert (finding.kind, finding.seq) == (Kind.SWAPPED, first + 1)
    assert finding.line == first % sizes[0] + 1
    assert f"line {second % sizes[0] + 1}" in finding.words


@pytest.mark.parametrize("index", [1, 777, 5000, 9998])
def test_a_forged_record_with_a_correct_hash(tmp_path: Path, index: int) -> None:
    lines = list(LOG.lines)
    lines[index] = forged(LOG, index)
    write_days(tmp_path, [("2026-11-20", lines)])
    finding = found(tmp_path)
    assert (finding.kind, finding.line, finding.seq) == (Kind.REPLACED, index + 2, index + 2)
    assert f"another record {index + 1} " in finding.words
    write_days(tmp_path, [("2026-11-20", [*LOG.lines[:index], lines[index], *LOG.lines[index:]])])
    finding = found(tmp_path)
    assert (finding.kind, finding.line, finding.seq) == (Kind.INSERTED, index + 2, index + 1)


def test_a_copy_of_an_older_or_a_later_record(tmp_path: Path) -> None:
    write_days(tmp_path, [("2026-11-20", [*LOG.lines[:500], LOG.lines[41], *LOG.lines[500:]])])
    finding = found(tmp_path)
    assert (finding.kind, finding.line, finding.seq) == (Kind.DUPLICATED, 501, 42)
    assert "2026-11-20.jsonl, line 42" in finding.words
    write_days(tmp_path, [("2026-11-20", [*LOG.lines[:500], LOG.lines[900], *LOG.lines[500:]])])
    finding = found(tmp_path)
    assert (finding.kind, finding.line) == (Kind.DUPLICATED, 501)


@pytest.mark.parametrize("cut", [0, 1, 1999, 2000, 5000, 9998, 9999])
def test_a_cut_tail_shows_where_a_head_was_noted(tmp_path: Path, cut: int) -> None:
    write_days(tmp_path, days_of(LOG.lines[:cut]) or [("2026-11-20", [])])
    bare = verify(tmp_path).finding  # it does not know how long it was, unless nothing is left of it
    assert (None if bare is None else bare.kind) == (None if cut else Kind.NO_RECORDS)
    finding = found(tmp_path, noted(RECORDS - 1))
    assert (finding.kind, finding.seq) == (Kind.CUT_OFF, cut + 1)
    assert f"record {cut} is the last, and record {RECORDS} was noted" in finding.words


@pytest.mark.parametrize("cut", [1, 200, 399])
def test_half_a_line_at_the_end_is_told(tmp_path: Path, cut: int) -> None:
    write_days(tmp_path, [("2026-11-20", [*LOG.lines[:7], LOG.lines[7][:cut]])])
    finding = found(tmp_path)
    assert (finding.kind, finding.line, finding.seq) == (Kind.TORN, 8, 8)


def test_half_a_line_at_the_end_of_a_file_that_is_not_the_last(tmp_path: Path) -> None:
    (first, lines), *rest = days_of(LOG.lines)
    write_days(tmp_path, [(first, [*lines[:-1], lines[-1][:-1]]), *rest])
    finding = found(tmp_path)
    assert (finding.kind, finding.line, finding.seq) == (Kind.TORN, 2000, 2000)
    assert "goes on behind it" in finding.words


@pytest.mark.parametrize("index", seconds_apart(1237))
def test_a_chain_written_anew_shows_where_a_head_was_noted(tmp_path: Path, index: int) -> None:
    write_days(tmp_path, days_of([*LOG.lines[:index], *resealed(LOG, index)]))
    assert verify(tmp_path).finding is None  # every hash is correct
    later = min(index + 100, RECORDS - 1)
    heads = [noted(later), noted(RECORDS - 1)] + ([noted(index - 1)] if index else [])
    finding = found(tmp_path, *heads)
    assert (finding.kind, finding.seq) == (Kind.REWRITTEN, later + 1)
    assert finding.line == later % 2000 + 1
    assert ("its beginning" if index == 0 else f"record {index + 1} and here") in finding.words


@pytest.mark.parametrize("index", [100, 2000, 7654])
def test_a_chain_rolled_back_and_continued_shows_where_a_head_was_noted(tmp_path: Path, index: int) -> None:
    older = LOG.lines[:index]
    write_days(tmp_path, [("2026-11-20", [*older, *log_of(LOG.heads[index - 1], 500, "after").lines])])
    assert verify(tmp_path).finding is None
    assert verify(tmp_path, noted(index - 1)).finding is None
    assert found(tmp_path, noted(index - 1), noted(index + 200)).kind is Kind.REWRITTEN
    assert found(tmp_path, noted(index - 1), noted(index + 600)).kind is Kind.CUT_OFF


@pytest.mark.parametrize("index", [1, 700, 2000, 5000])
def test_two_chains_spliced(tmp_path: Path, index: int) -> None:
    other = long_log(OTHER_CHAIN)
    write_days(tmp_path, [("2026-11-20", [*LOG.lines[:index], *other.lines[index:]])])
    finding = found(tmp_path)
    assert (finding.kind, finding.line) == (Kind.SPLICED, index + 1)
    assert OTHER_CHAIN in finding.words


def test_two_states_of_a_chain_spliced(tmp_path: Path) -> None:
    """The same chain as it would have gone on after an older copy of it was put back."""
    fork = log_of(LOG.heads[99], 900, "fork").lines
    write_days(tmp_path, [("2026-11-20", [*fork_begin(fork), *LOG.lines[600:1000]])])
    finding = found(tmp_path)
    assert (finding.kind, finding.line, finding.seq) == (Kind.REPLACED, 601, 601)


def fork_begin(fork: Sequence[bytes]) -> list[bytes]:
    """100 records of the log and 500 of the fork."""
    return [*LOG.lines[:100], *fork[:500]]


@pytest.mark.parametrize("day", range(5))
def test_a_file_that_is_gone(tmp_path: Path, day: int) -> None:
    days = days_of(LOG.lines)
    write_days(tmp_path, days[:day] + days[day + 1 :])
    if day == 4:
        assert verify(tmp_path).finding is None
        assert found(tmp_path, noted(RECORDS - 1)).kind is Kind.CUT_OFF
        return
    finding = found(tmp_path)
    assert finding.path is not None
    assert (finding.path.name, finding.line, finding.seq) == (f"2026-11-{21 + day}.jsonl", 1, day * 2000 + 1)
    assert finding.kind is (Kind.FILE_MISSING if day else Kind.DELETED)
    assert f"records {day * 2000 + 1} to {day * 2000 + 2000} are missing" in finding.words


def test_a_file_of_another_chain(tmp_path: Path) -> None:
    mine, other = days_of(LOG.lines), days_of(long_log(OTHER_CHAIN).lines)
    write_days(tmp_path, [mine[0], other[1], mine[2]])
    finding = found(tmp_path)
    assert (finding.kind, finding.line) == (Kind.FILE_OF_ANOTHER_CHAIN, 1)
    assert finding.path is not None
    assert finding.path.name == "2026-11-21.jsonl"


def test_a_directory_that_holds_another_chain_altogether(tmp_path: Path) -> None:
    write_days(tmp_path, days_of(long_log(OTHER_CHAIN).lines))
    assert found(tmp_path).kind is Kind.FILE_OF_ANOTHER_CHAIN


def test_files_that_changed_places(tmp_path: Path) -> None:
    days = days_of(LOG.lines)
    write_days(tmp_path, [days[0], (days[1][0], days[2][1]), (days[2][0], days[1][1]), *days[3:]])
    finding = found(tmp_path)
    assert (finding.kind, finding.line, finding.seq) == (Kind.SWAPPED, 1, 2001)
    assert "2026-11-22.jsonl, line 1" in finding.words


def test_a_time_that_goes_back(tmp_path: Path) -> None:
    """Correct hashes throughout, and a record from before the one before it: our own writer never does that."""
    line, _ = seal({"kind": "control"}, Head(CHAIN, 10, LOG.heads[9].hash), LOG.heads[0].time_us)
    write_days(tmp_path, [("2026-11-20", [*LOG.lines[:10], line])])
    finding = found(tmp_path)
    assert (finding.kind, finding.line, finding.seq) == (Kind.EARLIER, 11, 11)


def test_what_only_looks_like_a_file_of_records(chain: Path) -> None:
    os.mkfifo(chain / "2026-11-30.jsonl")
    finding = found(chain)
    assert (finding.kind, finding.line) == (Kind.FILE_UNUSABLE, 0)
    (chain / "2026-11-30.jsonl").unlink()
    (chain / "2026-11-30.jsonl").symlink_to(chain / "2026-11-20.jsonl")
    assert found(chain).kind is Kind.FILE_UNUSABLE


def test_what_else_lies_there_is_told(chain: Path) -> None:
    for name in ("lock", "2026-11-20.jsonl.bak", "2026-11-20.JSONL"):
        (chain / name).touch()
    (files,) = find_chains(chain.parent)
    assert files.others == ("2026-11-20.JSONL", "2026-11-20.jsonl.bak")
    assert verify(chain).intact


def test_a_copy_under_another_name_is_the_same_chain(chain: Path, tmp_path: Path) -> None:
    copy = chain.rename(tmp_path / "evidence")
    (files,) = find_chains(copy)
    assert (files.name, verify(copy).intact) == (CHAIN, True)


def test_an_empty_file_and_an_empty_chain_are_intact(tmp_path: Path) -> None:
    (first, lines), *rest = days_of(LOG.lines)
    write_days(tmp_path, [("2026-11-19", []), (first, lines), *rest])
    assert verify(tmp_path).intact
    write_days(tmp_path, [])
    assert verify(tmp_path).head == Head(CHAIN)


def test_a_line_that_comes_to_its_end_while_it_is_read(tmp_path: Path) -> None:
    """A running service goes on writing: what was half a line when the files were listed is read to its end."""
    path = write_days(tmp_path, [("2026-11-20", [*LOG.lines[:3], LOG.lines[3][:50]])])
    (files,) = find_chains(path)
    write_days(tmp_path, [("2026-11-20", LOG.lines[:6])])
    verdict = verify_chain(files)
    assert (verdict.finding, verdict.head) == (None, LOG.heads[3])


def test_a_directory_without_chains_is_no_intact_record(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="there are no records in"):
        find_chains(tmp_path)
    with pytest.raises(AuditError, match="No such file"):
        find_chains(tmp_path / "nowhere")


def test_memory_does_not_grow_with_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_files, "LONGEST_LINE", 1 << 16)
    write_days(tmp_path, [("2026-11-20", LOG.lines[:2000]), ("2026-11-21", [b"x" * 4_000_000])])
    (files,) = find_chains(tmp_path)
    tracemalloc.start()
    try:
        finding = verify_chain(files).finding
        assert tracemalloc.get_traced_memory()[1] < 1_200_000
    finally:
        tracemalloc.stop()
    assert finding is not None
    assert (finding.kind, finding.line, finding.seq) == (Kind.TORN, 1, 2001)


def test_progress_adds_up_to_the_size_of_the_files(chain: Path) -> None:
    files: ChainFiles = find_chains(chain)[0]
    told: list[int] = []
    verify_chain(files, progress=told.append)
    assert sum(told) == files.size
    assert len(told) > 5


def test_a_head_is_noted_as_it_is_printed() -> None:
    digest = LOG.heads[41].hash
    assert read_noted_head(f" 42:{digest.upper()}\n") == NotedHead(42, digest)
    named = read_noted_head(f"{CHAIN}:42:{digest}")
    assert named == NotedHead(42, digest, CHAIN)
    assert read_noted_head(str(named)) == named


@pytest.mark.parametrize(
    "text", ["", "42", f"0:{'a' * 64}", f"42:{'a' * 63}", f"x:42:{'a' * 64}", f"42:{'0' * 64}"]
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(NotedHeadError):
        read_noted_head(text)
