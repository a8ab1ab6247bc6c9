"""What custody counts of its questions to Vault, and tells of it."""

import json
from pathlib import Path

import pytest

from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.custody.metrics_protocol import CustodyMetrics
from vaultsigner.custody.question_payloads import read_find_keys
from vaultsigner.custody.vault.calls import VaultCall
from vaultsigner.custody.vault.endpoint import endpoint_of
from vaultsigner.custody.vault.metrics import MeasuredPool, operation_of
from vaultsigner.custody.vault_token.token_file import VaultToken
from vaultsigner.errors import CustodyError
from vaultsigner.telemetry.measures import Histogram


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "secret/data/wallets/one", "read_secret"),
        ("GET", "secret/subkeys/wallets/one", "find_secret"),
        ("GET", "secret/data/keys/subkeys/one", "read_secret"),
        ("GET", "a/b/subkeys/data/keys", "find_secret"),
        ("GET", "transit/keys/access-tokens", "read_key"),
        ("POST", "transit/sign/access-tokens", "sign"),
        ("POST", "transit/sign/main/sha2-256", "sign"),
        ("POST", "transit/hmac/main/sha2-256", "hmac"),
        ("POST", "auth/approle/login", "log_in"),
        ("GET", "auth/token/lookup-self", "log_in"),
        ("GET", "sys/seal-status", "status"),
        ("POST", "transit/encrypt/x", "other"),
        ("GET", "secret/x", "other"),
    ],
)
def test_a_question_counts_by_what_it_asks(method: str, path: str, operation: str) -> None:
    assert operation_of(method, path) == operation


def pool(directory: Path) -> MeasuredPool:
    """One whose token cannot be read, so that nothing leaves."""
    settings = VaultSettings("http://127.0.0.1:9", TokenFileAuth(directory / "none"))
    return MeasuredPool(endpoint_of(settings), VaultToken(None, directory / "none"))


async def test_a_question_that_fails_counts_by_its_code(tmp_path: Path) -> None:
    asked = pool(tmp_path)
    call = VaultCall("a secret", "secret/data/x")
    asked.ask(call)
    with pytest.raises(CustodyError):
        await call.result
    assert asked.outcomes() == (("read_secret", "vault_denied", 1),)
    assert [(operation, times.count) for operation, times in asked.times()] == [("read_secret", 1)]
    asked.close()


async def test_what_was_asked_ahead_and_not_needed_is_no_failure(tmp_path: Path) -> None:
    asked = pool(tmp_path)
    call = VaultCall("a status", "sys/seal-status", with_token=False)
    ahead = asked.ask_ahead(call)
    ahead.drop()
    with pytest.raises(CustodyError):
        await call.result
    assert asked.outcomes() == (("status", "unused", 1),)
    assert asked.times() == ()
    asked.close()


async def test_what_was_asked_ahead_and_then_needed_counts_as_any_other(tmp_path: Path) -> None:
    asked = pool(tmp_path)
    call = VaultCall("a status", "sys/seal-status", with_token=False)
    asked.ask_ahead(call).let_in()
    with pytest.raises(CustodyError):
        await call.result
    assert asked.outcomes() == (("status", "vault_unavailable", 1),)
    assert [operation for operation, _ in asked.times()] == ["status"]
    asked.close()


def test_what_custody_tells_arrives_as_it_was() -> None:
    histogram = Histogram()
    histogram.observe(0.02)
    told = CustodyMetrics(
        1.5,
        2.5,
        3,
        None,
        4,
        5,
        (("sign", "ok", 6), ("sign", "vault_sealed", 1)),
        (("sign", histogram.times()),),
    )
    assert CustodyMetrics.from_document(json.loads(json.dumps(told.document()))) == told


def test_the_question_for_keys_is_read_strictly() -> None:
    assert read_find_keys(bytearray(b'{"kind":"wallet","name":"hot"}')) == ("wallet", "hot")
    for wrong in (
        b'{"kind":"client","name":"hot"}',
        b'{"kind":"wallet"}',
        b'{"kind":"wallet","name":1}',
        b'{"kind":"wallet","name":"hot","path":"x"}',
        b"[]",
    ):
        with pytest.raises(CustodyError):
            read_find_keys(bytearray(wrong))
