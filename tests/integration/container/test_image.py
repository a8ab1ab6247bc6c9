"""What the Dockerfile makes, made without an engine: its own steps, as an ordinary user, into an empty directory."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dockerfile import ROOT, Builder, read
from tests.patience import PATIENCE_SECONDS, wait_until
from vaultsigner.dev.installation import Installation, Plan, install
from vaultsigner.dev.openbao import OpenBao

USER = 10001
DOCKERFILE = read((ROOT / "Dockerfile").read_text())
RUNTIME = DOCKERFILE.stages[-1]
PARTS = ROOT / ".venv-console-parts" / "node_modules" / "uplot"
WRITABLE = ("srv/vaultsigner/state", "srv/vaultsigner/audit", "tmp")
"""What compose.yaml leaves writable on a root that is read-only."""


@dataclass(frozen=True)
class Image:
    """Its root; `user` is whose rights its processes have, None for our own."""

    root: Path
    user: int | None

    @property
    def program(self) -> Path:
        return self.root / "opt" / "vaultsigner" / "bin" / "vaultsigner"

    def environment(self) -> dict[str, str]:
        """As the image sets it, below our root."""
        told = {name: value.replace("$PATH", os.defpath) for name, value in RUNTIME.environment().items()}
        path = told["PATH"].replace("/opt/vaultsigner", f"{self.root}/opt/vaultsigner")
        return {**told, "PATH": path, "TMPDIR": str(self.root / "tmp")}

    def run(self, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """The image's entry point with other words."""
        return subprocess.run(
            [str(self.program), *words],
            env={**self.environment(), **variables},
            cwd=self.root / "srv" / "vaultsigner",
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user is not None else None,
            capture_output=True,
            text=True,
            check=False,
        )


def interpreter() -> Path | None:
    """A Python that an ordinary user may run and that makes environments, as the base image's does."""
    candidates = [
        Path("/usr/bin/python3"),
        Path("/usr/local/bin/python3"),
        Path(sys.base_prefix) / "bin" / "python3",
    ]
    user = USER if os.geteuid() == 0 else None
    for each in candidates:
        probe = [str(each), "-c", "import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            done = subprocess.run(probe, user=user, group=user, capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return each
    return None


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Built once. Not below pytest's directory, which nobody but its owner can enter."""
    python = interpreter()
    if python is None:
        pytest.skip(
            "no Python that an ordinary user may run and that makes environments: apt-get install python3-venv"
        )
    root = Path(tempfile.mkdtemp(prefix="vaultsigner-image-"))
    try:
        root.chmod(0o755)
        builder = Builder(root, USER)
        for name in ("bin", "opt", "dist", "src", "parts/node_modules", *WRITABLE):
            (root / name).mkdir(parents=True)
        builder.own(root)
        (root / "bin" / "python").symlink_to(python)
        shutil.copytree(PARTS, root / "parts" / "node_modules" / "uplot")
        builder.build(DOCKERFILE.stage("build"))
        shutil.copytree(ROOT / "policies", root / "srv" / "vaultsigner" / "policies", dirs_exist_ok=True)
        _freeze(root, builder)
        yield Image(root, builder.user)
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(root)], check=False)
        shutil.rmtree(root)


def _freeze(root: Path, builder: Builder) -> None:
    """As COPY --from makes it: root's own; and nothing but the volumes and /tmp can be written."""
    if builder.user is not None:
        for each in (root, *root.rglob("*")):
            os.chown(each, 0, 0, follow_symlinks=False)
    else:
        subprocess.run(["chmod", "-R", "a-w", str(root)], check=True)
    for name in WRITABLE:
        (root / name).chmod(0o700)
        if builder.user is not None:
            os.chown(root / name, builder.user, builder.user)


@pytest.fixture(scope="module")
def installed(image: Image, openbao: OpenBao) -> Installation:
    """A configuration as an operator mounts it; its token belongs to the image's user."""
    place = image.root / "tmp" / "configured"
    made = install(
        place,
        openbao,
        Plan(
            (),
            (),
            {},
            state_url=f"sqlite:///{image.root}/srv/vaultsigner/state/state.db",
            audit_directory=image.root / "srv" / "vaultsigner" / "audit",
        ),
    )
    if image.user is not None:
        for each in (place, *place.rglob("*")):
            os.chown(each, image.user, image.user)
    return made


def test_it_runs_and_says_so_and_ends_in_order(image: Image, installed: Installation) -> None:
    """On a root that it cannot write, by the command and the variables that the Dockerfile names."""
    before = _written(image.root)
    listen, ops = installed.settings.server.listen, installed.settings.server.ops_listen
    variables = {"VAULTSIGNER_CONFIG": str(installed.config_file), "VAULTSIGNER_SERVER__LISTEN": str(listen)}
    assert image.run("healthcheck", **variables).returncode == 1
    service = subprocess.Popen(
        [str(image.program), "serve"],
        env={**image.environment(), **variables},
        cwd=image.root / "srv" / "vaultsigner",
        user=image.user,
        group=image.user,
        extra_groups=[] if image.user is not None else None,
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(lambda: image.run("healthcheck", "--ready", **variables).returncode == 0, "it is ready")
        assert image.run("healthcheck", **variables).returncode == 0
    finally:
        service.send_signal(signal.SIGTERM)
        _, log = service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == 0, log.decode()
    with closing(socket.socket()) as probe:
        assert probe.connect_ex((ops.host, ops.port)) != 0
    assert _written(image.root) == before, "nothing outside the volumes and /tmp"
    assert not list((image.root / "tmp").glob("vaultsigner-*")), "its private directory is gone"


def _written(root: Path) -> set[Path]:
    """Every file outside what may be written."""
    places = tuple(str(root / name) for name in WRITABLE)
    return {path for path in root.rglob("*") if not str(path).startswith(places)}


def test_what_is_searched_in_the_record_needs_no_more_than_tmp(image: Image, installed: Installation) -> None:
    """DuckDB works in a process of its own, with a directory of its own."""
    variables = {"VAULTSIGNER_CONFIG": str(installed.config_file)}
    done = image.run("audit", "stats", **variables)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "ermission denied" not in done.stderr


def test_it_has_the_console_and_no_tools_to_build_with(image: Image) -> None:
    packages = next((image.root / "opt" / "vaultsigner" / "lib").glob("python3*/site-packages"))
    assert (packages / "vaultsigner" / "server" / "console" / "vendor" / "uplot.js").exists()
    assert not (packages / "pip").exists()
    assert not (packages / "setuptools").exists()
    assert list((packages / "vaultsigner" / "cli" / "__pycache__").glob("serve.*.pyc")), (
        "compiled while it was built"
    )
    assert not list(packages.glob("tests*"))


def test_number_one_of_a_container_ends_in_order(image: Image, installed: Installation) -> None:
    """As process 1 of a process namespace of its own: signals reach it, its children end, and it ends well."""
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or os.geteuid() != 0
        or subprocess.run([unshare, "--pid", "--fork", "true"], check=False).returncode
    ):
        pytest.skip("needs root and unshare(1), for a process namespace")
    variables = {
        "VAULTSIGNER_CONFIG": str(installed.config_file),
        "VAULTSIGNER_SERVER__LISTEN": str(installed.settings.server.listen),
    }
    become = [
        "setpriv",
        f"--reuid={USER}",
        f"--regid={USER}",
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
    ]
    command = [unshare, "--pid", "--mount-proc", "--fork", *become, str(image.program), "serve"]
    started = subprocess.Popen(
        command,
        env={**image.environment(), **variables},
        cwd=image.root / "srv" / "vaultsigner",
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(lambda: image.run("healthcheck", "--ready", **variables).returncode == 0, "it is ready")
    finally:
        children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGTERM)
        _, log = started.communicate(timeout=PATIENCE_SECONDS)
    assert started.returncode == 0, log.decode()
    assert b'"stopping"' in log
