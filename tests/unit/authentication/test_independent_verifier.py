"""Two verifiers that share no code agree on which requests are good, whatever the parameters and however they are spoilt."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import event, find, given, settings
from hypothesis import strategies as st

from tests.unit.authentication.independent_verifier import Key, accepts
from tests.unit.authentication.request_vectors import (
    EXCHANGE,
    KEYS,
    NOW_MS,
    SCHEMES,
    Vector,
    fits_of,
    judged,
    secret,
    sign,
)
from vaultsigner.authentication.signed_requests import SignedRequest


@dataclass(frozen=True)
class Example:
    key: str
    query: bytes
    body: bytes


def independent_key(name: str) -> Key:
    if "secret" in KEYS[name]:
        return secret(name)
    public = load_pem_public_key(KEYS[name]["public_key"].encode())
    assert isinstance(public, RSAPublicKey | Ed25519PublicKey)
    return public


def ours_accepts(key: str, query: bytes, body: bytes) -> bool:
    return isinstance(judged(query, body, fits_of(key)), SignedRequest)


def theirs_accepts(key: str, query: bytes, body: bytes) -> bool:
    return accepts(query, body, independent_key(key), NOW_MS)


def every_byte_encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def barely(text: str) -> str:
    return quote(text, safe="!\"$'()*+,/:;<>?@[]\\^`{|}~=é☃")


STYLES: list[Callable[[str], str]] = [quote, quote_plus, every_byte_encoded, barely]
NAMES = [
    "symbol",
    "a",
    "z",
    "Timestamp",
    "timestamp",
    "recvWindow",
    "recvwindow",
    "signature",
    " signature",
    "operation",
    "",
]
TIMES = [NOW_MS, NOW_MS + 999, NOW_MS + 1000, NOW_MS - 5000, NOW_MS - 5001, NOW_MS - 60_000, NOW_MS - 60_001]
ODD_NUMBERS = ["", "+1", "01", "1e3", "１", "٥", "-1", str(2**63), "9" * 400, "%31", "1 ", "0x1"]
JSON = [b"{}", b"[]", b' {"a":"&timestamp=1"}', b'\n[{"memo":"\xc3\xa9=%20+"}]', b"{", b"[&signature=1"]


@st.composite
def others(draw: st.DrawFn) -> list[bytes]:
    """Parameters of all sorts, most of them harmless."""
    harmless = st.text(min_size=1, max_size=6) | st.sampled_from(NAMES[:3])
    names = st.integers(0, 9).flatmap(lambda chance: st.sampled_from(NAMES) if chance == 0 else harmless)
    pairs = draw(st.lists(st.tuples(names, st.text(max_size=8)), max_size=3))
    pieces = []
    for name, value in pairs:
        style = draw(st.sampled_from(STYLES))
        name_text, value_text = style(name), style(value)
        pieces.append(name_text if not value and draw(st.booleans()) else f"{name_text}={value_text}")
    return [piece.encode("utf-8", "replace") for piece in pieces]


@st.composite
def parameter_texts(draw: st.DrawFn) -> bytes:
    """What will be signed of the parameters: mostly with a good timestamp, anywhere among the others."""
    pieces = draw(others())
    times = st.sampled_from([str(time) for time in (*[NOW_MS] * 12, *TIMES)])
    windows = st.sampled_from([*["5000", "60000", "0"] * 3, "60001"])
    odd = st.sampled_from(ODD_NUMBERS)
    chance = draw(st.integers(0, 19))
    own = [] if chance == 0 else [f"timestamp={draw(odd if chance == 1 else times)}"]
    if draw(st.booleans()):
        own.append(f"recvWindow={draw(odd if chance == 2 else windows)}")
    for piece in own:
        pieces.insert(draw(st.integers(0, len(pieces))), piece.encode())
    return (b"&&" if chance == 3 else b"&").join(pieces)


@st.composite
def requests(draw: st.DrawFn, spoilt: bool = True) -> Example:
    """A signed request: in the query, in a form, in the query beside JSON; some wrongly signed, some changed afterwards."""
    key = draw(st.sampled_from([*SCHEMES.values(), "hmac_doc"]))
    text, place = draw(parameter_texts()), draw(st.sampled_from([*["query", "form", "json"] * 4, "both"]))
    rest = {"query": b"", "form": b"", "json": draw(st.sampled_from(JSON)), "both": b"b=1"}[place]
    signature = draw(signatures(key, text + rest)) if spoilt else quote(sign(key, text + rest), safe="")
    end = f"signature={signature}".encode()
    whole = text + b"&" + end if text else end
    if spoilt and draw(st.integers(0, 9)) == 0:
        whole = draw(
            st.sampled_from([end + b"&" + text, whole + b"&", whole + b"&" + end, text, whole.upper()])
        )
    query, body = (b"", whole) if place == "form" else (whole, rest)
    if spoilt and draw(st.integers(0, 3)) == 0:
        query, body = draw(changed(query)), draw(changed(body))
    return Example(key, query, body)


@st.composite
def signatures(draw: st.DrawFn, key: str, payload: bytes) -> str:
    """Mostly the right one, in one of its spellings."""
    right = quote(sign(key, payload), safe="")
    wrong = [
        sign(key, payload),
        right.upper(),
        right.lower(),
        right.rstrip("%3D"),
        quote(sign(key, payload + b" "), safe=""),
        quote(sign("hmac_test", payload), safe=""),
        right + "%0A",
        "",
    ]
    return draw(st.sampled_from([right] * 2 * len(wrong) + wrong))


@st.composite
def changed(draw: st.DrawFn, text: bytes) -> bytes:
    """A few bytes put in the place of some others."""
    place = draw(st.integers(0, len(text)))
    kept = draw(st.integers(place, min(len(text), place + 2)))
    put_in = draw(
        st.sampled_from([b"", b"&", b"=", b"%", b"%20", b"+", b" ", b"\n", b"{", b"#", b"0", b"A", b"\xff"])
    )
    return text[:place] + put_in + text[kept:]


@settings(max_examples=600)
@given(requests())
def test_both_verifiers_agree(example: Example) -> None:
    ours = ours_accepts(example.key, example.query, example.body)
    event("accepted" if ours else "refused")
    assert ours == theirs_accepts(example.key, example.query, example.body)


@settings(max_examples=200)
@given(requests(spoilt=False))
def test_both_verifiers_agree_on_what_was_signed_properly(example: Example) -> None:
    ours = ours_accepts(example.key, example.query, example.body)
    event("accepted" if ours else "refused")
    assert ours == theirs_accepts(example.key, example.query, example.body)


@pytest.mark.parametrize("key", SCHEMES.values())
@pytest.mark.parametrize("accepted", [True, False])
def test_the_examples_are_of_both_kinds(key: str, accepted: bool) -> None:
    found = find(
        requests(), lambda one: one.key == key and ours_accepts(one.key, one.query, one.body) == accepted
    )
    assert theirs_accepts(found.key, found.query, found.body) == accepted


@pytest.mark.parametrize(
    "vector", [pytest.param(one, id=one["id"]) for one in EXCHANGE["vectors"] if one["api_key"]]
)
def test_both_verifiers_agree_on_the_vectors(vector: Vector) -> None:
    query, body = vector["query"].encode(), vector["body"].encode()
    accepted = vector["expect"] == "accept" and not (query and body)
    no_fault_of_the_signature = vector["reason"] == "api key missing"
    assert theirs_accepts(vector["key"], query, body) == (accepted or no_fault_of_the_signature)
    assert ours_accepts(vector["key"], query, body) == (accepted or no_fault_of_the_signature)
