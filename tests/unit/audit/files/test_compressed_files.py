"""Compressed files are read as the plain ones are; whatever is done to one is found, with its place, in bounded memory."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.audit.long_log import days_of, long_log, write_days
from tests.unit.audit.record_files import event, verified
from vaultsigner.audit import open_recorder
from vaultsigner.audit.files.chain_files import find_chains
from vaultsigner.audit.files.compression import compress
from vaultsigner.audit.files.following import Follower
from vaultsigner.audit.files.reading import Unreadable, read_intents, record_files
from vaultsigner.audit.searching.filters import Filters
from vaultsigner.audit.searching.queries import open_queries
from vaultsigner.audit.verifying.findings import Kind
from vaultsigner.audit.verifying.proofs import root_of
from vaultsigner.audit.verifying.verification import Verdict, verify_chain
from vaultsigner.errors import AuditError

LOG = long_log()
DAY = "2026-11-20.jsonl"


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Five days, all but the last compressed; the path of the first."""
    chain = write_days(tmp_path, days_of(LOG.lines))
    for path in sorted(chain.iterdir())[:-1]:
        compress(path)
    return chain / f"{DAY}.gz"


def verdict_on(directory: Path) -> Verdict:
    (chain,) = find_chains(directory)
    return verify_chain(chain)


def test_a_chain_with_compressed_files_is_what_it_was(packed: Path, tmp_path: Path) -> None:
    (chain,) = find_chains(tmp_path)
    told: list[int] = []
    verdict = verify_chain(chain, progress=told.append)
    assert (verdict.intact, verdict.head, verdict.files) == (True, LOG.heads[-1], 5)
    assert sum(told) == chain.size
    root = root_of(chain)[1]
    write_days(tmp_path, days_of(LOG.lines))
    assert root_of(find_chains(tmp_path)[0])[1] == root


def test_it_is_searched_followed_and_replayed_as_it_was(packed: Path, tmp_path: Path) -> None:
    with open_queries(find_chains(tmp_path)) as queries:
        counts = queries.count(Filters())
        found = list(queries.find(Filters(kind="intent")).lines)
    assert (counts.records, counts.unreadable) == (10_000, 0)
    unreadable = Unreadable()
    intents = [each for file in record_files(tmp_path) for each in read_intents(file, unreadable)]
    assert (len(intents), unreadable.count) == (len(found), 0)
    assert Follower(tmp_path).last(3000) == list(LOG.lines[-3000:])


def test_a_plain_file_that_is_compressed_after_it_was_found_is_read_all_the_same(tmp_path: Path) -> None:
    directory = write_days(tmp_path, days_of(LOG.lines))
    (chain,) = find_chains(tmp_path)
    follower, files = Follower(tmp_path), record_files(tmp_path)
    assert len(follower.last(1)) == 1
    for path in sorted(directory.iterdir())[:-1]:
        compress(path)
    told: list[int] = []
    assert verify_chain(chain, progress=told.append).intact
    assert sum(told) == chain.size
    assert sum(1 for file in files for _ in read_intents(file, Unreadable())) == 4000
    assert follower.new() == []


def test_lines_that_came_before_a_file_was_compressed_are_followed_once(tmp_path: Path) -> None:
    chain = write_days(tmp_path, [("2026-11-20", LOG.lines[:5])])
    follower = Follower(tmp_path)
    follower.last(1)
    with (chain / DAY).open("ab") as file:
        file.writelines(LOG.lines[5:7])
    (chain / "2026-11-21.jsonl").write_bytes(LOG.lines[7])
    compress(chain / DAY)
    assert follower.new() == list(LOG.lines[5:8])
    assert follower.new() == []


def flip(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 0x10]) + data[len(data) // 2 + 1 :]


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str, int | None]] = {
    "a byte changed": (flip, "", None),
    "cut off": (lambda data: data[: len(data) // 2], "its end is missing", None),
    "the last byte cut off": (lambda data: data[:-1], "its end is missing", 2001),
    "emptied": (lambda _: b"", "its end is missing", 1),
    "garbage behind it": (lambda data: data + b"garbage", "bytes behind its end", 2001),
    "zeros behind it": (lambda data: data + b"\0" * 512, "bytes behind its end", 2001),
    "a second part": (lambda data: data + gzip.compress(b"more\n"), "second compressed part", 2001),
    "an empty second part": (lambda data: data + gzip.compress(b""), "second compressed part", 2001),
    "the checksum changed": (lambda data: data[:-8] + b"\0\0\0\0" + data[-4:], "cannot be unpacked", 2001),
    "the length changed": (lambda data: data[:-4] + b"\0\0\0\0", "cannot be unpacked", 2001),
    "not compressed": (gzip.decompress, "cannot be unpacked", 1),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_told_with_its_kind_and_place(packed: Path, tmp_path: Path, what: str) -> None:
    change, words, line = DAMAGE[what]
    packed.write_bytes(change(packed.read_bytes()))
    finding = verdict_on(tmp_path).finding
    assert finding is not None
    assert finding.path == packed
    if words:
        assert finding.kind is Kind.COMPRESSION
        assert words in finding.words
    assert finding.seq == finding.line
    assert finding.line == line or (line is None and 0 < finding.line <= 2001)
    unreadable = Unreadable()
    for file in record_files(tmp_path):
        list(read_intents(file, unreadable))
    assert unreadable.places[0].startswith(f"{packed}:")
    assert Follower(tmp_path).last(9_000)


@pytest.mark.parametrize("line", [1, 2, 700, 2000])
def test_a_line_altered_inside_is_named_though_the_checksum_is_wrong_as_well(
    packed: Path, tmp_path: Path, line: int
) -> None:
    data = packed.read_bytes()
    lines = gzip.decompress(data).splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b'"seq":', b'"sep":', 1)
    # Whoever changes what is in it and knows of no checksum leaves the old one.
    packed.write_bytes(gzip.compress(b"".join(lines))[:-8] + data[-8:])
    finding = verdict_on(tmp_path).finding
    assert finding is not None
    assert (finding.kind, finding.path, finding.line, finding.seq) == (Kind.ALTERED, packed, line, line)


def test_a_byte_changed_anywhere_is_found_at_its_line(packed: Path, tmp_path: Path) -> None:
    """Or where the rest cannot be unpacked any more: never far behind it, never before it."""
    data = packed.read_bytes()
    for place in range(60, len(data) - 8, len(data) // 23):
        whole = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data[:place]).count(b"\n")
        packed.write_bytes(data[:place] + bytes([data[place] ^ 0x04]) + data[place + 1 :])
        finding = verdict_on(tmp_path).finding
        assert finding is not None
        assert finding.kind in (Kind.ALTERED, Kind.COMPRESSION, Kind.TORN)
        assert whole <= finding.line <= whole + 400, (place, finding)


@pytest.mark.parametrize("lines", [0, 1], ids=["alone", "behind a record"])
def test_a_bomb_is_damage_and_not_unpacked_in_memory(packed: Path, tmp_path: Path, lines: int) -> None:
    data = b"".join(LOG.lines[:lines]) + b"{" + b" " * 400_000_000
    packed.write_bytes(gzip.compress(data, 9))
    del data
    tracemalloc.start()
    try:
        finding = verdict_on(tmp_path).finding
        unreadable = Unreadable()
        list(read_intents(record_files(tmp_path)[0], unreadable))
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
    assert finding is not None
    assert (finding.path, finding.line) == (packed, lines + 1)
    assert unreadable.count


@pytest.mark.parametrize("what", [name for name in DAMAGE if name != "not compressed"])
def test_damage_stops_no_query_with_a_traceback(packed: Path, tmp_path: Path, what: str) -> None:
    packed.write_bytes(DAMAGE[what][0](packed.read_bytes()))
    with open_queries(find_chains(tmp_path)) as queries:
        try:
            counts = queries.count(Filters())
        except AuditError:
            return
    assert counts.records <= 10_000


async def test_a_chain_goes_on_behind_a_newest_file_that_somebody_compressed(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with open_recorder(audit) as recorder:
        await recorder.record(event("a"))
    (chain,) = find_chains(audit)
    compress(chain.files[0].path)
    for _ in range(2):
        async with open_recorder(audit) as recorder:
            await recorder.record(event("b"))
    assert verified(audit).seq == 3
    files = [file.path.name for file in find_chains(audit)[0].files]
    assert [files[0][-9:], files[1][-11:]] == [".jsonl.gz", ".0002.jsonl"]


@pytest.mark.parametrize("change", [flip, lambda data: data[:-1], lambda data: data + b"x"])
async def test_a_damaged_newest_file_refuses_to_start(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    audit = tmp_path / "audit"
    async with open_recorder(audit) as recorder:
        await recorder.record(event("a"))
    (chain,) = find_chains(audit)
    compress(chain.files[0].path)
    packed = chain.files[0].path.with_name(f"{chain.files[0].path.name}.gz")
    packed.write_bytes(change(packed.read_bytes()))
    with pytest.raises(AuditError, match=packed.name):
        async with open_recorder(audit):
            pass


def test_a_file_missing_within_a_day_is_named(tmp_path: Path) -> None:
    names = ["2026-11-20", "2026-11-20.0002", "2026-11-20.0003"]
    parts = [(name, LOG.lines[i * 10 : i * 10 + 10]) for i, name in enumerate(names)]
    chain = write_days(tmp_path, parts)
    assert verdict_on(tmp_path).intact
    (chain / "2026-11-20.0002.jsonl").unlink()
    finding = verdict_on(tmp_path).finding
    assert finding is not None
    assert (finding.kind, finding.seq) == (Kind.FILE_MISSING, 11)
