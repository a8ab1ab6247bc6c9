"""What Vault says of tokens, read where it lies."""

import json
from typing import Any

import pytest

from vaultsigner.custody.vault.token_facts import (
    SenselessAnswerError,
    TokenFacts,
    read_log_in,
    read_look_up,
    read_renewal,
)


def body(document: Any) -> memoryview:
    return memoryview(bytearray(json.dumps(document).encode()))


AUTH = {"client_token": "s.new", "lease_duration": 3600, "renewable": True, "token_policies": ["vaultsigner"]}


def test_a_log_in() -> None:
    new = read_log_in(body({"request_id": "r-1", "auth": {**AUTH, "num_uses": 0, "metadata": {"x": None}}}))
    assert (new.value, new.uses, new.policies) == (bytearray(b"s.new"), 0, ("vaultsigner",))
    assert (new.facts, new.vault_request_id) == (TokenFacts(3600, True, 3600), "r-1")
    assert "s.new" not in repr(new)


def test_a_look_up_and_a_renewal() -> None:
    looked = {"data": {"id": "s.x", "ttl": 20, "renewable": True, "creation_ttl": 60}}
    assert read_look_up(body(looked)) == TokenFacts(20, True, 60)
    root = {"data": {"ttl": 0, "creation_ttl": 0}}
    assert read_look_up(body(root)) == TokenFacts(0, False, 0)
    assert read_renewal(body({"auth": {"lease_duration": 60, "renewable": False}})) == TokenFacts(
        60, False, 60
    )


@pytest.mark.parametrize(
    "auth",
    [
        {**AUTH, "client_token": ""},
        {**AUTH, "client_token": None},
        {**AUTH, "client_token": "s.new\r\nX-Other: 1"},
        {**AUTH, "client_token": "s.n\u00e9"},
        {**AUTH, "lease_duration": -1},
        {**AUTH, "lease_duration": "3600"},
        {**AUTH, "lease_duration": 10**20},
        {**AUTH, "num_uses": True},
        None,
    ],
)
def test_what_is_no_log_in(auth: object) -> None:
    """A line break in a token would be a header of somebody else's choice."""
    with pytest.raises(SenselessAnswerError) as caught:
        read_log_in(body({"auth": auth}))
    assert "s.n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"data": {"ttl": 1, "ttl": 2}}', b'{"data": {}}', b'{"data": 5} x']
)
def test_what_is_no_look_up(text: bytes) -> None:
    with pytest.raises(SenselessAnswerError):
        read_look_up(memoryview(text))
