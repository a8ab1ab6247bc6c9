"""Processes that do nothing at all for a while."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.patience import wait_until

STILL = {"T", "Z"}  # proc(5), state: stopped; ended, and nobody has asked how


def stop(pid: int) -> None:
    """Returns when not one of its threads runs any more; the signal alone lets them go on until the system comes round to it."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: set(_states(pid)) <= STILL, f"process {pid} stands still", poll_seconds=0.001)


def go_on(pid: int) -> None:
    """Undo `stop`."""
    os.kill(pid, signal.SIGCONT)


@contextmanager
def standing_still(*pids: int) -> Iterator[None]:
    """For as long as the block lasts; connections stay."""
    try:
        for pid in pids:
            stop(pid)
        yield
    finally:
        for pid in pids:
            go_on(pid)


def _states(pid: int) -> Iterator[str]:
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended since it was listed
            yield stat.read_text().rpartition(")")[2].split()[0]
