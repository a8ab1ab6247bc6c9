"""A disk that does not answer, for real: a sync of the audit thread takes seconds, and nothing else does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.strace import injecting, require_strace
from vaultsigner.audit.files.chain_files import all_lines, find_chains
from vaultsigner.audit.verifying.verification import verify_chain

STALL_SECONDS, WAIT_SECONDS, CALLERS = 10.0, 2.0, 40
PROGRAM = """
import asyncio, json, os, sys, threading
from pathlib import Path
from vaultsigner.audit import Recorder
from vaultsigner.audit.entries import Control
from vaultsigner.errors import AuditError

async def ask(recorder, what):
    try:
        position = await recorder.record(Control(what, {}))
    except AuditError as error:
        return {"what": what, "error": str(error)}
    return {"what": what, "seq": position.seq}

async def main():
    async with Recorder(Path(sys.argv[1]), wait_seconds=float(sys.argv[2]), retry_seconds=0.05) as recorder:
        told = [await ask(recorder, "before")]
        (thread,) = (each for each in threading.enumerate() if each.name == "audit")
        print(thread.native_id, flush=True)
        sys.stdin.readline()
        first = asyncio.create_task(ask(recorder, "first"))
        await asyncio.sleep(0.3)
        while recorder.load.waiting:  # Until it is taken, alone: what comes now is not in its write.
            await asyncio.sleep(0.01)
        told += await asyncio.gather(first, *(ask(recorder, "during") for _ in range(int(sys.argv[3]))))
        problem = recorder.problem
        late = await asyncio.gather(*(ask(recorder, "late") for _ in range(int(sys.argv[3]))))
        still = recorder.problem
        while not recorder.healthy:
            await asyncio.sleep(0.02)
        told += late
        told.append(await ask(recorder, "after"))
    print(json.dumps({"told": told, "problem": problem, "still": still, "late": late}))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """What callers were told, before, while and after one sync stalled."""
    require_strace()
    audit = tmp_path_factory.mktemp("stalled") / "audit"
    command = [sys.executable, "-c", PROGRAM, str(audit), str(WAIT_SECONDS), str(CALLERS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            thread = int(process.stdout.readline())
            with injecting(thread, "fdatasync", f"delay_enter={int(STALL_SECONDS * 1e6)}:when=1"):
                out, _ = process.communicate("\n", PATIENCE_SECONDS)
        finally:
            process.kill()
    return audit, json.loads(out)


def test_callers_get_their_error_within_the_wait_and_later_ones_at_once(
    outcome: tuple[Path, dict[str, Any]],
) -> None:
    _, told = outcome
    during = [each for each in told["told"] if each["what"] in ("first", "during")]
    assert len(during) == CALLERS + 1
    assert all("no answer within 2 s" in each["error"] for each in during)
    assert len(told["late"]) == CALLERS
    # Who hears this has not waited.
    assert all("no answer for more than 2 s" in each["error"] for each in told["late"])
    assert "no answer" in told["problem"]
    assert told["still"] == told["problem"]


def test_when_the_disk_answers_all_goes_on_and_nothing_is_lost_or_doubled(
    outcome: tuple[Path, dict[str, Any]],
) -> None:
    audit, told = outcome
    (chain,) = find_chains(audit)
    verdict = verify_chain(chain)
    assert verdict.intact, verdict.finding
    records = [json.loads(line.data) for line in all_lines(chain.files)]
    # The write that stalled is there: its caller got an error, and no answer. What had not begun never is.
    assert [record["event"] for record in records] == ["before", "first", "recovered", "after"]
    assert told["told"][-1] == {**told["told"][-1], "what": "after", "seq": 4}
    assert "no answer" in records[2]["details"]["problem"]
