"""Child processes for development and tests: they log to a file, end when we do, and are stopped by their own id."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vaultsigner.dev import tethered
from vaultsigner.errors import VaultsignerError

STOP_TIMEOUT_SECONDS = 30.0


class ProcessError(VaultsignerError):
    """A child process did not start or ended too early; the message has the end of its log."""


class ChildProcess:
    """A running program.

    Start it from a thread that lives as long as the program should (the main thread): the kernel ends it together
    with that thread. It leads a session of its own, so a Ctrl-C at the terminal reaches us and not it.
    """

    def __init__(
        self, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str], cwd: Path | None = None
    ) -> None:
        self.log = log
        tie = [sys.executable, "-I", "-S", str(Path(tethered.__file__)), str(os.getpid())]
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 (the program and its arguments are our own)
                [*tie, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Stays the same when the tie becomes the program."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """False once it has ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Asks it to end, then insists."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def failure(self, message: str) -> ProcessError:
        """An error that says what went wrong and how the log ends."""
        lines = self.log.read_text(errors="replace").splitlines()
        return ProcessError("\n".join([message, *(f"  | {line}" for line in lines[-15:])]))
