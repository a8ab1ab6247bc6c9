"""System calls of a running thread that fail, wait or kill, by strace's injection (strace(1), "Syscall tampering")."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

STRACE = "strace"


@cache
def why_not() -> str | None:
    """Why strace cannot be used here; None: it can."""
    if shutil.which(STRACE) is None:
        return "strace is not installed: apt-get install strace"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            with injecting(process.pid, "getpid", "delay_enter=1"):
                return None
        except NotTracedError as error:
            return f"strace may not trace here: {error}"
        finally:
            process.kill()


def require_strace() -> None:
    """Skip where there is no strace; fail where there must be.

    Raises:
        AssertionError: in CI.
    """
    reason = why_not()
    if reason is not None:
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)


class NotTracedError(Exception):
    """What strace said instead of beginning."""


@contextmanager
def injecting(thread: int, calls: str, what: str, log: Path | None = None) -> Iterator[None]:
    """Change the calls of one thread for as long as the block lasts, or the thread.

    Args:
        thread: its id, of a process that does not mind, or a child.
        calls: their names, with a question mark before those that not every machine has.
        what: to inject: `signal=SIGKILL:when=3`, `error=EIO:when=1`, `delay_enter=2000000:when=1` (microseconds).
        log: takes what was called, with the files' paths.

    Raises:
        NotTracedError: it cannot be.
    """
    listed = [] if log is None else ["-y", "-s", "0"]
    command = [STRACE, *listed, "-o", str(log or os.devnull), "-e", f"trace={calls}"]
    command += ["-e", f"inject={calls}:{what}", "-p", str(thread)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            if "attached" not in said:
                raise NotTracedError(said.strip())
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)
