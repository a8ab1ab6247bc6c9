"""The recorder: one sync for all who wait, and nobody is answered before it."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.unit.audit.record_files import (
    chain_directory,
    event,
    events_of,
    files_of,
    lines_in,
    records_of,
    until,
    verified,
)
from vaultsigner.audit import Recorder, open_recorder
from vaultsigner.audit.entries import Control
from vaultsigner.errors import AuditError

MIDNIGHT_NS = 1_795_305_600 * 10**9


class SlowDisk:
    """Replaces fdatasync by one that waits until it is let go, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.syncs = 0
        self.entered = threading.Event()
        self.go = threading.Event()
        self._really = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._fdatasync)

    def _fdatasync(self, descriptor: int) -> None:
        self.syncs += 1
        self.entered.set()
        assert self.go.wait(PATIENCE_SECONDS)
        self._really(descriptor)


async def test_records_of_many_tasks_stand_in_one_chain(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with open_recorder(audit) as recorder:
        positions = await asyncio.gather(*(recorder.record(event(f"e{n}")) for n in range(500)))
    assert [position.seq for position in positions] == list(range(1, 501))
    assert events_of(audit) == [f"e{n}" for n in range(500)]
    assert verified(audit).seq == 500


async def test_nobody_is_answered_before_the_sync_and_one_sync_serves_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_recorder(tmp_path / "audit") as recorder:
        disk = SlowDisk(monkeypatch)
        first = asyncio.create_task(recorder.record(event("first")))
        await until(disk.entered.is_set)
        others = [asyncio.create_task(recorder.record(event("other"))) for _ in range(50)]
        await asyncio.sleep(0.05)
        assert not first.done()
        assert not any(task.done() for task in others)
        disk.go.set()
        await asyncio.gather(first, *others)
        assert disk.syncs == 2


async def test_the_event_loop_goes_on_while_the_disk_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_recorder(tmp_path / "audit") as recorder:
        disk = SlowDisk(monkeypatch)
        waiting = asyncio.create_task(recorder.record(event("slow")))
        await until(disk.entered.is_set)
        await asyncio.sleep(0)
        assert not waiting.done()
        disk.go.set()
        await waiting


async def test_a_day_has_its_own_file_even_within_one_batch(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    times = iter(range(MIDNIGHT_NS - 3_000_000, MIDNIGHT_NS + 3_000_000, 1_000_000))
    async with open_recorder(audit, clock=lambda: next(times)) as recorder:
        await asyncio.gather(*(recorder.record(event(f"e{n}")) for n in range(6)))
    files = sorted(chain_directory(audit).glob("*.jsonl"))
    assert [path.name for path in files] == ["2026-11-21.jsonl", "2026-11-22.jsonl"]
    assert [len(path.read_bytes().splitlines()) for path in files] == [3, 3]
    assert verified(audit).seq == 6


async def test_a_file_that_is_large_enough_is_closed_and_the_day_goes_on_in_the_next(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    now = [MIDNIGHT_NS - 10**9]
    async with Recorder(audit, clock=lambda: now[0], rotate_bytes=1_000) as recorder:
        for number in range(9):
            await recorder.record(event(f"e{number}"))
        now[0] = MIDNIGHT_NS
        await recorder.record(event("next day"))
    files = files_of(audit)
    assert [path.name.removesuffix(".gz") for path in files] == [
        "2026-11-21.jsonl",
        "2026-11-21.0002.jsonl",
        "2026-11-21.0003.jsonl",
        "2026-11-22.jsonl",
    ]
    assert [len(lines_in(path)) for path in files] == [4, 4, 1, 1]
    assert verified(audit).seq == 10


async def test_a_restart_goes_on_in_the_newest_file_of_the_day(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    for number in range(9):
        async with Recorder(audit, clock=lambda: MIDNIGHT_NS, rotate_bytes=1_000) as recorder:
            await recorder.record(event(f"e{number}"))
    assert [path.name.removesuffix(".gz") for path in files_of(audit)] == [
        "2026-11-22.jsonl",
        "2026-11-22.0002.jsonl",
        "2026-11-22.0003.jsonl",
    ]
    assert verified(audit).seq == 9


async def test_a_clock_that_steps_back_does_not_take_the_record_with_it(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with open_recorder(audit, clock=lambda: MIDNIGHT_NS) as recorder:
        await recorder.record(event("a"))
    async with open_recorder(audit, clock=lambda: MIDNIGHT_NS - 86_400 * 10**9) as recorder:
        await recorder.record(event("b"))
    assert [record["time"] for record in records_of(audit)] == ["2026-11-22T00:00:00.000000Z"] * 2
    assert verified(audit).seq == 2


async def test_a_cancelled_caller_gets_its_record_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = tmp_path / "audit"
    async with open_recorder(audit) as recorder:
        disk = SlowDisk(monkeypatch)
        task = asyncio.create_task(recorder.record(event("signed")))
        await until(disk.entered.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        disk.go.set()
        await recorder.record(event("next"))
    assert events_of(audit) == ["signed", "next"]


async def test_an_entry_that_json_has_no_form_for_harms_no_other(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with open_recorder(audit) as recorder:
        results = await asyncio.gather(
            recorder.record(event("before")),
            recorder.record(Control("bad", {"value": object()})),  # type: ignore[dict-item]  # A mistake on purpose.
            recorder.record(event("after")),
            return_exceptions=True,
        )
        assert recorder.healthy
    assert isinstance(results[1], AuditError)
    assert events_of(audit) == ["before", "after"]
    assert verified(audit).seq == 2


async def test_a_closed_recorder_answers_an_error(tmp_path: Path) -> None:
    async with open_recorder(tmp_path / "audit") as recorder:
        pass
    with pytest.raises(AuditError, match="closed"):
        await recorder.record(event("late"))


async def test_what_waits_at_the_end_is_still_written(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with open_recorder(audit) as recorder:
        waiting = [asyncio.create_task(recorder.record(event("e"))) for _ in range(20)]
        await asyncio.sleep(0)
    assert len({position.seq for position in await asyncio.gather(*waiting)}) == 20
    assert verified(audit).seq == 20


async def test_a_stalled_disk_is_an_error_within_the_bounded_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, wait_seconds=3.0, retry_seconds=0.02) as recorder:
        await recorder.record(event("before"))
        disk = SlowDisk(monkeypatch)
        stalled = asyncio.create_task(recorder.record(event("in the write that hangs")))
        await until(disk.entered.is_set)
        # Within the wait; or at once, where it took us as long to get here.
        with pytest.raises(AuditError, match=r"no answer (within|for more than) 3 s"):
            await recorder.record(event("never begun"))
        with pytest.raises(AuditError, match=r"within 3 s"):
            await stalled
        assert not recorder.healthy
        assert "no answer" in str(recorder.problem)
        disk.go.set()
        await until(lambda: recorder.healthy)
        await recorder.record(event("after"))
    assert events_of(audit) == ["before", "in the write that hangs", "recovered", "after"]
    assert verified(audit).seq == 4


async def test_a_full_queue_is_an_error_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Recorder(tmp_path / "audit", queue_limit=3) as recorder:
        disk = SlowDisk(monkeypatch)
        tasks = [asyncio.create_task(recorder.record(event("e")))]
        await until(disk.entered.is_set)
        tasks += [asyncio.create_task(recorder.record(event("e"))) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(AuditError, match="3 are waiting already"):
            await recorder.record(event("one too many"))
        disk.go.set()
        await asyncio.gather(*tasks)


async def test_two_processes_never_share_a_chain_though_its_lock_was_deleted(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    async with Recorder(audit, retry_seconds=60) as first:
        await first.record(event("first"))
        (chain_directory(audit) / "lock").unlink()
        async with open_recorder(audit) as second:
            await second.record(event("second"))
            with pytest.raises(AuditError, match="was deleted or replaced"):
                await first.record(event("fork"))
            with pytest.raises(AuditError, match="taken over by another process"):
                await first.record(event("fork"))
            await second.record(event("undisturbed"))
    assert events_of(audit) == ["first", "second", "undisturbed"]
    assert verified(audit).seq == 3
