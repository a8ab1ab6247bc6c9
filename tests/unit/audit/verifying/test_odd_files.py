"""Files that somebody renamed, saved with another program or put beside the true ones: told as what they are, at their place."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.audit.long_log import CHAIN, day_of, days_of, log_of, write_days
from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.entries import Control
from vaultsigner.audit.files.chain_files import find_chains
from vaultsigner.audit.files.reading import LONGEST_LINE
from vaultsigner.audit.verifying.findings import Kind
from vaultsigner.audit.verifying.verification import Verdict, verify_chain

LOG = log_of(Head(CHAIN), 30)
FIRST, LAST = "2026-11-20.jsonl", "2026-11-20.0003.jsonl"


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """30 records of one day in three files."""
    days = [
        (f"2026-11-20{part}", LOG.lines[at : at + 10]) for part, at in (("", 0), (".0002", 10), (".0003", 20))
    ]
    return write_days(tmp_path, [(day, list(lines)) for day, lines in days])


def verdict_on(directory: Path) -> Verdict:
    (chain,) = find_chains(directory)
    return verify_chain(chain)


def place(directory: Path) -> tuple[Kind, str, int, int]:
    finding = verdict_on(directory).finding
    assert finding is not None
    assert finding.path is not None
    return finding.kind, finding.path.name, finding.line, finding.seq


def words(directory: Path) -> str:
    finding = verdict_on(directory).finding
    assert finding is not None
    return finding.words


def replaced_by_a_link(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def replaced_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replaced_by_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("change", [replaced_by_a_link, replaced_by_a_pipe, replaced_by_a_directory])
@pytest.mark.parametrize(("name", "seq"), [(FIRST, 1), ("2026-11-20.0002.jsonl", 11), (LAST, 21)])
def test_what_is_no_file_is_told_in_its_turn(
    chain: Path, change: Callable[[Path], None], name: str, seq: int
) -> None:
    change(chain / name)
    assert place(chain) == (Kind.FILE_UNUSABLE, name, 0, seq)
    assert verdict_on(chain).head.seq == seq - 1


def test_damage_before_what_is_no_file_comes_first(chain: Path) -> None:
    replaced_by_a_link(chain / LAST)
    (chain / FIRST).write_bytes((chain / FIRST).read_bytes().replace(b'"seq":4,', b'"seq":5,'))
    assert place(chain) == (Kind.ALTERED, FIRST, 4, 4)


@pytest.mark.parametrize(("name", "seq"), [(FIRST, 1), (LAST, 21)])
def test_a_file_that_cannot_be_read_is_told_in_its_turn(chain: Path, name: str, seq: int) -> None:
    """Whether it may not be read, the disk fails, or it is gone since: what comes before it has been judged."""
    (files,) = find_chains(chain)
    (chain / name).unlink()
    finding = verify_chain(files).finding
    assert finding is not None
    assert (finding.kind, finding.path, finding.line, finding.seq) == (
        Kind.FILE_UNUSABLE,
        chain / name,
        0,
        seq,
    )
    assert finding.words == "it cannot be read: No such file or directory"


def test_damage_is_named_though_a_later_file_cannot_be_read(chain: Path) -> None:
    (chain / FIRST).write_bytes((chain / FIRST).read_bytes().replace(b'"seq":4,', b'"seq":5,'))
    (files,) = find_chains(chain)
    (chain / LAST).unlink()
    finding = verify_chain(files).finding
    assert finding is not None
    assert (finding.kind, finding.line) == (Kind.ALTERED, 4)


@pytest.mark.parametrize(
    ("name", "renamed", "other"),
    [(LAST, "2026-11-25.jsonl", "later"), (FIRST, "2026-11-03.jsonl", "earlier")],
)
def test_a_file_under_another_days_name_is_noted(chain: Path, name: str, renamed: str, other: str) -> None:
    """No record is another; but who asks for a day would not find them."""
    assert verdict_on(chain).notes == ()
    (chain / name).rename(chain / renamed)
    verdict = verdict_on(chain)
    assert verdict.intact, other
    (note,) = verdict.notes
    assert note.startswith(f"{renamed} has records of 2026-11-20:")


def test_a_repair_on_a_later_day_stands_where_the_torn_line_stood(chain: Path) -> None:
    next_day_us = LOG.heads[-1].time_us + 86_400_000_000
    for event, notes in (("repaired", 0), ("start", 1)):
        line, _ = seal(Control(event, {}).members(), LOG.heads[-1], next_day_us)
        (chain / LAST).write_bytes(b"".join((*LOG.lines[20:], line)))
        verdict = verdict_on(chain)
        assert (verdict.intact, verdict.head.seq, len(verdict.notes)) == (True, 31, notes)


def test_days_as_the_service_writes_them_are_not_noted(tmp_path: Path) -> None:
    lines = log_of(Head(CHAIN), 6000).lines
    assert day_of(lines[0]) != day_of(lines[-1])
    assert verdict_on(write_days(tmp_path, days_of(lines))).notes == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: b"\xef\xbb\xbf" + data, "byte order mark"),
        (lambda data: data.replace(b"\n", b"\r\n"), "CR LF"),
        (gzip.compress, "compressed, and its name lacks .gz"),
        (lambda data: b"  " + data, "canonical form"),
    ],
    ids=["BOM", "CRLF", "gzip", "blanks"],
)
def test_what_another_program_did_to_a_file_is_said(
    chain: Path, change: Callable[[bytes], bytes], said: str
) -> None:
    (chain / LAST).write_bytes(change((chain / LAST).read_bytes()))
    assert place(chain) == (Kind.ALTERED, LAST, 1, 21)
    assert said in words(chain)


@pytest.mark.parametrize("at", [0, 5, 10])
def test_an_empty_line_was_put_in(chain: Path, at: int) -> None:
    lines = [*LOG.lines[20:]]
    lines.insert(at, b"\n")
    (chain / LAST).write_bytes(b"".join(lines))
    assert place(chain) == (Kind.INSERTED, LAST, at + 1, 21 + at)


@pytest.mark.parametrize("end", [b"\n", b""], ids=["a line", "without an end"])
@pytest.mark.parametrize("size", [LONGEST_LINE, 2 * LONGEST_LINE + 7])
def test_a_line_longer_than_any_record_is_no_torn_one(chain: Path, size: int, end: bytes) -> None:
    lines = LOG.lines[20:]
    (chain / LAST).write_bytes(b"".join((*lines, b"x" * size, end)))
    assert place(chain) == (Kind.ALTERED, LAST, 11, 31)
    assert "longer than any record (16 MiB)" in words(chain)


def test_a_line_longer_than_any_record_between_two(chain: Path) -> None:
    lines = LOG.lines[20:]
    (chain / LAST).write_bytes(b"".join((*lines[:4], b"x" * (LONGEST_LINE + 5) + b"\n", *lines[4:])))
    assert place(chain) == (Kind.INSERTED, LAST, 5, 25)
    assert "record 25 stands in the line behind it" in words(chain)
