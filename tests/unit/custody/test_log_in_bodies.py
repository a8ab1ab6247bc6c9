"""What is sent to log in, and what is never sent."""

import json

import pytest

from vaultsigner.custody.vault_token.log_in_method import LogInError, json_object


def test_an_object_of_texts() -> None:
    made = json_object({"role": "desk", "jwt": bytearray(b"a.b-c._d"), "empty": ""})
    assert isinstance(made, bytearray)
    assert json.loads(made) == {"role": "desk", "jwt": "a.b-c._d", "empty": ""}
    assert json.loads(json_object({})) == {}


@pytest.mark.parametrize("secret", [b'x","role":"admin', b"back\\slash", b"line\n", b"\xc3\xa9", b"\x00"])
def test_a_secret_cannot_break_out_of_its_place(secret: bytes) -> None:
    with pytest.raises(LogInError) as caught:
        json_object({"role": "desk", "secret_id": bytearray(secret)})
    assert repr(secret)[2:-1] not in str(caught.value)
