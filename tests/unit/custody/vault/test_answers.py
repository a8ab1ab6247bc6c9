"""What statuses of Vault mean."""

import pytest

from vaultsigner.custody.vault.answers import error_of


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, b'{"errors":["permission denied"]}', "vault_denied"),
        (404, b'{"errors":[]}', "key_missing"),
        (400, b'{"errors":["signing key not found"]}', "key_missing"),
        (503, b'{"errors":["Vault is sealed"]}', "vault_sealed"),
        (503, b"no healthy upstream", "vault_unavailable"),
        (429, b"", "vault_unavailable"),
        (472, b"", "vault_unavailable"),
        (473, b"", "vault_unavailable"),
        (500, b'{"errors":["sealed? no"]}', "vault_unavailable"),
        (502, b"", "vault_unavailable"),
        (302, b"", "vault_unavailable"),
    ],
)
def test_each_status_has_its_code(status: int, body: bytes, code: str) -> None:
    error = error_of(status, memoryview(body), "vault:secret/a#b", "renew it")
    assert error.code == code
    assert "errors" not in str(error)


def test_a_refusal_says_what_to_do() -> None:
    error = error_of(403, memoryview(b""), "vault:secret/a#b", "write a fresh token into /run/vault/token")
    assert (
        str(error)
        == "Vault refused custody's token for vault:secret/a#b: write a fresh token into /run/vault/token"
    )
