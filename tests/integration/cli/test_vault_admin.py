"""What an operator is told when Vault says no, answers oddly, or is not there."""

import http.server
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest

from tests.integration.cli.conftest import Bao
from vaultsigner.cli.vault_admin import CheckAndSetError, OperatorVault, VaultAccessError, VaultDeniedError

SECRET = "secret/data/admin/one"


def test_what_was_written_is_read(bao: Bao) -> None:
    bao.admin().write(SECRET, {"data": {"word": "blue"}})
    assert (bao.admin().read(SECRET) or {})["data"] == {"word": "blue"}


def test_nothing_there_is_none(bao: Bao) -> None:
    assert bao.admin().read("secret/metadata/admin/none") is None


def test_check_and_set_refuses_to_overwrite(bao: Bao) -> None:
    bao.admin().write("secret/data/admin/two", {"data": {"word": "blue"}})
    with pytest.raises(CheckAndSetError):
        bao.admin().write("secret/data/admin/two", {"options": {"cas": 0}, "data": {"word": "red"}})
    assert (bao.admin().read("secret/data/admin/two") or {})["data"] == {"word": "blue"}


def test_wrong_token_is_said_in_words_for_people(bao: Bao) -> None:
    with pytest.raises(VaultDeniedError, match="expired, revoked, or its policies do not cover"):
        OperatorVault(bao.address, "not-a-token").read(SECRET)


def test_unknown_mount(bao: Bao) -> None:
    with pytest.raises(VaultAccessError, match="`nowhere/`"):
        bao.admin().write("nowhere/data/x", {"data": {}})


def test_vaults_own_words_are_one_line(bao: Bao) -> None:
    with pytest.raises(VaultAccessError, match="validation failed") as told:
        bao.admin().write("secret/metadata/admin/noted", {"custom_metadata": {"public_key": ""}})
    assert len(str(told.value).splitlines()) == 1


def test_nobody_listens() -> None:
    with pytest.raises(VaultAccessError, match="cannot be reached"):
        OperatorVault("http://127.0.0.1:1", "token").read(SECRET)


@pytest.mark.parametrize(
    "address",
    [
        "http://vault.example.com:8200",
        "ftp://127.0.0.1",
        "vault:8200",
        "https://user:pass@vault",
        "https://v:99999",
        "https://v/x",
    ],
)
def test_unsafe_or_senseless_addresses_are_refused(address: str) -> None:
    with pytest.raises(VaultAccessError):
        OperatorVault(address, "token")


class _Redirecting(http.server.BaseHTTPRequestHandler):
    requests_seen: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.requests_seen.append(self.path)
        self.send_response(307)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/v1/stolen")  # type: ignore[attr-defined]  # HTTPServer
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Quiet."""


@pytest.fixture
def redirecting() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Redirecting)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_redirect_does_not_carry_the_key_elsewhere(redirecting: str) -> None:
    with pytest.raises(VaultAccessError, match="redirects"):
        OperatorVault(redirecting, "token").write(SECRET, {"data": {"private_key": "00"}})
    assert _Redirecting.requests_seen == ["/v1/secret/data/admin/one"]


def test_proxies_and_bundles_of_the_environment_are_not_used(
    bao: Bao, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    monkeypatch.setenv("VAULT_TOKEN", "another")
    assert bao.admin().read("auth/token/lookup-self") is not None
