"""A token has one form. Everything a JWT library would also take is refused."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.authentication.access_tokens import AccessClaims, verify_access_token
from vaultsigner.authentication.token_minting import finish_token, issue_signing_input

NOW = 1_795_000_000
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
KEYS = {"1": OTHER.public_key().public_bytes_raw(), "2": KEY.public_key().public_bytes_raw()}
HEADER = {"alg": "EdDSA", "kid": "2", "typ": "JWT"}
CRED = "0123456789abcdef"
CLAIMS = {
    "username": "sam", "sub": "access", "iss": "vaultsigner", "iat": NOW, "exp": NOW + 600, "jti": "t-1", "cred": CRED,
}  # fmt: skip


def segment(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def token(header: Any, claims: Any, key: Ed25519PrivateKey = KEY) -> str:
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signing_input = b".".join(map(segment, parts))
    return b".".join((signing_input, segment(key.sign(signing_input)))).decode()


def issued(minutes: int = 10) -> str:
    signing_input = issue_signing_input(
        username="sam",
        credential=CRED,
        key_id="2",
        token_id="t-1",
        issued_at=NOW,
        expiry_minutes=minutes,
    )
    return finish_token(signing_input, KEY.sign(signing_input))


def refused(text: str, now: float = NOW) -> bool:
    return isinstance(verify_access_token(text, KEYS, now), str)


def test_what_is_issued_is_accepted_until_it_expires() -> None:
    claims = AccessClaims("sam", NOW + 600, CRED, "t-1")
    assert verify_access_token(issued(), KEYS, NOW + 599.9) == claims
    assert verify_access_token(issued(), KEYS, NOW + 600) == "the token has expired"


def test_any_jwt_library_can_read_it() -> None:
    decoded = jwt.decode(
        issued(), KEY.public_key(), algorithms=["EdDSA"], options={"verify_exp": False, "verify_iat": False}
    )
    assert decoded == CLAIMS


def test_the_control_of_these_tests_is_accepted() -> None:
    assert not refused(token(HEADER, CLAIMS))


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "HS256"},
        {**HEADER, "alg": "eddsa"},
        {**HEADER, "typ": "jwt"},
        {**HEADER, "typ": "at+jwt"},
        {**HEADER, "kid": "3"},
        {**HEADER, "kid": 2},
        {**HEADER, "kid": None},
        {**HEADER, "kid": ["2"]},
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "b64": False},
        {**HEADER, "jwk": {}},
        {"alg": "EdDSA", "typ": "JWT"},
        {"alg": "EdDSA", "kid": "2"},
        [],
        b'{"alg":"EdDSA","alg":"EdDSA","kid":"2","typ":"JWT"}',
        b'{"alg":"EdDSA","kid":"2","typ":"JWT"}x',
        b"",
    ],
)
def test_other_headers_are_refused(header: Any) -> None:
    assert refused(token(header, CLAIMS))


@pytest.mark.parametrize(
    "claims",
    [
        {**CLAIMS, "sub": "refresh"},
        {**CLAIMS, "iss": "other"},
        {**CLAIMS, "exp": str(NOW + 600)},
        {**CLAIMS, "exp": float(NOW + 600)},
        {**CLAIMS, "exp": 10**15},
        {**CLAIMS, "exp": -1},
        {**CLAIMS, "exp": True},
        {**CLAIMS, "exp": None},
        {**CLAIMS, "username": 5},
        {**CLAIMS, "username": ""},
        {**CLAIMS, "username": ["sam"]},
        {**CLAIMS, "cred": None},
        {**CLAIMS, "jti": 1},
        *(
            {name: value for name, value in CLAIMS.items() if name != left_out}
            for left_out in CLAIMS
            if left_out != "iat"
        ),
        b'{"username":"sam","username":"eve","sub":"access","iss":"vaultsigner","exp":1895000000,"jti":"t","cred":"c"}',
        b"null",
    ],
)
def test_other_claims_are_refused(claims: Any) -> None:
    assert refused(token(HEADER, claims))


@pytest.mark.parametrize("exp", [0, -1, 10**12, 10**400, 1e300, True, None, str(NOW + 600)])
def test_expiry_that_is_no_sane_integer_is_told_from_one_that_has_passed(exp: object) -> None:
    assert (
        verify_access_token(token(HEADER, {**CLAIMS, "exp": exp}), KEYS, NOW)
        == "the token has no sane expiry"
    )
    assert verify_access_token(token(HEADER, {**CLAIMS, "exp": 1}), KEYS, NOW) == "the token has expired"


def test_token_signed_with_another_key_is_refused() -> None:
    assert refused(token(HEADER, CLAIMS, OTHER))
    assert refused(token({**HEADER, "kid": "1"}, CLAIMS, KEY))


def test_public_key_used_as_hmac_secret_is_refused() -> None:
    forged = jwt.encode(CLAIMS, KEYS["2"], algorithm="HS256", headers={"kid": "2"})
    assert refused(forged)


def test_one_token_has_one_spelling() -> None:
    good = issued()
    for other in (
        good + "=",
        good + "\n",
        " " + good,
        good.replace("-", "+"),
        good + ".",
        good.replace(".", "..", 1),
        good[:-1] + "/",
    ):
        assert other == good or refused(other)
    # The last character of a 64-byte signature carries two spare bits of base64.
    spare = (
        good[:-1]
        + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(good[-1]) + 1) % 64
        ]
    )
    assert refused(spare)


@given(st.integers(min_value=0), st.integers(1, 255))
def test_a_token_with_one_changed_byte_is_refused(place: int, change: int) -> None:
    good = issued().encode()
    place %= len(good)
    changed = good[:place] + bytes([good[place] ^ change]) + good[place + 1 :]
    assert refused(changed.decode("latin-1"))


@given(st.text(max_size=200))
def test_nothing_makes_it_fail(text: str) -> None:
    assert refused(text)
    assert refused(f"{text}.{text}.{text}")


def test_a_long_token_is_refused_unread() -> None:
    assert verify_access_token("a" * 5000 + ".b.c", KEYS, NOW) == "not a token"


def test_a_signature_of_another_length_makes_no_token() -> None:
    with pytest.raises(ValueError, match="64"):
        finish_token(b"a.b", b"short")
