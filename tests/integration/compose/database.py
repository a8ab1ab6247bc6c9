"""PostgreSQL as compose.yaml starts it: the image's steps, by Debian's programs, since those that come from PyPI speak no TLS."""

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from tests.patience import wait_until
from tests.postgres import SYSTEM_USER
from vaultsigner.dev.processes import ChildProcess

DELIVERED = Path(__file__).parents[3] / "deploy" / "compose" / "postgres"
SUPERUSER = "postgres"


def programs() -> Path | None:
    """Where Debian's PostgreSQL is: its newest version. None: it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def running_database(secrets: Path, port: int) -> Iterator[None]:
    """The database with the delivered configuration and no way in for us.

    Args:
        secrets: the volume `postgres-secrets`; its files are moved, for its reader is another user here.
    """
    with tempfile.TemporaryDirectory(prefix="vaultsigner-postgres-") as name:
        directory = Path(name)
        shutil.move(secrets, directory / "secrets")
        _write_configuration(directory, port)
        _give(directory)
        # pg_hba.conf of initdb's own for as long as the image makes the database, which nobody else reaches meanwhile.
        _run(
            directory,
            "initdb",
            "-D",
            f"{directory}/data",
            "-U",
            SUPERUSER,
            "--auth-local=trust",
            "--auth-host=reject",
        )
        with _server(
            directory, f"--unix_socket_directories={directory}", "--listen_addresses=", f"--port={port}"
        ):
            wait_until(lambda: _created(directory, port), "create.sql has run")
        with _server(directory, f"--config_file={directory}/postgresql.conf") as process:
            wait_until(lambda: _listens(process, port), "PostgreSQL listens")
            yield


def _write_configuration(directory: Path, port: int) -> None:
    text = (DELIVERED / "postgresql.conf").read_text()
    for told, here in (
        ("/etc/vaultsigner/pg_hba.conf", f"{directory}/pg_hba.conf"),
        ("/run/secrets/postgres", f"{directory}/secrets"),
        ("port = 5432", f"port = {port}\nunix_socket_directories = ''"),
        ("listen_addresses = '*'", "listen_addresses = '127.0.0.1'"),
    ):
        assert told in text, told
        text = text.replace(told, here)
    (directory / "postgresql.conf").write_text(text)
    shutil.copyfile(DELIVERED / "pg_hba.conf", directory / "pg_hba.conf")


def _give(directory: Path) -> None:
    if os.geteuid() == 0:
        user = pwd.getpwnam(SYSTEM_USER)
        for each in (directory, *directory.rglob("*")):
            os.chown(each, user.pw_uid, user.pw_gid)


def _command(program: str, *arguments: str) -> list[str]:
    found = programs()
    assert found is not None
    command = [str(found / program), *arguments]
    if os.geteuid() != 0:
        return command
    user = pwd.getpwnam(SYSTEM_USER)
    become = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=KILL"]
    return ["setpriv", *become, *command]


def _environment(directory: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(directory), "LC_ALL": "C", "TZ": "UTC"}


def _run(directory: Path, program: str, *arguments: str) -> None:
    command, environment = _command(program, *arguments), _environment(directory)
    done = subprocess.run(
        command, env=environment, cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _server(directory: Path, *options: str) -> Iterator[ChildProcess]:
    process = ChildProcess(
        _command("postgres", "-D", f"{directory}/data", *options),
        log=directory / "postgres.log",
        environment=_environment(directory),
        cwd=directory,
    )
    try:
        yield process
    finally:
        process.stop()


def _created(directory: Path, port: int) -> bool:
    try:
        with psycopg.connect(
            host=str(directory), port=port, user=SUPERUSER, dbname=SUPERUSER, autocommit=True
        ) as open_:
            for statement in _statements(DELIVERED / "create.sql"):
                open_.execute(statement.encode())
    except psycopg.OperationalError:
        return False
    return True


def _statements(path: Path) -> Sequence[str]:
    text = re.sub(r"--.*", "", path.read_text())
    return [each.strip() for each in text.split(";") if each.strip()]


def _listens(process: ChildProcess, port: int) -> bool:
    if not process.running:
        raise process.failure("PostgreSQL ended:")
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
