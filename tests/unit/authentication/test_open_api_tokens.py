"""An Open API token has one form, stands for one request, and names its algorithm in vain."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.authentication.request_vectors import KEYS, public_der
from vaultsigner.authentication.open_api_tokens import (
    OpenApiToken,
    open_api_token_fits,
    read_open_api_token,
    request_digests,
)

SECRET = b"heldout-open-api-secret-0123456789abcdef"
TS = 1_700_000_000
NOW_MS = TS * 1000
REQUEST = ("POST", "/api/order/sign", b"a=1", b'{"wallet_name":"wallet_1"}')
DIG = request_digests(*REQUEST)[0]
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {"iss": "key-1", "dig": DIG, "ts": TS}
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def segment(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def token(header: Any = None, claims: Any = None, secret: bytes = SECRET, digest: str = "sha256") -> str:
    parts = (HEADER if header is None else header, CLAIMS if claims is None else claims)
    raw = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in parts]
    signing_input = b".".join(map(segment, raw))
    return b".".join((signing_input, segment(hmac.digest(secret, signing_input, digest)))).decode()


def judged(
    text: str, now_ms: int = NOW_MS, request: tuple[str, str, bytes, bytes] = REQUEST
) -> OpenApiToken | None:
    """What custody makes of a token."""
    read = read_open_api_token(text)
    if isinstance(read, str):
        return None
    good = open_api_token_fits(bytearray(SECRET), read) and read.covers(*request) and read.is_timely(now_ms)
    return read if good else None


def test_the_control_of_these_tests_is_accepted() -> None:
    read = judged(token())
    assert read is not None
    assert (read.iss, read.dig, read.ts, read.exp) == ("key-1", DIG, TS, None)
    assert judged(token(dict(reversed(HEADER.items())), dict(reversed(CLAIMS.items()))))
    assert judged(token(claims={**CLAIMS, "exp": TS + 1}))
    assert judged(jwt.encode(CLAIMS, SECRET, algorithm="HS256"))


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "None"},
        {**HEADER, "alg": "HS512"},
        {**HEADER, "alg": "hs256"},
        {**HEADER, "alg": "RS256"},
        {**HEADER, "alg": "EdDSA"},
        {**HEADER, "alg": ["HS256"]},
        {**HEADER, "alg": None},
        {**HEADER, "typ": "jwt"},
        {**HEADER, "typ": "JWS"},
        {**HEADER, "typ": None},
        {**HEADER, "crit": []},
        {**HEADER, "crit": ["exp"], "exp": 1},
        {**HEADER, "b64": False},
        {**HEADER, "kid": "key-1"},
        {**HEADER, "jwk": {"kty": "oct", "k": "AA"}},
        {**HEADER, "x5u": "https://example.org"},
        {"alg": "HS256"},
        {"typ": "JWT"},
        {"ALG": "HS256", "typ": "JWT"},
        {},
        [],
        b"null",
        b"",
        b'{"alg":"HS256","alg":"HS256","typ":"JWT"}',
        b'{"alg":"none","alg":"HS256","typ":"JWT"}',
        b'{"alg":"HS256","\\u0061lg":"none","typ":"JWT"}',
        b'{"alg":"HS256","typ":"JWT"}x',
        b'\xef\xbb\xbf{"alg":"HS256","typ":"JWT"}',
        b"{'alg':'HS256','typ':'JWT'}",
    ],
)
def test_other_headers_are_refused(header: Any) -> None:
    assert judged(token(header)) is None


@pytest.mark.parametrize("dig", [DIG.upper(), DIG[:-1], DIG + "0", DIG[:-1] + "g", "٠" * 64, ""])
def test_digest_that_is_no_lower_case_hex_is_refused_unread(dig: str) -> None:
    assert (
        read_open_api_token(token(claims={**CLAIMS, "dig": dig})) == "the token has no sane issuer or digest"
    )


def without(name: str) -> dict[str, Any]:
    return {other: value for other, value in CLAIMS.items() if other != name}


def claims_json(**texts: str) -> bytes:
    members = {"iss": '"key-1"', "dig": f'"{DIG}"', "ts": str(TS), **texts}
    return ("{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}").encode()


@pytest.mark.parametrize(
    "claims",
    [
        without("iss"),
        without("dig"),
        without("ts"),
        {**CLAIMS, "iat": TS},
        {**CLAIMS, "nbf": TS},
        {**CLAIMS, "aud": "x"},
        {**CLAIMS, "iss": ""},
        {**CLAIMS, "iss": 1},
        {**CLAIMS, "iss": ["key-1"]},
        {**CLAIMS, "iss": None},
        {**CLAIMS, "dig": ""},
        {**CLAIMS, "dig": DIG.upper()},
        {**CLAIMS, "dig": DIG[:-1]},
        {**CLAIMS, "dig": DIG + "0"},
        {**CLAIMS, "dig": DIG + "\n"},
        {**CLAIMS, "dig": [DIG]},
        {**CLAIMS, "dig": None},
        {**CLAIMS, "ts": str(TS)},
        {**CLAIMS, "ts": float(TS)},
        {**CLAIMS, "ts": True},
        {**CLAIMS, "ts": None},
        {**CLAIMS, "ts": -1},
        {**CLAIMS, "ts": [TS]},
        {**CLAIMS, "exp": TS},
        {**CLAIMS, "exp": TS - 1},
        {**CLAIMS, "exp": 0},
        {**CLAIMS, "exp": -1},
        {**CLAIMS, "exp": float(TS + 60)},
        {**CLAIMS, "exp": str(TS + 60)},
        {**CLAIMS, "exp": None},
        {**CLAIMS, "exp": True},
        {**CLAIMS, "exp": 10**12},
        {**CLAIMS, "exp": 10**400},
        claims_json(ts="1.7e9"),
        claims_json(ts=f"0{TS}"),
        claims_json(ts=f"{TS}.0"),
        claims_json(ts=f"+{TS}"),
        claims_json(ts="-0"),
        claims_json(ts="1" * 400),
        claims_json(ts="1" * 3000),
        claims_json(ts="NaN"),
        claims_json(exp="Infinity"),
        claims_json(exp="1e400"),
        claims_json(exp="1e12"),
        claims_json(ts=f'{TS},"ts":{TS}'),
        claims_json(ts=f'{TS},"\\u0074s":{TS}'),
        claims_json(iss='"other","iss":"key-1"'),
        claims_json(iss='"\\ud800"'),
        claims_json(iss='"key-1"', dig=f'{{"a":"{DIG}"}}'),
        [CLAIMS],
        b"",
        b"[]",
    ],
)
def test_other_claims_are_refused(claims: Any) -> None:
    assert judged(token(claims=claims)) is None


@pytest.mark.parametrize("other", [b"", b"x", SECRET[:-1], SECRET + b"0", SECRET.upper()])
def test_token_signed_with_another_secret_is_refused(other: bytes) -> None:
    assert judged(token(secret=other)) is None


def test_token_of_a_client_without_a_secret_is_refused() -> None:
    read = read_open_api_token(token(secret=b""))
    assert isinstance(read, OpenApiToken)
    assert not open_api_token_fits(bytearray(), read)


@pytest.mark.parametrize("key", ["rsa_test", "ed25519_test"])
def test_public_key_used_as_hmac_secret_is_refused(key: str) -> None:
    for forged_with in (KEYS[key]["public_key"].encode(), public_der(key)):
        assert judged(token(secret=forged_with)) is None


def test_unsigned_and_otherwise_signed_tokens_are_refused() -> None:
    head = token().rpartition(".")[0]
    assert judged(head + ".") is None
    assert judged(head) is None
    for digest in ("sha512", "sha1", "sha384"):
        assert judged(token(digest=digest)) is None
    cut = urlsafe_b64decode(token().rpartition(".")[2] + "=")[:31]
    assert judged(f"{head}.{segment(cut).decode()}") is None
    assert judged(head + "." + segment(bytes(32)).decode()) is None


def test_token_has_one_spelling() -> None:
    good = token()
    spare = good[:-1] + BASE64URL[BASE64URL.index(good[-1]) + 1]
    for other in (
        good + "=", good + "\n", " " + good, good + ".", good.replace(".", "..", 1), spare, good + "A",
        "Bearer " + good, good.replace(".", ".\n"), good.replace("e", "ｅ", 1), good + "." + good, "a" * 5000 + ".b.c",
    ):  # fmt: skip
        assert judged(other) is None, other


def test_every_flipped_byte_is_refused() -> None:
    good = token(claims={**CLAIMS, "exp": TS + 60}).encode()
    for place in range(len(good)):
        for change in range(1, 256):
            changed = good[:place] + bytes([good[place] ^ change]) + good[place + 1 :]
            assert judged(changed.decode("latin-1")) is None


@pytest.mark.parametrize(
    "request_",
    [
        ("GET", *REQUEST[1:]),
        ("post", *REQUEST[1:]),
        ("POST", "/api/order/sign/", b"a=2", REQUEST[3]),
        ("POST", "/api/order/broadcast", *REQUEST[2:]),
        ("POST", "/api/order//sign", *REQUEST[2:]),
        ("POST", "/api/order/%73ign", *REQUEST[2:]),
        ("POST", "/api/order/sign", b"a=%31", REQUEST[3]),
        ("POST", "/api/order/sign", b"", REQUEST[3]),
        ("POST", "/api/order/sign?a=1", b"", REQUEST[3]),
        ("POST", "/api/order/sign", b"a=1", b""),
        ("POST", "/api/order/sign", b"a=1", REQUEST[3] + b" "),
    ],
)
def test_token_of_another_request_is_refused(request_: tuple[str, str, bytes, bytes]) -> None:
    assert judged(token(), request=request_) is None


def test_path_may_be_signed_with_a_closing_slash_that_is_not_sent_but_not_without_one_that_is() -> None:
    slashed = ("POST", "/api/order/sign/", *REQUEST[2:])
    assert judged(token(claims={**CLAIMS, "dig": request_digests(*slashed)[0]}))
    assert len(request_digests(*REQUEST)) == 2
    assert len(request_digests(*slashed)) == 1
    assert judged(token(), request=slashed) is None


def test_no_text_stands_for_two_requests() -> None:
    """The lines of the digest's text could be cut elsewhere, if HTTP had line ends in paths and queries."""
    for method, path, query in (
        ("POST", "/api\n", b"x"),
        ("POST", "/api", b"\nx"),
        ("POST\n/api", "", b"x"),
        ("POST", "/api", b"x\n" + b"0" * 64),
    ):
        assert request_digests(method, path, query, b"") == ()
    assert judged(token(), request=("POST\n/api/order/sign", "", *REQUEST[2:])) is None


def test_strange_paths_have_digests_of_their_own() -> None:
    paths = ("/é", "/\udce9", "/\ud800", "/%C3%A9", "")
    digests = {digest for path in paths for digest in request_digests("GET", path, b"", b"")}
    assert len(digests) == 2 * len(paths)


def test_nonce_is_of_one_client_one_request_and_one_second() -> None:
    read = judged(token())
    assert read is not None
    reordered = judged(token(claims=dict(reversed(CLAIMS.items()))))
    with_exp = judged(token(claims={**CLAIMS, "exp": TS + 60}))
    later = judged(token(claims={**CLAIMS, "ts": TS + 1}))
    assert reordered is not None
    assert with_exp is not None
    assert later is not None
    assert read.nonce("bot") == reordered.nonce("bot") == with_exp.nonce("bot")
    assert len({read.nonce("bot"), later.nonce("bot"), read.nonce("other")}) == 3


def test_no_signature_shows_in_a_log() -> None:
    read = judged(token())
    assert read is not None
    assert repr(read.signature)[2:10] not in repr(read)
    assert "signing_input" not in repr(read)


@given(st.text(max_size=200))
def test_nothing_makes_it_fail(text: str) -> None:
    assert isinstance(read_open_api_token(text), str)
    assert isinstance(read_open_api_token(f"{text}.{text}.{text}"), str)
