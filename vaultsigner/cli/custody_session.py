"""The custody process alone, as `serve` runs it, for as long as a question or two take."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from vaultsigner.cli.launcher import custody_command, custody_environment, open_token, runtime_directory
from vaultsigner.config.settings import Settings
from vaultsigner.custody.client import CustodyClient
from vaultsigner.dev import tethered
from vaultsigner.errors import VaultsignerError

START_SECONDS = 20.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.05


class CustodyStartError(VaultsignerError):
    """The custody process did not come up; the message has what it said itself."""

    code = "custody_unavailable"


@asynccontextmanager
async def custody_session(
    config_file: Path, settings: Settings, environ: Mapping[str, str]
) -> AsyncIterator[CustodyClient]:
    """A connected client of a custody process that ends with the block. It leaves a wrapped secret id for `serve` to unwrap.

    Raises:
        CustodyStartError: it ended, or did not say hello in time.
    """
    with ExitStack() as stack:
        directory = stack.enter_context(runtime_directory())
        path = directory / "custody.sock"
        listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(str(path))
        listener.listen()
        log = directory / "custody.log"
        process = _start(config_file, settings, environ, listener, log)
        stack.callback(_stop, process)
        client = CustodyClient(path)
        await client.connect()
        try:
            await _await_hello(client, process, log)
            yield client
        finally:
            await client.close()


def _start(
    config_file: Path, settings: Settings, environ: Mapping[str, str], listener: socket.socket, log: Path
) -> subprocess.Popen[bytes]:
    """With the command line, the descriptors and the environment that the launcher gives it; its log goes to a file."""
    # Should this process be killed, the kernel ends custody too: nothing that holds the token stays behind.
    tie = [sys.executable, "-I", "-S", str(Path(tethered.__file__)), str(os.getpid())]
    token = _open_token(settings.vault.token_path)
    arguments, descriptors = custody_command(config_file, listener, token, look_only=True)
    try:
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - the interpreter and arguments are our own
                [*tie, sys.executable, *arguments],
                env=custody_environment(environ),
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
    finally:
        if token is not None:
            os.close(token)


def _open_token(path: Path | None) -> int | None:
    try:
        return None if path is None else open_token(path)
    except OSError:
        return None  # custody says itself what is missing, and what to do


async def _await_hello(client: CustodyClient, process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            while not client.connected:
                if process.poll() is not None:
                    raise CustodyStartError(f"the custody process does not start: {_last_words(log)}")
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise CustodyStartError(f"the custody process did not start within {START_SECONDS:.0f} s") from None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_words(log: Path) -> str:
    """The last line of custody's log, which never holds a secret, as text for people."""
    lines = log.read_text(errors="replace").strip().splitlines()
    if not lines:
        return "it said nothing"
    try:
        entry = json.loads(lines[-1])
    except ValueError:
        entry = {}
    return str(entry.get("message") or entry.get("event") or lines[-1])[:2000]
