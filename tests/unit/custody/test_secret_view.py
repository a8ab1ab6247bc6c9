"""What is read out of Vault's answer, and what is left of it."""

import pytest

from tests.unit.custody.secrets_at_hand import REFERENCE, kv_answer, secret_view
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.errors import CustodyError


class Derived:
    """Something that can be wiped."""

    made = 0

    def __init__(self, secret: SecretView) -> None:
        Derived.made += 1
        self.copy = bytearray(secret.value)

    def wipe(self) -> None:
        """Overwrite the copy."""
        self.copy[:] = bytes(len(self.copy))


def test_the_value_is_seen_where_it_lies() -> None:
    secret, buffer = secret_view("deadbeef", noted="02ab")
    assert (bytes(secret.value), secret.noted_public_key, secret.vault_request_id) == (
        b"deadbeef",
        "02ab",
        "r-1",
    )
    buffer[buffer.index(b"deadbeef")] = ord("f")
    assert bytes(secret.value) == b"feadbeef"


def test_what_is_derived_is_made_once_and_wiped() -> None:
    secret, _ = secret_view("deadbeef")
    Derived.made = 0
    derived = secret.derive(Derived)
    assert secret.derive(Derived) is derived
    assert Derived.made == 1
    secret.close()
    assert not any(derived.copy)
    with pytest.raises(ValueError, match="released"):
        bytes(secret.written)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (kv_answer({"other": "x"}), "key_missing"),
        (kv_answer({}), "key_missing"),
        (b'{"request_id":"r","data":{"data":null,"metadata":{"deletion_time":"now"}}}', "key_missing"),
        (b'{"request_id":"r","data":null}', "key_missing"),
        (kv_answer({"value": 12}), "key_malformed"),
        (kv_answer({"value": None}), "key_malformed"),
        (kv_answer({"value": {"value": "x"}}), "key_malformed"),
        (b"<html>", "vault_unavailable"),
        (b"", "vault_unavailable"),
        (b'{"data":{"data":{"value":"secretA","value":"secretB"}}}', "vault_unavailable"),
    ],
)
def test_an_answer_without_the_secret(body: bytes, code: str) -> None:
    with pytest.raises(CustodyError) as caught:
        SecretView(REFERENCE, memoryview(bytearray(body)))
    assert caught.value.code == code
    assert "secretA" not in str(caught.value)


def test_a_key_that_is_written_with_escapes_is_not_used() -> None:
    """A client's secret may have them: `shared_secret` undoes them in a buffer of its own."""
    secret, _ = secret_view("a\nb")
    assert bytes(secret.written) == rb"a\nb"
    with pytest.raises(CustodyError) as caught:
        bytes(secret.value)
    assert caught.value.code == "key_malformed"


def test_no_note_is_none() -> None:
    assert secret_view("deadbeef")[0].noted_public_key is None
    body = kv_answer({"value": "deadbeef"}, "x").replace(b'"public_key": "x"', b'"public_key": null')
    assert SecretView(REFERENCE, memoryview(body)).noted_public_key is None


@pytest.mark.parametrize("note", [b'""', b'"' + b"x" * 300 + b'"', rb'"02\u0061b"', b"17", b"[]", b"true"])
def test_a_note_that_makes_no_sense_fits_no_key(note: bytes) -> None:
    body = kv_answer({"value": "deadbeef"}, "x").replace(b'"public_key": "x"', b'"public_key": ' + note)
    assert SecretView(REFERENCE, memoryview(body)).noted_public_key == ""
