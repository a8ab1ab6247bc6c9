"""A real OpenBao, in memory, for one test session, and a configuration that points at it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hvac
import pytest

from tests.integration.cli import warm_start
from tests.integration.cli.program import Program
from tests.postgres import PostgresServer, running_postgres
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.dev.openbao import running_openbao

CONFIG = """\
vault: {{address: "{address}", auth: {{method: token_file, path: run/token}}}}
wallets:
  - name: hot
    private_key: vault:secret/{folder}/hot#private_key
    env_name: TESTNET
    permissions: [trade]
  - name: cold
    mnemonic: vault:secret/{folder}/cold#mnemonic
    env_name: TESTNET
    permissions: [trade]
  - name: main
    private_key: vault:secret/{folder}/main#private_key
    env_name: PROD
    permissions: [trade]
"""
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Bao:
    """A running OpenBao and its root token."""

    address: str
    token: str

    def admin(self) -> OperatorVault:
        """A session as root."""
        return OperatorVault(self.address, self.token)

    def hvac(self) -> hvac.Client:
        """The same, with the whole of hvac, for what our own commands never do."""
        return hvac.Client(self.address, self.token)


@pytest.fixture(scope="session", autouse=True)
def warm() -> Iterator[None]:
    """What starts the program goes when all is done."""
    yield
    warm_start.stop()


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """An OpenBao of our own: these tests write and delete policies and mounts."""
    with running_openbao(tmp_path_factory.mktemp("bao")) as server:
        yield Bao(server.address, server.root_token)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that these tests connect to."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def program(bao: Bao, tmp_path: Path) -> Program:
    """`vaultsigner` in an empty home whose ~/.vault-token is the operator's; Vault has no policy of ours."""
    bao.hvac().sys.delete_policy("vaultsigner")
    token = tmp_path / ".vault-token"
    token.write_text(bao.token)
    token.chmod(0o600)
    return Program(tmp_path, {"VAULT_ADDR": bao.address})


@pytest.fixture
def folder() -> str:
    """A folder in Vault for this test alone."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def configured(program: Program, bao: Bao, folder: str) -> Program:
    """The same with a configuration of three wallets: `hot` and `cold` (private key, mnemonic, TESTNET), `main` (PROD)."""
    path = program.home / "config" / "config.yml"
    path.parent.mkdir()
    path.write_text(CONFIG.format(address=bao.address, folder=folder))
    return program
