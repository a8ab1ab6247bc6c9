"""Log-in bodies, by the table of the old service's contract (section 2)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.custody.log_in_body import Credentials, read_credentials
from vaultsigner.domain.refusals import Refusal

REQUIRED = {"msg": "field required", "type": "value_error.missing"}
NOT_NONE = {"msg": "none is not an allowed value", "type": "type_error.none.not_allowed"}
NO_DICT = {"msg": "value is not a valid dict", "type": "type_error.dict"}
NO_TEXT = {"msg": "str type expected", "type": "type_error.str"}


@pytest.mark.parametrize(
    ("body", "username", "password"),
    [
        (b'{"username":"sam","password":"p"}', "sam", b"p"),
        (b' {"password":"p","remember":[{}],"username":"sam"}\n', "sam", b"p"),
        (b'{"username":12,"password":1.50}', "12", b"1.50"),
        ('{"username":"säm","password":"pä\\u00df"}'.encode(), "säm", "päß".encode()),
        (b'{"username":"","password":""}', "", b""),
    ],
)
def test_good_bodies(body: bytes, username: str, password: bytes) -> None:
    assert read_credentials(bytearray(body)) == Credentials(username, password)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b"", [([], REQUIRED)]),
        (b"null", [([], REQUIRED)]),
        (b"[]", [([], NO_DICT)]),
        (b'"text"', [([], NO_DICT)]),
        (b"12", [([], NO_DICT)]),
        (b'{"username":"sam"}', [(["password"], REQUIRED)]),
        (b"{}", [(["username"], REQUIRED), (["password"], REQUIRED)]),
        (b'{"username":null,"password":"p"}', [(["username"], NOT_NONE)]),
        (b'{"username":["sam"],"password":{}}', [(["username"], NO_TEXT), (["password"], NO_TEXT)]),
        (b'{"username":true,"password":"p"}', [(["username"], NO_TEXT)]),
    ],
)
def test_bad_fields_are_all_told(body: bytes, details: list[Any]) -> None:
    refusal = read_credentials(bytearray(body))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_fields"
    assert refusal.detail == [{"loc": ["body", "login_details", *loc], **problem} for loc, problem in details]


@pytest.mark.parametrize(
    "body",
    [
        b"username=sam&password=hunter2",
        b'{"username":"sam","password":"hunter2"',
        b'{"username":"sam","password":"hunter2"}x',
        b'{"username":"sam","password":"hunter2","password":"hunter2"}',
        b'{"username":"sam","password":"\\ud800 hunter2"}',
        b'{"username":"sam","password":"hunter2","x":NaN}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_is_refused_and_not_repeated(body: bytes) -> None:
    refusal = read_credentials(bytearray(body))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail) == ("malformed_body", "There was an error parsing the body")
    assert "hunter2" not in repr(refusal)


@given(st.binary(max_size=200))
def test_nothing_makes_it_fail(body: bytes) -> None:
    assert isinstance(read_credentials(bytearray(body)), (Credentials, Refusal))


def test_credentials_do_not_show_themselves() -> None:
    assert repr(Credentials("sam", b"hunter2")) == "Credentials()"
