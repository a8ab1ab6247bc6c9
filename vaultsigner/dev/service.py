"""A running vaultsigner: the launcher, the server and the custody process, as `vaultsigner serve` starts them."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from vaultsigner.dev.installation import Installation
from vaultsigner.dev.processes import ChildProcess, ProcessError

START_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.05
QUERY_TIMEOUT_SECONDS = 5.0
PRODUCT = ("-m", "vaultsigner")


class Service:
    """`vaultsigner serve` on an installation; its log goes to `log` in the installation's directory.

    Args:
        program: what to start instead of the product's own program, as arguments of the interpreter.
    """

    def __init__(
        self,
        installation: Installation,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = PRODUCT,
    ) -> None:
        self.installation = installation
        self.url = installation.url
        self.ops_url = installation.ops_url
        self.log = installation.directory / "vaultsigner.log"
        self._program = program
        self._environment = {"PATH": os.environ.get("PATH", os.defpath), **(environment or {})}
        self._process: ChildProcess | None = None

    def start(self) -> None:
        """Start and wait until signatures can be made.

        Raises:
            ProcessError: it ended, or was not ready in time; the message has the end of the log.
        """
        self.launch()
        self.become_ready()

    def launch(self) -> None:
        """The first half of `start`, for the thread whose end is to be the service's end."""
        self._process = ChildProcess(
            [sys.executable, *self._program, "serve", "--config", str(self.installation.config_file)],
            log=self.log,
            environment=self._environment,
            cwd=Path(__file__).parents[2],
        )

    def become_ready(self) -> None:
        """The second half."""
        process = self._running()
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.is_ready():
            if not process.running or time.monotonic() > deadline:
                raise process.failure("vaultsigner did not get ready:")
            time.sleep(POLL_SECONDS)

    def is_ready(self) -> bool:
        """What /readyz says."""
        listen = self.installation.settings.server.ops_listen
        with closing(HTTPConnection(listen.host, listen.port, timeout=QUERY_TIMEOUT_SECONDS)) as connection:
            try:
                connection.request("GET", "/readyz")
                return connection.getresponse().status == HTTPStatus.OK
            except (OSError, HTTPException):
                return False

    def stop(self) -> None:
        """End it in order."""
        if self._process:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """End it as a crash would."""
        self._running().kill()
        self._process = None

    @property
    def launcher_pid(self) -> int:
        """The process that was started."""
        return self._running().pid

    @property
    def server_pid(self) -> int:
        """The HTTP process."""
        return self._child("server")

    @property
    def custody_pid(self) -> int:
        """The process that holds keys for an instant."""
        return self._child("custody")

    @property
    def custody_socket(self) -> Path:
        """Where custody listens, as the server was told."""
        arguments = Path(f"/proc/{self.server_pid}/cmdline").read_text().split("\0")
        return Path(arguments[arguments.index("--custody-socket") + 1])

    def _child(self, name: str) -> int:
        """Whose arguments are `-m <package>.<name>`, as the launcher starts them."""
        launcher = self._running().pid
        children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
        for pid in map(int, children):
            arguments = _arguments(pid)
            if "-m" in arguments and arguments[arguments.index("-m") + 1].endswith(f".{name}"):
                return pid
        raise ProcessError(f"{name} does not run")

    def _running(self) -> ChildProcess:
        if self._process is None:
            raise ProcessError("vaultsigner is not running")
        return self._process


def _arguments(pid: int) -> list[str]:
    """A process's command line; none of one that has ended since it was listed."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []


@contextmanager
def running_service(
    installation: Installation,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = PRODUCT,
) -> Iterator[Service]:
    """The service for as long as the block lasts."""
    service = Service(installation, environment, program)
    try:
        service.start()
        yield service
    finally:
        service.stop()


@asynccontextmanager
async def run_service(installation: Installation, program: Sequence[str] = PRODUCT) -> AsyncIterator[Service]:
    """The same without holding up the event loop."""
    service = Service(installation, program=program)
    try:
        service.launch()
        await asyncio.to_thread(service.become_ready)
        yield service
    finally:
        await asyncio.to_thread(service.stop)
