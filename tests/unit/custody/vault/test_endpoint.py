"""What goes to Vault, byte for byte, and where to."""

from pathlib import Path

import pytest

from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.custody.vault.endpoint import endpoint_of
from vaultsigner.errors import ConfigError

AUTH = TokenFileAuth(Path("/run/vault/token"))


def test_a_request_for_a_secret() -> None:
    endpoint = endpoint_of(VaultSettings("http://127.0.0.1:8200", AUTH, namespace="desk/eu"))
    request = endpoint.request("GET", "secret/data/wallets/wallet 1?x#y", b"", bytearray(b"s.token"))
    assert request == (
        b"GET /v1/secret/data/wallets/wallet%201%3Fx%23y HTTP/1.1\r\nHost: 127.0.0.1:8200\r\nX-Vault-Request: true\r\n"
        b"Accept-Encoding: identity\r\nX-Vault-Namespace: desk/eu\r\nX-Vault-Token: s.token\r\n\r\n"
    )


def test_a_request_with_a_body_and_without_a_token() -> None:
    endpoint = endpoint_of(VaultSettings("http://localhost:8200", AUTH))
    request = endpoint.request("POST", "transit/sign/k", b"{}", None)
    assert request.endswith(b"identity\r\nContent-Length: 2\r\n\r\n{}")
    assert b"Token" not in request


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost"])
def test_plain_http_on_this_machine(host: str) -> None:
    assert endpoint_of(VaultSettings(f"http://{host}:8200", AUTH)).tls is None


@pytest.mark.parametrize("host", ["vault.example", "10.0.0.1", "0.0.0.0", "localhost.example", "[fe80::1]"])  # noqa: S104 - an address to refuse
def test_keys_never_cross_the_network_in_the_clear(host: str) -> None:
    with pytest.raises(ConfigError, match="use https"):
        endpoint_of(VaultSettings(f"http://{host}:8200", AUTH))


def test_https_checks_names_and_cleanses_plaintext() -> None:
    endpoint = endpoint_of(VaultSettings("https://vault.example", AUTH))
    assert (endpoint.host, endpoint.port) == ("vault.example", 443)
    assert endpoint.tls is not None
    assert endpoint.tls.check_hostname
    assert endpoint.tls.options & 2


def test_an_unusable_authority_is_told(tmp_path: Path) -> None:
    for ca in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        if ca.name == "empty.pem":
            ca.write_text("nothing")
        with pytest.raises(ConfigError, match="ca_cert"):
            endpoint_of(VaultSettings("https://vault.example", AUTH, ca_cert=ca))
