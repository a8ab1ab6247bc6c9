"""Starts the server and the custody process, restarts custody when it dies, and ends both in order.

The launcher knows neither keys nor HTTP. It holds what has to outlive custody: the listening socket, and the memory in which
custody keeps what it logged in with, which the launcher never looks into; and it opens the file with the Vault token, where
there is one, without ever reading it.
"""

import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog

from vaultsigner.cli.child_processes import arriving_signals, die_with_parent, stop
from vaultsigner.config import Settings
from vaultsigner.custody.hardening import ALLOCATOR_ENVIRONMENT
from vaultsigner.custody.vault_token.keepsake_memory import hand_over, make_keepsake_memory

SERVER_STOP_SECONDS = 30.0
CUSTODY_STOP_SECONDS = 5.0
STEADY_SECONDS = 10.0
"""Custody that lived this long and then died is restarted at once; one that dies sooner again, after a growing pause."""
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

_CUSTODY_VARIABLES = frozenset({"VAULT_ADDR", "PATH", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"})
_AWS_VARIABLES = frozenset(
    {
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_EC2_METADATA_DISABLED",
    }
)
"""Where AWS gives out a role's credentials; none of them is one."""
_CUSTODY_PREFIXES = ("VAULTSIGNER_", "LC_")
_TOKEN_VARIABLES = ("VAULT_TOKEN", "BAO_TOKEN")
_BACKLOG = 128
_LONGEST_PARENT = 70  # a socket's path has at most 107 bytes (unix(7))

_log = structlog.get_logger()


def custody_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What custody gets of the environment: an allow-list, and the allocator settings that it insists on.

    A token in the environment would stand on its stack, and in /proc, for as long as it lives.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name in _CUSTODY_VARIABLES | _AWS_VARIABLES or name.startswith(_CUSTODY_PREFIXES)
    }
    return {**kept, **ALLOCATOR_ENVIRONMENT}


def server_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the server gets: everything but Vault tokens, which it must not hold for a moment."""
    return {name: value for name, value in environ.items() if name not in _TOKEN_VARIABLES}


def custody_command(
    config_file: Path,
    listener: socket.socket,
    token: int | None,
    *,
    keepsake: int | None = None,
    look_only: bool = False,
    config_digest: str | None = None,
    after_crash: bool = False,
) -> tuple[list[str], list[int]]:
    """How custody is started: the interpreter's arguments, and the descriptors that they name, which it must inherit.

    Args:
        listener: bound and listening.
        token: descriptor of the token file, None where it cannot be opened, or there is none.
        keepsake: descriptor of a socket with memory that outlives custody; see `custody.keepsake_memory.hand_over`.
        look_only: custody uses up nothing that is good for one use.
        config_digest: custody starts with this config.yml alone (`Settings.digest`); None: with any.
        after_crash: whether one has run before: what it had signed for is forgotten, and custody must know that.
    """
    arguments = ["-sP", "-m", "vaultsigner.custody", "--config", str(config_file.absolute())]
    arguments += ["--listen-fd", str(listener.fileno())]
    arguments += [] if config_digest is None else ["--config-digest", config_digest]
    arguments += ["--after-crash"] if after_crash else []
    arguments += ["--look-only"] if look_only else []
    descriptors = [listener.fileno()]
    for option, descriptor in (("--token-fd", token), ("--keepsake-fd", keepsake)):
        if descriptor is not None:
            arguments += [option, str(descriptor)]
            descriptors.append(descriptor)
    return arguments, descriptors


def open_token(path: Path) -> int:
    """A descriptor of the token file, for custody; not a byte of it is read here.

    Raises:
        OSError: as the system says.
    """
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)


def make_token_remedy(path: Path) -> str:
    """What to do where there is no token."""
    return f"run `vaultsigner vault setup --token-out {path}`"


@contextmanager
def runtime_directory() -> Iterator[Path]:
    """A directory of our own (mode 0700), gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="vaultsigner-", dir=_runtime_parent()))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _runtime_parent() -> str:
    candidates = (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir())
    usable = (
        each for each in candidates if len(each) <= _LONGEST_PARENT and os.access(each, os.W_OK | os.X_OK)
    )
    return next(usable, "/tmp")  # noqa: S108 - mkdtemp makes a private directory in it


def _first_in_child() -> Callable[[], None]:
    """What a child does before it becomes its program: a SIGHUP that comes before it listens for one must not end it."""
    tie = die_with_parent()

    def prepare() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        tie()

    return prepare


class Launcher:
    """Runs the two processes until the server ends or a signal asks for the end.

    Args:
        config_file: handed to both, which read it themselves.
        settings: what is in it; how custody comes by its token and the digest matter here. However often custody starts, it is
            with this configuration; policies are what the files say when it starts.
        environ: the environment to choose from.
        directory: private; for the socket.
    """

    def __init__(
        self,
        config_file: Path,
        settings: Settings,
        environ: Mapping[str, str],
        directory: Path,
    ) -> None:
        self._config_file = config_file.absolute()
        self._token_path = settings.vault.token_path
        self._keepsake: int | None = None
        self._config_digest = settings.digest
        self._environ = environ
        self._socket_path = directory / "custody.sock"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._selector = selectors.DefaultSelector()
        self._server: subprocess.Popen[bytes] | None = None
        self._custody: subprocess.Popen[bytes] | None = None
        self._custody_started = 0.0
        self._custody_starts = 0
        self._pause = 0.0
        self._restart_at: float | None = None

    def run(self) -> int:
        """Start both and stay; the exit status: the server's own, 0 after a signal, 1 where custody cannot be started at all."""
        for name in _TOKEN_VARIABLES:
            if name in self._environ:
                _log.warning(
                    "variable_dropped",
                    variable=name,
                    reason="custody takes its token from where vault.auth says, and from nowhere else",
                )
        self._listener.bind(str(self._socket_path))
        self._listener.listen(_BACKLOG)
        if self._token_path is None:
            self._keepsake = make_keepsake_memory()
        with arriving_signals() as signals:
            self._selector.register(signals, selectors.EVENT_READ, None)
            try:
                self._start_custody()
                self._start_server()
                return self._supervise(signals)
            finally:
                self._end()

    def _supervise(self, signals: socket.socket) -> int:
        while True:
            timeout = None if self._restart_at is None else max(0.0, self._restart_at - time.monotonic())
            for key, _ in self._selector.select(timeout):
                status = self._signalled(signals) if key.data is None else self._child_ended(key.data)
                if status is not None:
                    return status
            if self._restart_at is not None and time.monotonic() >= self._restart_at:
                self._start_custody()

    def _signalled(self, signals: socket.socket) -> int | None:
        for number in signals.recv(64):
            if number in (signal.SIGTERM, signal.SIGINT):
                _log.info("stopping", signal=signal.Signals(number).name)
                return 0
            if number == signal.SIGHUP:
                self._hand_on_hang_up()
        return None

    def _hand_on_hang_up(self) -> None:
        """Only the server is told: it has custody load what it has found to be good itself."""
        if self._server is not None and self._server.poll() is None:
            _log.info("reloading", signal="SIGHUP", reason="policies are read anew; config.yml at start only")
            self._server.send_signal(signal.SIGHUP)

    def _child_ended(self, child: subprocess.Popen[bytes]) -> int | None:
        status = child.wait()
        self._unwatch(child)
        if child is self._server:
            _log.error("server_ended", status=status)
            return status if status >= 0 else 128 - status
        lived = time.monotonic() - self._custody_started
        if self._custody_starts == 1 and status > 0:
            _log.critical("custody_cannot_start", status=status)
            return 1
        self._pause = 0.0 if lived >= STEADY_SECONDS or self._custody_starts == 1 else self._longer_pause()
        self._restart_at = time.monotonic() + self._pause
        _log.error(
            "custody_ended", status=status, lived_seconds=round(lived, 3), restart_in_seconds=self._pause
        )
        return None

    def _longer_pause(self) -> float:
        return min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, 2 * self._pause))

    def _start_server(self) -> None:
        arguments = [
            "-m",
            "vaultsigner.server",
            "--config",
            str(self._config_file),
            "--custody-socket",
            str(self._socket_path),
        ]
        self._server = self._start(arguments, server_environment(self._environ))
        self._watch(self._server)

    def _start_custody(self) -> None:
        token = self._open_token()
        handed = None if self._keepsake is None else hand_over(self._keepsake)
        arguments, descriptors = custody_command(
            self._config_file,
            self._listener,
            token,
            keepsake=None if handed is None else handed.fileno(),
            config_digest=self._config_digest,
            after_crash=self._custody_starts > 0,
        )
        try:
            self._custody = self._start(arguments, custody_environment(self._environ), descriptors)
        finally:
            if token is not None:
                os.close(token)
            if handed is not None:
                handed.close()
        self._custody_started = time.monotonic()
        self._custody_starts += 1
        self._restart_at = None
        self._watch(self._custody)

    def _open_token(self) -> int | None:
        """The descriptor is all that goes to custody; not a byte of the file is read here."""
        path = self._token_path
        if path is None:
            return None
        try:
            return open_token(path)
        except OSError as error:
            remedy = make_token_remedy(path)
            _log.warning("no_vault_token", path=str(path), reason=error.strerror, remedy=remedy)
            return None

    def _start(
        self, arguments: list[str], environment: dict[str, str], descriptors: list[int] | None = None
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the interpreter and arguments are our own
            [sys.executable, *arguments],
            env=environment,
            pass_fds=descriptors or (),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the launcher alone, which ends the two in order
            preexec_fn=_first_in_child(),  # noqa: PLW1509 - this process has one thread
        )

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        self._selector.register(os.pidfd_open(child.pid), selectors.EVENT_READ, child)

    def _unwatch(self, child: subprocess.Popen[bytes]) -> None:
        for key in tuple(self._selector.get_map().values()):
            if key.data is child:
                self._selector.unregister(key.fileobj)
                os.close(key.fd)

    def _end(self) -> None:
        """The server first, so that what it is doing can still be finished with custody's help."""
        for child, seconds in ((self._server, SERVER_STOP_SECONDS), (self._custody, CUSTODY_STOP_SECONDS)):
            if child is not None:
                self._unwatch(child)
                stop(child, seconds)
        self._selector.close()
        self._listener.close()
        if self._keepsake is not None:
            os.close(self._keepsake)
