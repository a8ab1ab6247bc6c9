"""Runs `vaultsigner` as people do: as a program, in a pipe or on a terminal of its own."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.integration.cli import warm_start
from tests.patience import PATIENCE_SECONDS

PROGRAM = [sys.executable, "-m", "vaultsigner"]
# A session leader that opens a terminal gets it as its controlling one, and so /dev/tty.
ON_TERMINAL = "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. On a terminal, everything shown is in `out`."""

    status: int
    out: str
    err: str = ""


class Program:
    """The program in a home and a working directory of its own, without a terminal unless asked for."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        self._environment = {"HOME": str(home), "PATH": os.defpath, "TERM": "xterm", "COLUMNS": "200"}
        self._environment |= {"PYTHONPATH": str(Path(__file__).parents[3]), **(environment or {})}

    def run(
        self,
        *arguments: str,
        typed: str = "",
        environment: Mapping[str, str] | None = None,
        output: int = subprocess.PIPE,
    ) -> Outcome:
        """Run without a terminal; `typed` is standard input. With another descriptor for its output, `out` is empty."""
        variables = {**self._environment, **(environment or {})}
        return Outcome(*warm_start.run(arguments, typed, variables, self.home, output))

    def converse(self, *arguments: str, dialogue: Sequence[tuple[str, str]]) -> Outcome:
        """Run on a terminal; each time a prompt's words show, type the answer and Enter."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, *PROGRAM, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self._environment,
            cwd=self.home,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            shown = b""
            for prompt, answer in dialogue:
                shown += _read_until(ours, prompt.encode())
                os.write(ours, f"{answer}\n".encode())
            shown += _read_until(ours, None)
            return Outcome(
                process.wait(PATIENCE_SECONDS), shown.decode(errors="replace").replace("\r\n", "\n")
            )
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            os.close(ours)


def _read_until(descriptor: int, words: bytes | None) -> bytes:
    """What the terminal shows up to and with the words; up to the end where there are none."""
    shown, deadline = b"", time.monotonic() + PATIENCE_SECONDS
    while words is None or words not in shown:
        ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError(f"waited for {words!r}, saw {shown!r}")
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # Linux: the last one at the other side has closed it
            part = b""
        if not part:
            if words is None:
                break
            raise EOFError(f"ended before {words!r}: {shown!r}")
        shown += part
    return shown
