"""Compressing closed files: nothing is ever lost, whatever is there already and whatever fails."""

import errno
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.audit.long_log import CHAIN, long_log, write_days
from tests.unit.audit.record_files import chain_directory, event, files_of, until, verified
from vaultsigner.audit import Recorder
from vaultsigner.audit.files.compression import CompressionError, clear_leftovers, closed_files, compress
from vaultsigner.audit.files.line_files import CompressedDamageError
from vaultsigner.errors import AuditError

LOG = long_log(CHAIN, 1000)
FIRST, SECOND, THIRD = "2026-11-20.jsonl", "2026-11-20.0002.jsonl", "2026-11-21.jsonl"


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    parts = (LOG.lines[:400], LOG.lines[400:700], LOG.lines[700:])
    names = [name.removesuffix(".jsonl") for name in (FIRST, SECOND, THIRD)]
    return write_days(tmp_path, list(zip(names, parts, strict=True)))


def names(chain: Path) -> list[str]:
    return sorted(path.name for path in chain.iterdir())


def test_a_compressed_file_has_the_same_lines_the_same_bytes_each_time_and_the_same_time(chain: Path) -> None:
    path = chain / FIRST
    lines, status = path.read_bytes(), path.stat()
    compress(path)
    made = path.with_name(f"{FIRST}.gz")
    packed = made.read_bytes()
    assert gzip.decompress(packed) == lines
    assert len(packed) < len(lines) / 3
    assert packed[4:8] == b"\0\0\0\0"
    assert (made.stat().st_mode & 0o777, made.stat().st_mtime_ns) == (0o600, status.st_mtime_ns)
    assert names(chain) == sorted([f"{FIRST}.gz", SECOND, THIRD])
    path.write_bytes(lines)
    made.unlink()
    compress(path)
    assert made.read_bytes() == packed


def test_only_what_comes_before_the_file_that_is_written_to_is_closed(chain: Path) -> None:
    def closed(writing: str | None) -> list[str]:
        return [path.name for path in closed_files(chain, writing)]

    assert closed(None) == [FIRST, SECOND]
    assert closed(THIRD) == [FIRST, SECOND]
    assert closed(SECOND) == [FIRST]
    assert closed(FIRST) == []
    (chain / "2999-01-01.jsonl").touch()
    assert closed(None) == [FIRST, SECOND]
    assert closed(SECOND) == [FIRST]


def test_a_plain_file_left_over_goes_once_the_compressed_one_is_known_to_be_the_same(chain: Path) -> None:
    path = chain / FIRST
    lines = path.read_bytes()
    compress(path)
    path.write_bytes(lines)
    compress(path)
    assert names(chain) == sorted([f"{FIRST}.gz", SECOND, THIRD])


@pytest.mark.parametrize(
    "other",
    [gzip.compress(b"other\n"), b"", b"no gzip"],
    ids=["of something else", "empty", "no gzip"],
)
def test_a_compressed_file_that_is_not_the_same_is_left_beside_the_plain_one(
    chain: Path, other: bytes
) -> None:
    path, made = chain / FIRST, chain / f"{FIRST}.gz"
    lines = path.read_bytes()
    made.write_bytes(other)
    with pytest.raises(AuditError):
        compress(path)
    assert (path.read_bytes(), made.read_bytes()) == (lines, other)


def test_what_was_never_finished_is_cleared_away(chain: Path) -> None:
    (chain / f"{FIRST}.gz.new").write_bytes(b"half")
    (chain / "notes.new").write_bytes(b"somebody's")
    clear_leftovers(chain)
    assert names(chain) == sorted([FIRST, SECOND, THIRD, "notes.new"])


def test_a_planted_link_is_neither_compressed_nor_written_through(chain: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    path = chain / FIRST
    (chain / f"{FIRST}.gz.new").symlink_to(elsewhere)
    with pytest.raises(FileExistsError):
        compress(path)
    path.rename(tmp_path / "aside")
    path.symlink_to(tmp_path / "aside")
    with pytest.raises(AuditError, match="no regular file"):
        compress(path)
    assert not elsewhere.exists()
    assert (tmp_path / "aside").exists()


def test_a_pipe_in_the_compressed_files_place_is_not_waited_for(chain: Path) -> None:
    os.mkfifo(chain / f"{FIRST}.gz")
    with pytest.raises(AuditError, match="no regular file"):
        compress(chain / FIRST)
    assert (chain / FIRST).exists()


def at_call(monkeypatch: pytest.MonkeyPatch, name: str, action: Callable[[], None]) -> None:
    """Do something whenever a system call is about to be made."""
    call = getattr(os, name)

    def changed(*arguments: object, **names: object) -> object:
        action()
        return call(*arguments, **names)

    monkeypatch.setattr(os, name, changed)


def test_a_file_that_is_changed_meanwhile_stays(chain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = chain / FIRST

    def grow() -> None:
        with path.open("ab") as file:
            file.write(b"more")

    at_call(monkeypatch, "utime", grow)
    with pytest.raises(CompressionError, match="changed while it was compressed"):
        compress(path)
    assert path.read_bytes().endswith(b"more")


def test_what_does_not_read_back_replaces_nothing(chain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, made = chain / FIRST, chain / f"{FIRST}.gz.new"
    lines = path.read_bytes()

    def spoil() -> None:
        packed = made.read_bytes()
        made.write_bytes(packed[:500] + bytes([packed[500] ^ 1]) + packed[501:])

    at_call(monkeypatch, "posix_fadvise", spoil)
    with pytest.raises(AuditError):
        compress(path)
    assert path.read_bytes() == lines
    assert names(chain) == sorted([FIRST, SECOND, THIRD])


def test_another_process_file_under_the_same_name_costs_no_record(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else compresses the same chain, which its lock should have kept from happening."""
    path, made = chain / FIRST, chain / f"{FIRST}.gz.new"
    lines = path.read_bytes()

    def replace() -> None:
        made.unlink()
        made.write_bytes(b"theirs, and not finished")

    at_call(monkeypatch, "posix_fadvise", replace)
    with pytest.raises(CompressionError, match="replaced"):
        compress(path)
    assert path.read_bytes() == lines
    assert not path.with_name(f"{FIRST}.gz").exists()


def test_lines_that_say_next_to_nothing_stay_plain(chain: Path) -> None:
    """What reads compressed files refuses those that could fill a memory or a disk."""
    path = chain / FIRST
    path.write_bytes(b'{"x":"' + b"x" * 40_000_000 + b'"}\n')
    with pytest.raises(CompressedDamageError, match="200 times"):
        compress(path)
    assert names(chain) == sorted([FIRST, SECOND, THIRD])


async def fill(audit: Path, records: int = 12, **options: float) -> str | None:
    """A recorder's life with several small files; its warning at the end, when all is compressed that can be."""
    async with Recorder(audit, rotate_bytes=1_000, retry_seconds=60) as recorder:
        for number in range(records):
            await recorder.record(event(f"e{number}"))
        chain = chain_directory(audit)
        await until(lambda: recorder.warning is not None or not closed_files(chain, files_of(audit)[-1].name))
        return recorder.warning


async def test_a_recorder_compresses_what_it_closes_and_never_what_it_writes_to(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    assert await fill(audit) is None
    files = files_of(audit)
    assert len(files) == 3
    assert [path.suffix for path in files] == [".gz", ".gz", ".jsonl"]
    assert verified(audit).seq == 12
    await fill(audit, 1)
    assert verified(audit).seq == 13


async def test_what_was_not_compressed_before_is_at_the_next_start(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await fill(audit)
    for path in files_of(audit)[:-1]:
        path.with_name(path.name.removesuffix(".gz")).write_bytes(gzip.decompress(path.read_bytes()))
    files_of(audit)[0].with_name(f"{files_of(audit)[0].name}.gz").unlink()
    await fill(audit, 1)
    assert [path.suffix for path in chain_directory(audit).glob("*.jsonl*")].count(".jsonl") == 1
    assert verified(audit).seq == 13


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_a_disk_error_beside_the_record_is_a_warning_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    audit = tmp_path / "audit"

    def fail() -> None:
        raise OSError(number, os.strerror(number))

    async with Recorder(audit, rotate_bytes=1_000, retry_seconds=60, compress_retry_seconds=0.02) as recorder:
        with monkeypatch.context() as broken:
            at_call(broken, "utime", fail)
            for value in range(12):
                await recorder.record(event(f"e{value}"))
            await until(lambda: recorder.warning is not None)
            assert os.strerror(number) in str(recorder.warning)
            assert recorder.healthy
            assert not list(chain_directory(audit).glob("*.gz"))  # One may be in the making again.
        await until(lambda: recorder.warning is None)
        await until(lambda: not closed_files(chain_directory(audit), files_of(audit)[-1].name))
    assert verified(audit).seq == 12


async def test_two_files_that_differ_are_told_for_as_long_as_they_do(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await fill(audit)
    first = files_of(audit)[0]
    first.with_name(first.name.removesuffix(".gz")).write_bytes(gzip.decompress(first.read_bytes()) + b"x")
    warning = await fill(audit, 12)
    assert "one of the two was changed" in str(warning)
    assert first.exists()
    assert first.with_name(first.name.removesuffix(".gz")).exists()
