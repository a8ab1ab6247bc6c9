"""One signature stands for one request: no byte of it may change, and it can be cut in no second way."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.authentication.request_vectors import NOW_MS, SCHEMES, Fits, fits_of, judged, sign, signed
from vaultsigner.authentication.signed_requests import SignedRequest

NOW = str(NOW_MS).encode()
QUERY = b"symbol=%EF%BC%91&note=a+b%2Fc&recvWindow=5000&timestamp=" + NOW
JSON = b'{"wallet_name":"wallet_1","msg":{"to":["a&b=c"]}}'
every_scheme = pytest.mark.parametrize("key", SCHEMES.values(), ids=SCHEMES.keys())

Request = tuple[bytes, bytes]


def flipped(text: bytes, *, places: range | None = None) -> Iterator[tuple[int, bytes]]:
    """Every byte in turn, each of its bits, and all of them."""
    for place in places or range(len(text)):
        for change in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            yield place, text[:place] + bytes([text[place] ^ change]) + text[place + 1 :]


def accepted_after_a_flip(request: Request, fits: Fits) -> list[tuple[int, Request, SignedRequest]]:
    query, body = request
    changed = [(place, (text, body)) for place, text in flipped(query)]
    changed += [(len(query) + place, (query, text)) for place, text in flipped(body)]
    verdicts = ((place, other, judged(*other, fits)) for place, other in changed)
    return [
        (place, other, verdict) for place, other, verdict in verdicts if isinstance(verdict, SignedRequest)
    ]


def requests_of(key: str) -> dict[str, Request]:
    return {
        "query": (signed(QUERY, key), b""),
        "form": (b"", signed(QUERY, key)),
        "query and JSON": (signed(QUERY, key, JSON), JSON),
    }


@every_scheme
@pytest.mark.parametrize("kind", ["query", "form", "query and JSON"])
def test_every_flipped_byte_is_refused(key: str, kind: str) -> None:
    """The one legal respelling: the case of hex digits, of an HMAC or of an escape in the signature's own text (%2b for %2B)."""
    query, body = requests_of(key)[kind]
    original = judged(query, body, fits_of(key))
    assert isinstance(original, SignedRequest)
    whole = query + body
    start, end = whole.index(b"&signature=") + len(b"&signature="), len(query or body)
    for place, other, verdict in accepted_after_a_flip((query, body), fits_of(key)):
        assert start <= place < end, other
        assert b"".join(other)[place : place + 1].lower() == whole[place : place + 1].lower(), other
        assert verdict.signature.lower() == original.signature.lower() if key == "hmac_test" else True
        assert key == "hmac_test" or verdict.signature == original.signature
        assert verdict.nonce("bot-1") == original.nonce("bot-1")
        assert verdict.parameters == original.parameters


@every_scheme
def test_the_legal_respellings_are_all_there_are(key: str) -> None:
    query, _ = requests_of(key)["query"]
    text = query.partition(b"&signature=")[2]
    letters = sum(chr(byte).isalpha() for byte in text)
    if key != "hmac_test":
        letters = sum(chr(byte).isalpha() for escape in text.split(b"%")[1:] for byte in escape[:2])
    assert len(accepted_after_a_flip((query, b""), fits_of(key))) == letters


@every_scheme
def test_every_byte_left_out_or_put_in_is_refused(key: str) -> None:
    query, body = requests_of(key)["query and JSON"]
    fits = fits_of(key)
    for place in range(len(query)):
        for between in (b"", query[place : place + 1] * 2, b"&" + query[place : place + 1]):
            assert isinstance(judged(query[:place] + between + query[place + 1 :], body, fits), str)
    for place in range(len(body)):
        assert isinstance(judged(query, body[:place] + body[place + 1 :], fits), str)
        assert isinstance(judged(query, body[:place] + b" " + body[place:], fits), str)


def readings(payload: bytes, signature: bytes, fits: Fits) -> list[tuple[Request, SignedRequest]]:
    """All that is accepted of all ways to cut a payload into query and body, with the signature in either."""
    cut = [(payload[:place], payload[place:]) for place in range(len(payload) + 1)]
    ways = [(query + b"&signature=" + signature, body) for query, body in cut]
    ways += [(query, body + b"&signature=" + signature) for query, body in cut]
    ways += [(b"signature=" + signature, payload), (payload, b"signature=" + signature)]
    verdicts = [(way, judged(*way, fits)) for way in ways]
    return [(way, verdict) for way, verdict in verdicts if isinstance(verdict, SignedRequest)]


JSON_BODIES = [
    b"{}",
    b"[]",
    b"[[]]",
    b' \n{"a":1}',
    JSON,
    b'{"memo":"{}","a":"&b=c","c":[{"d":[]}]}',
    b'{"memo":"&timestamp=1499827319559&recvWindow=1"}',
    b'{"a":"&timestamp=1499827319559"}&timestamp=1499827319559',
    b"[&timestamp=1499827319559",
]


@pytest.mark.parametrize("body", JSON_BODIES)
@pytest.mark.parametrize(
    "text",
    [
        b"timestamp=" + NOW,
        b"timestamp=" + NOW + b"&recvWindow=5000",
        b"timestamp=" + NOW + b"&note=x",
        b"timestamp=" + NOW + b"&note=",
        b"timestamp=" + NOW + b"&note",
        b"timestamp=" + NOW + b"&",
        b"note=x&timestamp=" + NOW,
        b'list=["a"]&timestamp=' + NOW + b"&note=x",
    ],
)
def test_signed_query_and_json_cannot_be_cut_elsewhere(text: bytes, body: bytes) -> None:
    payload = text + body
    found = readings(payload, sign("hmac_test", payload).encode(), fits_of("hmac_test"))
    assert [way for way, _ in found] == [(signed(text, body=body), body)]


def test_parameters_alone_can_stand_in_query_or_form_and_mean_the_same() -> None:
    """Binance publishes one and the same signature for both places, so both are taken: with one nonce and one meaning."""
    found = readings(QUERY, sign("hmac_test", QUERY).encode(), fits_of("hmac_test"))
    assert [way for way, _ in found] == [(signed(QUERY), b""), (b"", signed(QUERY))]
    assert found[0][1] == found[1][1]


pieces = st.sampled_from(
    [b"timestamp=" + NOW, b"recvWindow=5000", b"recvWindow=50", b"00", b"a=", b"b", b"&", b"=", b"{", b"}", b"[", b"]", b'"',
     b" ", b"\n", b":", b"x", b"%7B", b"%", b'{"a":1}', b"&signature=", b"signature"]
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map(b"".join), st.booleans())
def test_no_payload_has_two_readings(payload: bytes, with_time: bool) -> None:
    payload = b"timestamp=" + NOW + b"&" + payload if with_time else payload
    found = readings(payload, sign("hmac_test", payload).encode(), fits_of("hmac_test"))
    meanings = {
        (verdict.parameters, body if body.strip().startswith((b"{", b"[")) else b"")
        for (_, body), verdict in found
    }
    assert len(meanings) <= 1, found
