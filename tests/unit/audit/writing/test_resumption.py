"""Where a chain goes on after a restart, and what becomes of half a line."""

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.audit.record_files import chain_directory, event, events_of, lines_of, records_of, verified
from vaultsigner.audit import open_recorder
from vaultsigner.audit.writing.interrupted import find_interrupted
from vaultsigner.audit.writing.resumption import LONGEST_TEAR, find_head
from vaultsigner.errors import AuditError


async def write(directory: Path, *events: str) -> None:
    async with open_recorder(directory) as recorder:
        for name in events:
            await recorder.record(event(name))


def last_file(directory: Path) -> Path:
    return max(chain_directory(directory).glob("*.jsonl"))


async def test_a_restart_continues_the_chain(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a", "b")
    await write(audit, "c")
    assert events_of(audit) == ["a", "b", "c"]
    assert verified(audit).seq == 3


async def test_a_running_replica_keeps_its_chain(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with open_recorder(audit) as first, open_recorder(audit) as second:
        one = await first.record(event("first"))
        two = await second.record(event("second"))
    assert one.chain != two.chain
    assert (one.seq, two.seq) == (1, 1)
    async with open_recorder(audit) as third:
        position = await third.record(event("third"))
    assert position.chain == min(one.chain, two.chain)
    assert position.seq == 2


async def test_half_a_line_is_cut_off_and_told(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a", "b", "c")
    path = last_file(audit)
    whole = lines_of(audit)
    torn = whole[2][:-40]
    path.write_bytes(b"".join(whole[:2]) + torn)
    await write(audit, "d")
    assert events_of(audit) == ["a", "b", "repaired", "d"]
    assert records_of(audit)[2]["details"] == {
        "file": path.name,
        "torn_bytes": len(torn),
        "torn_sha256": hashlib.sha256(torn).hexdigest(),
    }
    assert verified(audit).seq == 4


@pytest.mark.parametrize(
    "tail",
    [b"{", b"\0" * 5_000, b"\0" * 5_000 + b"\n", b'{"v":1}\n', b"\n", b"x" * 100_000],
    ids=["one byte", "zeros", "zeros and an end", "no record", "empty line", "longer than the repair"],
)
async def test_an_unreadable_tail_is_cut_off_and_told(tmp_path: Path, tail: bytes) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a")
    with last_file(audit).open("ab") as file:
        file.write(tail)
    await write(audit, "b")
    assert events_of(audit) == ["a", "repaired", "b"]
    assert records_of(audit)[1]["details"]["torn_bytes"] == len(tail)
    assert verified(audit).seq == 3


async def test_a_tear_in_the_very_first_line(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a")
    last_file(audit).write_bytes(b'{"chain":')
    await write(audit, "b")
    assert events_of(audit) == ["repaired", "b"]
    assert verified(audit).seq == 2


async def test_an_empty_newest_file_does_not_hide_the_older_ones(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a")
    (chain_directory(audit) / "2999-01-01.jsonl").touch()
    await write(audit, "b")
    assert verified(audit).seq == 2


async def test_a_changed_last_line_refuses_to_start(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a", "b", "pay sam")
    path = last_file(audit)
    path.write_bytes(path.read_bytes().replace(b"pay sam", b"pay eve"))
    before = path.read_bytes()
    with pytest.raises(AuditError, match=rf"{path.name}, line 3: altered"):
        await write(audit, "c")
    assert path.read_bytes() == before


async def test_two_unreadable_lines_refuse_to_start(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a")
    with last_file(audit).open("ab") as file:
        file.write(b"garbage\n" * 2)
    with pytest.raises(AuditError, match="line 2: unreadable"):
        await write(audit, "b")


async def test_another_chains_file_refuses_to_start(tmp_path: Path) -> None:
    audit, other = tmp_path / "audit", tmp_path / "other"
    await write(audit, "a")
    await write(other, "b")
    last_file(audit).write_bytes(last_file(other).read_bytes())
    with pytest.raises(AuditError, match="another chain's record"):
        await write(audit, "c")


async def test_half_a_line_in_an_older_file_refuses_to_start(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a")
    old = chain_directory(audit) / "2000-01-01.jsonl"
    old.write_bytes(b"half")
    last_file(audit).write_bytes(b"half")
    with pytest.raises(AuditError, match="half a line"):
        await write(audit, "b")


def link(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("name", ["2999-01-01.jsonl", "2999-01-01.jsonl.gz"])
@pytest.mark.parametrize("plant", [os.mkfifo, os.mkdir, link], ids=["pipe", "directory", "link"])
async def test_what_is_no_regular_file_refuses_to_start_and_is_not_waited_for(
    tmp_path: Path, plant: Callable[[Path], None], name: str
) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a")
    plant(chain_directory(audit) / name)
    with pytest.raises(AuditError, match=f"{name} is no regular file.*move it away"):
        await write(audit, "b")
    with pytest.raises(AuditError, match=f"{name} is no regular file"):
        find_interrupted(chain_directory(audit))


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["half a line", "a line"])
async def test_a_tear_that_no_write_leaves_refuses_to_start(tmp_path: Path, end: bytes) -> None:
    """Nothing of it is on the disk, and nobody has to read it all."""
    audit = tmp_path / "audit"
    await write(audit, "a")
    path = last_file(audit)
    size = path.stat().st_size + LONGEST_TEAR + 1
    os.truncate(path, size)
    with path.open("ab") as file:
        file.write(end)
    with pytest.raises(AuditError, match=f"{path.name} ends in more than 256 MiB.*truncate"):
        await write(audit, "b")
    assert path.stat().st_size == size + len(end)


async def test_a_large_tear_is_not_held_in_memory(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await write(audit, "a")
    path = last_file(audit)
    whole = path.stat().st_size
    os.truncate(path, whole + 64 * 1024 * 1024)
    tracemalloc.start()
    try:
        _, torn = find_head(path.parent)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert torn is not None
    assert (torn.offset, torn.size) == (whole, 64 * 1024 * 1024)
    assert torn.sha256 == hashlib.sha256(bytes(torn.size)).hexdigest()
    assert peak < 8 * 1024 * 1024


async def test_a_refused_start_leaves_the_chain_unlocked(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    await write(audit, "pay sam")
    path = last_file(audit)
    good = path.read_bytes()
    path.write_bytes(good.replace(b"sam", b"eve"))
    with pytest.raises(AuditError):
        await write(audit, "b")
    path.write_bytes(good)
    await write(audit, "c")
    assert events_of(audit) == ["pay sam", "c"]


async def test_a_directory_that_cannot_be_made_is_an_audit_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AuditError, match="file"):
        await write(tmp_path / "file" / "audit", "a")


async def test_only_the_owner_reads_the_record(tmp_path: Path) -> None:
    audit = tmp_path / "new" / "audit"
    await write(audit, "a")
    modes = {path: path.stat().st_mode & 0o777 for path in [audit, *audit.rglob("*")]}
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items()), modes
