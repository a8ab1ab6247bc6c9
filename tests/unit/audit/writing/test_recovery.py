"""Failures of the disk and of people with access to it: an error for everyone who waits, and then back without a restart."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.unit.audit.record_files import (
    chain_directory,
    event,
    events_of,
    lines_of,
    records_of,
    until,
    verified,
)
from vaultsigner.audit import Recorder, open_recorder
from vaultsigner.audit.chain import Damage, DamagedChainError, seal, verify_lines
from vaultsigner.audit.writing.resumption import find_head
from vaultsigner.errors import AuditError


def current_file(audit: Path) -> Path:
    return max(chain_directory(audit).glob("*.jsonl"))


def failing(
    call: Callable[..., int | None], number: int, *, after_bytes: int | None = None
) -> Callable[..., int | None]:
    """A system call that fails; a write may get some bytes out first, as on a full disk."""
    short = [after_bytes] if after_bytes else []

    def fail(descriptor: int, *arguments: bytes) -> int | None:
        if short:
            return call(descriptor, arguments[0][: short.pop()])
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize(("name", "after_bytes"), [("write", None), ("write", 100), ("fdatasync", None)])
async def test_a_disk_error_is_told_to_all_who_wait_and_leaves_no_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, after_bytes: int | None, number: int
) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("before"))
        recorder.name_policy("sha256:aa")
        with monkeypatch.context() as broken:
            broken.setattr(os, name, failing(getattr(os, name), number, after_bytes=after_bytes))
            results = await asyncio.gather(
                *(recorder.record(event("lost")) for _ in range(10)), return_exceptions=True
            )
            assert all(isinstance(result, AuditError) for result in results), results
            assert os.strerror(number) in str(results[0])
            assert recorder.problem is not None
        position = await recorder.record(event("after"))
        assert recorder.healthy
    assert events_of(audit) == ["before", "recovered", "after"]
    assert position.seq == 3
    recovered = records_of(audit)[1]
    assert recovered["policy"] == "sha256:aa"
    told = recovered["details"]
    assert os.strerror(number) in told["problem"]
    assert told["refused"] == 10
    assert told["found"][-1] in {"intact", "torn"}
    assert verified(audit).seq == 3


async def test_recovery_needs_no_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=0.02) as recorder:
        with monkeypatch.context() as broken:
            broken.setattr(os, "fdatasync", failing(os.fdatasync, errno.EIO))
            with pytest.raises(AuditError):
                await recorder.record(event("lost"))
            await asyncio.sleep(0.1)
            assert not recorder.healthy
        await until(lambda: recorder.healthy)
    assert events_of(audit) == ["recovered"]
    assert verified(audit).seq == 1


async def test_a_deleted_file_is_noticed_before_the_answer(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("gone"))
        current_file(audit).unlink()
        with pytest.raises(AuditError, match="No such file"):
            await recorder.record(event("into the void"))
        position = await recorder.record(event("after"))
    assert events_of(audit) == ["recovered", "after"]
    assert records_of(audit)[0]["details"]["found"] == ["lost"]
    assert position.seq == 3
    with pytest.raises(DamagedChainError) as caught:  # What was deleted stays visible as a gap.
        verify_lines(lines_of(audit))
    assert (caught.value.seq, caught.value.damage) == (2, Damage.OUT_OF_ORDER)


async def test_a_file_deleted_during_the_sync_is_noticed_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit, fdatasync = tmp_path / "audit", os.fdatasync
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("gone"))

        def sync_and_delete(descriptor: int) -> None:
            fdatasync(descriptor)
            current_file(audit).unlink()

        with monkeypatch.context() as racing:
            racing.setattr(os, "fdatasync", sync_and_delete)
            with pytest.raises(AuditError, match="No such file"):
                await recorder.record(event("into the void"))
        await recorder.record(event("after"))
    assert events_of(audit) == ["recovered", "after"]


async def test_a_file_replaced_by_its_own_copy_goes_on_without_a_gap(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("before"))
        path, copy = current_file(audit), tmp_path / "copy"
        shutil.copy(path, copy)
        copy.rename(path)
        with pytest.raises(AuditError, match="replaced by another file"):
            await recorder.record(event("lost"))
        await recorder.record(event("after"))
    assert events_of(audit) == ["before", "recovered", "after"]
    assert verified(audit).seq == 3


async def test_a_file_emptied_in_place_is_noticed(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("gone"))
        os.truncate(current_file(audit), 0)
        with pytest.raises(AuditError, match="another hand changed it"):
            await recorder.record(event("lost"))
        await recorder.record(event("after"))
    assert events_of(audit) == ["recovered", "after"]
    assert records_of(audit)[0]["details"]["found"] == ["lost"]


async def test_bytes_of_another_hand_are_left_as_evidence(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("before"))
        with current_file(audit).open("ab") as file:
            file.write(b"forged")
        with pytest.raises(AuditError, match="another hand changed it"):
            await recorder.record(event("lost"))
        await recorder.record(event("after"))
    lines = lines_of(audit)
    assert lines[1] == b"forged\n"
    assert b'"found":["changed"]' in lines[2]
    assert b'"after"' in lines[3]
    assert len(lines) == 4


async def test_a_deleted_directory_comes_back(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("gone"))
        shutil.rmtree(audit)
        with pytest.raises(AuditError):
            await recorder.record(event("lost"))
        position = await recorder.record(event("after"))
    assert events_of(audit) == ["recovered", "after"]
    assert chain_directory(audit).name == position.chain


async def test_something_else_in_the_files_place_is_an_error_until_it_goes(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("before"))
        path, aside = current_file(audit), tmp_path / "aside"
        path.rename(aside)
        path.mkdir()
        for _ in range(3):
            with pytest.raises(AuditError):
                await recorder.record(event("lost"))
        path.rmdir()
        aside.rename(path)
        await recorder.record(event("after"))
    assert events_of(audit) == ["before", "recovered", "after"]
    assert verified(audit).seq == 3


async def test_a_planted_link_does_not_lead_the_record_elsewhere(tmp_path: Path) -> None:
    audit, elsewhere = tmp_path / "audit", tmp_path / "elsewhere"
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("before"))
        path = current_file(audit)
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
        for _ in range(2):
            with pytest.raises(AuditError):
                await recorder.record(event("lost"))
        path.unlink()
        elsewhere.rename(path)
        await recorder.record(event("after"))
    assert events_of(audit) == ["before", "recovered", "after"]


async def test_a_link_planted_for_the_next_day_makes_no_file_elsewhere(tmp_path: Path) -> None:
    audit, elsewhere, now = tmp_path / "audit", tmp_path / "elsewhere", [0]
    async with Recorder(audit, clock=lambda: now[0], retry_seconds=60) as recorder:
        await recorder.record(event("before"))
        (chain_directory(audit) / "1970-01-02.jsonl").symlink_to(elsewhere)
        now[0] = 86_400 * 10**9
        with pytest.raises(AuditError):
            await recorder.record(event("lost"))
    assert "elsewhere" not in os.listdir(tmp_path)  # noqa: PTH208 - the linter takes Path.iterdir here for blocking.


@pytest.mark.parametrize("compressed", [False, True], ids=["as-it-was", "compressed-meanwhile"])
async def test_a_chain_that_goes_on_in_another_file_without_us_is_not_forked(
    tmp_path: Path, compressed: bool
) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=60) as first:
        await first.record(event("first"))
        path = current_file(audit)
        (path.parent / "lock").unlink()
        path.with_name(path.name.replace(".jsonl", ".0002.jsonl")).touch()
        async with open_recorder(audit) as second:
            await second.record(event("second"))
            await until(lambda: not (compressed and path.exists()))
            with pytest.raises(AuditError, match="was deleted or replaced"):
                await first.record(event("fork"))
            with pytest.raises(AuditError, match="taken over by another process"):
                await first.record(event("fork"))
        # The other one has ended, and its lock is free: what it wrote stands all the same.
        for _ in range(2):
            with pytest.raises(AuditError, match="taken over by another process"):
                await first.record(event("fork"))
    async with open_recorder(audit) as third:
        await third.record(event("third"))
    assert events_of(audit) == ["first", "second", "third"]
    assert verified(audit).seq == 3


async def test_a_chain_taken_over_during_the_sync_is_not_acknowledged_nor_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit, fdatasync = tmp_path / "audit", os.fdatasync
    async with Recorder(audit, retry_seconds=60) as first:
        await first.record(event("first"))
        path = current_file(audit)
        second = path.with_name(path.name.replace(".jsonl", ".0002.jsonl"))

        def sync_and_go_on(descriptor: int) -> None:
            """What another process does that finds the lock deleted, and ends before we look."""
            fdatasync(descriptor)
            monkeypatch.setattr(os, "fdatasync", fdatasync)
            (path.parent / "lock").unlink()
            head, _ = find_head(path.parent)
            second.write_bytes(seal(event("second").members(), head, head.time_us)[0])

        monkeypatch.setattr(os, "fdatasync", sync_and_go_on)
        with pytest.raises(AuditError, match="was deleted or replaced"):
            await first.record(event("unknown"))
        with pytest.raises(AuditError, match="taken over by another process"):
            await first.record(event("fork"))
    assert events_of(audit) == ["first", "unknown", "second"]
    assert verified(audit).seq == 3


@pytest.mark.parametrize("when", ["before", "during the sync"])
async def test_a_deleted_lock_that_nobody_took_is_told_and_the_chain_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    audit, fdatasync = tmp_path / "audit", os.fdatasync
    async with Recorder(audit, retry_seconds=60) as recorder:
        await recorder.record(event("before"))

        def sync_and_delete(descriptor: int) -> None:
            fdatasync(descriptor)
            (chain_directory(audit) / "lock").unlink()

        with monkeypatch.context() as racing:
            if when == "before":
                (chain_directory(audit) / "lock").unlink()
            else:
                racing.setattr(os, "fdatasync", sync_and_delete)
            with pytest.raises(AuditError, match="was deleted or replaced"):
                await recorder.record(event("lost"))
        await recorder.record(event("after"))
    assert events_of(audit) == ["before", "recovered", "after"]
    assert records_of(audit)[1]["details"]["found"] == ["intact" if when == "before" else "torn"]
    assert verified(audit).seq == 3


FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from vaultsigner.audit import Recorder
from vaultsigner.audit.entries import Control
from vaultsigner.errors import AuditError

async def main():
    audit = Path(sys.argv[1])
    good = bad = 0
    async with Recorder(audit, retry_seconds=60) as recorder:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
        for number in range(40):
            try:
                await recorder.record(Control("before", {"number": number}))
                good += 1
            except AuditError:
                bad += 1
        assert good and bad and not recorder.healthy, (good, bad)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await recorder.record(Control("after", {}))
        assert recorder.healthy
    print(good)

asyncio.run(main())
"""


def test_a_file_that_may_not_grow_is_an_error_and_no_torn_line(tmp_path: Path) -> None:
    """The system itself refuses the write here, in the middle of a line, as a full disk does."""
    audit = tmp_path / "audit"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(audit)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    acknowledged = int(done.stdout)
    assert events_of(audit) == ["before"] * acknowledged + ["recovered", "after"]
    assert verified(audit).seq == acknowledged + 2
