"""A partner's request has one reading though its signature covers the decoded text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.authentication.request_vectors import NOW_MS, fits_of, sign
from vaultsigner.authentication.partner_requests import PartnerRequest, read_partner_request
from vaultsigner.authentication.signed_requests import SignedRequest
from vaultsigner.authentication.windows import in_partner_window
from vaultsigner.domain.refusals import Refusal

NOW = str(NOW_MS).encode()
FITS = fits_of("web3_partner")
QUERY = b"walletAddress=0xabc&task=%5b%22deposit%22%5D&note=a+b&recvWindow=5000&timestamp=" + NOW
PAYLOAD = b'walletAddress=0xabc&task=["deposit"]&note=a b&recvWindow=5000&timestamp=' + NOW


def judged(query: bytes, body: bytes, signature: bytes) -> PartnerRequest | str:
    """What custody makes of a partner's request."""
    request = read_partner_request(query, body)
    if isinstance(request, Refusal):
        return request.code
    if not in_partner_window(request.timestamp_ms, request.recv_window_ms, NOW_MS):
        return "window"
    return request if FITS(request.payload, signature) else "signature"


def code(query: bytes, body: bytes = b"") -> str:
    read = read_partner_request(query, body)
    return "accepted" if isinstance(read, PartnerRequest) else read.code.removeprefix("partner_invalid_")


def test_the_control_of_these_tests_is_accepted() -> None:
    signature = sign("web3_partner", PAYLOAD).encode()
    request = judged(QUERY, b"", signature)
    assert isinstance(request, PartnerRequest)
    assert request == judged(b"", QUERY, signature)
    assert request.payload == PAYLOAD
    assert list(request.parameters.items())[:3] == [
        ("walletAddress", "0xabc"),
        ("task", '["deposit"]'),
        ("note", "a b"),
    ]
    assert (request.timestamp_ms, request.recv_window_ms, request.expires_at_ms) == (
        NOW_MS,
        5000,
        NOW_MS + 3000,
    )


def test_every_flipped_byte_is_refused() -> None:
    """The one legal respelling: the case of hex digits in a percent escape (%5b is %5B). It is the same nonce."""
    signature = sign("web3_partner", PAYLOAD).encode()
    original = judged(QUERY, b"", signature)
    assert isinstance(original, PartnerRequest)
    accepted = []
    for place in range(len(QUERY)):
        for change in range(1, 256):
            text = QUERY[:place] + bytes([QUERY[place] ^ change]) + QUERY[place + 1 :]
            for verdict in (judged(text, b"", signature), judged(b"", text, signature)):
                if isinstance(verdict, PartnerRequest):
                    assert verdict.nonce() == original.nonce()
                    accepted.append((place, change))
    assert accepted == [(place, 32) for place in (QUERY.index(b"b%22"), QUERY.index(b"D&note")) for _ in "qb"]


def test_every_flipped_byte_of_the_signature_is_refused() -> None:
    signature = sign("web3_partner", PAYLOAD).encode()
    for place in range(len(signature)):
        for change in (1, 2, 4, 8, 16, 32, 64, 128):
            changed = signature[:place] + bytes([signature[place] ^ change]) + signature[place + 1 :]
            assert judged(QUERY, b"", changed) == "signature"


@pytest.mark.parametrize("signature", [b"", b" ", b"=", b"\n", b"AA==", b"AAAA" * 43, "é".encode()])
def test_malformed_signature_header_is_refused(signature: bytes) -> None:
    assert judged(QUERY, b"", signature) == "signature"


def test_signature_is_base64_in_one_spelling() -> None:
    good = sign("web3_partner", PAYLOAD).encode()
    for other in (
        good[:-1],
        good + b"\n",
        b" " + good,
        good.replace(b"/", b"_"),
        good.replace(b"+", b" "),
        good.lower(),
    ):
        assert other == good or judged(QUERY, b"", other) == "signature"


@pytest.mark.parametrize(
    "text",
    [
        b"a=b%26c=d",
        b"a=%26",
        b"a%26b=c",
        b"a%3Db=c",
        b"a%3D=b",
        b"a%3db=c",
        b"%26=1",
        b"a=1&a=2",
        b"a=1&%61=1",
        b"a",
        b"=1",
        b"a=1&",
        b"&a=1",
        b"a=1&&b=1",
        b"a=%",
        b"a=%2",
        b"a=%xx",
        b"a=%ff",
        b"a=\xff",
        b"%C3=1",
        b"a=%C0%AF",
        b"a=%ED%A0%80",
        b"%74imestamp=1",
        b"Timestamp=1",
        b"recvwindow=1",
        b"recvWindow%00=1",
        b"a=b c",
        b"a=b\n",
        b"a=#b",
        b"signature=AA",
        b"%73ignature=AA",
        b"Signature=AA",
    ],
)
def test_what_could_be_read_otherwise_is_an_invalid_argument(text: bytes) -> None:
    assert code(b"timestamp=" + NOW) == "accepted"
    for whole in (text + b"&timestamp=" + NOW, b"timestamp=" + NOW + b"&" + text):
        assert code(whole) == "argument"
        assert code(b"", whole) == "argument"


def test_resplit_values_do_not_pass_under_the_old_signature() -> None:
    """a=b&c=d and a="b&c=d" decode to the same text: one signature, two meanings, unless one of them is refused."""
    signature = sign("web3_partner", b"a=b&c=d&timestamp=" + NOW).encode()
    assert isinstance(judged(b"a=b&c=d&timestamp=" + NOW, b"", signature), PartnerRequest)
    for other in (
        b"a=b%26c=d&timestamp=" + NOW,
        b"a=b%26c%3Dd&timestamp=" + NOW,
        b"a=b&c=d%26timestamp=" + NOW,
    ):
        assert judged(other, b"", signature) == "partner_invalid_argument"
    equals = sign("web3_partner", b"a=b=c&timestamp=" + NOW).encode()
    assert isinstance(judged(b"a=b=c&timestamp=" + NOW, b"", equals), PartnerRequest)
    assert isinstance(judged(b"a=b%3Dc&timestamp=" + NOW, b"", equals), PartnerRequest)
    assert judged(b"a%3Db=c&timestamp=" + NOW, b"", equals) == "partner_invalid_argument"


@pytest.mark.parametrize("body", [b"a=1", b"&", b" ", b"{}"])
def test_query_and_body_together_are_refused(body: bytes) -> None:
    assert code(b"timestamp=" + NOW, body) == "argument"


def test_json_body_is_refused() -> None:
    assert code(b"", b'{"timestamp":1499827319559}') == "argument"


@pytest.mark.parametrize("query", [b"", b"a=b"])
def test_nothing_to_sign_is_refused(query: bytes) -> None:
    assert code(query) in ("argument", "timestamp")


@pytest.mark.parametrize(
    "number",
    [b"", b"now", b"+5", b"%2B5", b"%35", b"%205", b"5+", b"-1", b"1e3", b"05", b"5.0", b"0x5", "５".encode(), "٥".encode(),
     b"1" * 16, b"1" * 400],
)  # fmt: skip
def test_numbers_in_another_spelling_are_refused(number: bytes) -> None:
    assert code(b"timestamp=" + number) == "timestamp"
    assert code(b"timestamp=" + NOW + b"&recvWindow=" + number) == "recv_window"


def test_recv_window_is_at_most_ten_seconds() -> None:
    assert code(b"recvWindow=10000&timestamp=" + NOW) == "accepted"
    assert code(b"recvWindow=10001&timestamp=" + NOW) == "recv_window"
    read = read_partner_request(b"timestamp=" + NOW, b"")
    assert isinstance(read, PartnerRequest)
    assert read.recv_window_ms == 5000


def test_timestamp_is_needed() -> None:
    assert code(b"recvWindow=5000") == "timestamp"


def test_partner_and_client_share_no_nonce() -> None:
    read = read_partner_request(b"timestamp=" + NOW, b"")
    assert isinstance(read, PartnerRequest)
    client = SignedRequest(read.payload, b"", NOW_MS, 5000, ())
    assert read.nonce() != client.nonce("partner")


pieces = st.sampled_from(
    [
        b"a",
        b"b",
        b"=",
        b"&",
        b"%26",
        b"%3D",
        b"%3d",
        b"+",
        b"%2B",
        b"%C3%A9",
        b"\xc3\xa9",
        b"%25",
        b"timestamp",
    ]
)


@given(st.lists(pieces, max_size=12).map(b"".join))
def test_the_payload_tells_names_and_values_apart_again(text: bytes) -> None:
    read = read_partner_request(text + b"&timestamp=" + NOW, b"")
    if isinstance(read, PartnerRequest):
        pairs = [pair.partition("=")[::2] for pair in read.payload.decode().split("&")]
        assert dict(pairs) == read.parameters
        assert len(pairs) == len(read.parameters)


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_nothing_makes_it_fail(query: bytes, body: bytes) -> None:
    read_partner_request(query, body)
    read_partner_request(query + b"&timestamp=1", b"")
