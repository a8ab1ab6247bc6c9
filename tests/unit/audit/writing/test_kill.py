"""kill -9 in the middle of the work: what was acknowledged is there, and the chain is whole after the next start."""

import asyncio
import json
import random
import subprocess
import sys
import time
from pathlib import Path

from tests.patience import PATIENCE_SECONDS
from tests.unit.audit.record_files import chain_directory, event, lines_of, verified
from vaultsigner.audit import open_recorder
from vaultsigner.domain.audit_position import AuditPosition

WRITER = """
import asyncio, os, sys
from pathlib import Path
from vaultsigner.audit import open_recorder
from vaultsigner.audit.entries import Control

async def write(recorder, task):
    for number in range(1_000_000):
        position = await recorder.record(Control("work", {"task": task, "number": number, "filler": "x" * (number % 300)}))
        os.write(1, b"%d %d %d\\n" % (position.seq, task, number))

async def main():
    async with open_recorder(Path(sys.argv[1])) as recorder:
        await asyncio.gather(*(write(recorder, task) for task in range(16)))

asyncio.run(main())
"""


def live_and_die(audit: Path, told: Path, seconds: float) -> list[tuple[int, int, int]]:
    """Run a writer, kill it this long after its first answer, and return what it had acknowledged."""
    with told.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(audit)], stdout=output)
        while process.poll() is None and told.stat().st_size == 0:
            time.sleep(0.01)
        time.sleep(seconds)
        process.kill()
        process.wait(PATIENCE_SECONDS)
    lines = [line for line in told.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    assert lines
    return [(int(seq), int(task), int(number)) for seq, task, number in map(bytes.split, lines)]


async def start_again(audit: Path) -> AuditPosition:
    async with open_recorder(audit) as recorder:
        return await recorder.record(event("after"))


def test_kill_9_loses_no_acknowledged_record_and_tears_no_chain(tmp_path: Path) -> None:
    audit, chance = tmp_path / "audit", random.Random(20261121)  # noqa: S311 - when to kill is no secret.
    acknowledged: dict[int, tuple[int, int]] = {}
    for life in range(6):
        for seq, *work in live_and_die(audit, tmp_path / f"told-{life}", chance.uniform(0, 0.15)):
            assert seq not in acknowledged
            acknowledged[seq] = (work[0], work[1])
    last = asyncio.run(start_again(audit))
    assert chain_directory(audit).name == last.chain
    assert verified(audit).seq == last.seq
    for record in map(json.loads, lines_of(audit)):
        if record["seq"] in acknowledged:
            details = record["details"]
            assert (details["task"], details["number"]) == acknowledged.pop(record["seq"])
    assert not acknowledged
