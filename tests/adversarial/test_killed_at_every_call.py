"""kill -9, full and failing disks at every write and sync of those who keep the record and the state, one call after the other.

The service is small (`counting_life`); its recorder, its state, the system calls and what becomes of them are real.
"""

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.adversarial.lives import Lives, Tampering, require_no_answer_without_its_record
from tests.strace import require_strace
from vaultsigner.audit.files.chain_files import find_chains

FIRST_STEPS, STEPS = 3, 8
UNLINK, RENAME = "?unlink,?unlinkat", "?rename,?renameat,?renameat2"


@dataclass(frozen=True)
class Call:
    """System calls of a thread; `at_least`: how often it makes them in the life that is lived here."""

    thread: str
    calls: str
    at_least: int

    def __str__(self) -> str:
        """How a test is called."""
        return f"{self.thread}-{self.calls.partition(',')[0].strip('?')}"


# Whoever keeps something durable, and how. A check that finds fewer calls to fail at has looked past them; how many it is exactly
# depends on the versions of SQLite and Python.
CALLS = [
    Call("audit", "write", 10),
    Call("audit", "fdatasync", 10),
    Call("audit", "fsync", 2),
    Call("asyncio", "pwrite64", 5),
    Call("asyncio", "fdatasync", 2),
    Call("asyncio", "fsync", 2),
    Call("asyncio", "ftruncate", 1),
    Call("state", "pwrite64", 40),
    Call("state", "fdatasync", 15),
    Call("compression", "write", 2),
    Call("compression", "fsync", 5),
    Call("compression", RENAME, 1),
    Call("compression", UNLINK, 3),
    Call("MainThread", "pwrite64", 2),
    Call("MainThread", "fdatasync", 1),
    Call("MainThread", UNLINK, 1),
]
ANSWERS = Call("MainThread", "write", 5)
LIFE = range(FIRST_STEPS, STEPS)


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    require_strace()
    with Lives() as running:
        yield running


@pytest.fixture(scope="module")
def begun(lives: Lives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an earlier life left: half a line, a plain file beside the compressed one, and a compressed one half made."""
    directory = tmp_path_factory.mktemp("begun")
    assert lives.live(directory, range(FIRST_STEPS)).done
    (chain,) = find_chains(directory / "audit")
    first, last = chain.files[0].path, chain.files[-1].path
    with last.open("ab") as file:
        file.write(b'{"half a line')
    first.with_suffix("").write_bytes(gzip.decompress(first.read_bytes()))
    first.with_suffix(".gz.new").write_bytes(b"half a file")
    return directory


@pytest.mark.parametrize("call", [*CALLS, ANSWERS], ids=str)
def test_killed_at_every_call(lives: Lives, begun: Path, tmp_path: Path, call: Call) -> None:
    for number in count(1):
        directory = shutil.copytree(begun, tmp_path / str(number))
        tampering = Tampering(call.thread, call.calls, f"signal=SIGKILL:when={number}")
        killed = lives.live(directory, LIFE, tampering)
        assert killed.tampered
        unanswered = max((each.step + 1 for each in killed.signed), default=FIRST_STEPS)
        again = lives.live(directory, range(unanswered, STEPS))
        assert again.done
        require_no_answer_without_its_record(directory, killed, again)
        shutil.rmtree(directory)
        if killed.done:
            break
    assert number > call.at_least


def test_without_power_before_a_sync_no_answer_is_without_its_record(
    lives: Lives, begun: Path, tmp_path: Path
) -> None:
    """kill -9 leaves what was written and not synced; a power cut does not. One caller at a time: that is one line."""
    for number in count(1):
        directory = shutil.copytree(begun, tmp_path / str(number))
        tampering = Tampering("audit", "fdatasync", f"signal=SIGKILL:when={number}")
        cut = lives.live(directory, LIFE, tampering)
        if cut.done:
            break
        (chain,) = find_chains(directory / "audit")
        newest = [file.path for file in chain.files if file.size][-1]
        lines = newest.read_bytes().splitlines(keepends=True)
        newest.write_bytes(b"".join(lines[:-1]))
        unanswered = max((each.step + 1 for each in cut.signed), default=FIRST_STEPS)
        again = lives.live(directory, range(unanswered, STEPS))
        assert again.done
        require_no_answer_without_its_record(directory, cut, again)
    assert number > 10


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_an_error_at_every_call_is_got_over_without_a_restart(
    lives: Lives, begun: Path, tmp_path: Path, call: Call, error: str
) -> None:
    refused, log = 0, tmp_path / "log"
    for number in count(1):
        directory = shutil.copytree(begun, tmp_path / str(number))
        told = lives.live(
            directory, LIFE, Tampering(call.thread, call.calls, f"error={error}:when={number}", log)
        )
        assert told.done
        assert {each.step for each in told.signed} == set(LIFE)
        require_no_answer_without_its_record(directory, told)
        shutil.rmtree(directory)
        refused += told.refused
        if "INJECTED" not in log.read_text():
            break
    assert number > call.at_least
    # Nobody waits for compression, and what closes the state has answered everybody; all others had to tell that it did not work.
    assert (refused > 0) == (call.thread in ("audit", "state", "asyncio"))
