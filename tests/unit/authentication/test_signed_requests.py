"""A signed request has one reading. Whatever another parser could take otherwise is refused before any key is asked for."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.authentication.request_vectors import NOW_MS, SCHEMES, fits_of, judged, sign, signed
from vaultsigner.authentication.signed_requests import (
    SignedRequest,
    authentication_failed,
    carries_signature,
    read_signed_request,
)
from vaultsigner.domain.refusals import Refusal

NOW = str(NOW_MS).encode()
FITS = fits_of("hmac_test")
JSON = b'{"wallet_name":"wallet_1","msg":{"symbol":"ANN-457_BNB"}}'


def outcome(text: bytes, body: bytes = b"") -> str:
    """For a query that is signed properly, whatever is wrong with it otherwise."""
    verdict = judged(signed(text, body=body), body, FITS)
    return "accepted" if isinstance(verdict, SignedRequest) else verdict


def test_the_control_of_these_tests_is_accepted() -> None:
    assert outcome(b"timestamp=" + NOW) == "accepted"
    assert outcome(b"timestamp=" + NOW + b"&recvWindow=5000", JSON) == "accepted"
    assert outcome(b"timestamp=" + NOW, b" \r\n\t" + JSON) == "accepted"
    assert outcome(b"x=%7Etilde~&y=&z&&timestamp=" + NOW + b"&recvWindow=0&signatures=1") == "accepted"
    form = signed(b"a=1&timestamp=" + NOW)
    assert isinstance(judged(b"", form, FITS), SignedRequest)


def test_what_a_request_tells() -> None:
    request = judged(signed(b"operation=freeze.broadcast&timestamp=" + NOW, body=JSON), JSON, FITS)
    assert isinstance(request, SignedRequest)
    assert (request.timestamp_ms, request.recv_window_ms) == (NOW_MS, 5000)
    assert request.expires_at_ms == NOW_MS + 5000
    assert request.value_of(b"operation") == b"freeze.broadcast"
    assert request.value_of(b"signature") is None
    assert [one.raw_name for one in request.parameters] == [b"operation", b"timestamp"]


def test_no_signature_or_payload_shows_in_a_log() -> None:
    request = judged(signed(b"note=SECRET&timestamp=" + NOW), b"", FITS)
    assert isinstance(request, SignedRequest)
    assert "SECRET" not in repr(request)
    assert request.signature.decode() not in repr(request)


@pytest.mark.parametrize(
    "timestamp",
    [
        b"",
        b"now",
        b"+1499827319559",
        b"%2B1499827319559",
        b" 1499827319559",
        b"%201499827319559",
        b"1499827319559%20",
        b"1499827319559%00",
        b"-1499827319559",
        b"-1",
        b"1e3",
        b"1499827319559.0",
        b"1_499_827_319_559",
        b"01499827319559",
        b"00",
        b"0x15d",
        b"%31499827319559",
        b"149982731955%39",
        "１４９９８２７３１９５５９".encode(),
        b"%EF%BC%91499827319559",
        "١٤٩٩٨٢٧٣١٩٥٥٩".encode(),
        "1499827319559²".encode(),
        str(2**63).encode(),
        str(2**64 + NOW_MS).encode(),
        b"1" * 16,
        b"1" * 400,
        b"1" * 5000,
        b"[1499827319559]",
        b"null",
        b"NaN",
    ],
)
def test_timestamp_in_another_spelling_is_refused(timestamp: bytes) -> None:
    assert outcome(b"timestamp=" + timestamp) == "malformed_parameters"
    assert outcome(b"timestamp=" + NOW + b"&recvWindow=" + timestamp) == "malformed_parameters"


@pytest.mark.parametrize("window", [b"60001", b"1499827319559", b"999999999999999"])
def test_recv_window_past_a_minute_is_refused_not_cut(window: bytes) -> None:
    assert outcome(b"recvWindow=60000&timestamp=" + NOW) == "accepted"
    assert outcome(b"recvWindow=" + window + b"&timestamp=" + NOW) == "malformed_parameters"


def test_numbers_of_fifteen_digits_are_read_and_are_outside_the_window() -> None:
    assert outcome(b"timestamp=999999999999999") == "window"
    assert outcome(b"timestamp=0") == "window"


@pytest.mark.parametrize(
    "text",
    [
        b"symbol=BTCUSDT",
        b"timestamp",
        b"Timestamp=" + NOW,
        b"timestamp=" + NOW + b"&timestamp=" + NOW,
        b"timestamp=" + NOW + b"&timestamp=1",
        b"timestamp=" + NOW + b"&%74imestamp=1",
        b"%74imestamp=" + NOW,
        b"timestam%70=" + NOW,
        b"timestamp=" + NOW + b"&Timestamp=1",
        b"timestamp=" + NOW + b"&TIMESTAMP=1",
        b"timestamp=" + NOW + b"&+timestamp=1",
        b"timestamp=" + NOW + b"&timestamp%20=1",
        b"timestamp=" + NOW + b"&timestamp%00=1",
        b"timestamp=" + NOW + b"&timestamp%0A=1",
        b"timestamp=" + NOW + b"&recvwindow=1",
        b"timestamp=" + NOW + b"&recvWindow",
        b"timestamp=" + NOW + b"&recvWindow=1&recvWindow=60000",
        b"timestamp=" + NOW + b"&recv%57indow=60000",
        b"timestamp=" + NOW + b"&a=1&a=1",
        b"timestamp=" + NOW + b"&a=1&%61=2",
        b"timestamp=" + NOW + b"&a=1&a",
        b"timestamp=" + NOW + b"&a+b=1&a%20b=2",
        b"timestamp=" + NOW + b"&%C3%A9=1&%c3%a9=2",
        b"timestamp=" + NOW + b"&=1",
        b"timestamp=" + NOW + b"&a=%",
        b"timestamp=" + NOW + b"&a=%4",
        b"timestamp=" + NOW + b"&a=%zz",
        b"timestamp=" + NOW + b"&%=1",
        b"timestamp=" + NOW + b"&a=b c",
        b"timestamp=" + NOW + b"&a=b\x00c",
        b"timestamp=" + NOW + b"&a=b\r\nc",
        b"timestamp=" + NOW + b"&a=#b",
    ],
)
def test_polluted_parameters_are_refused(text: bytes) -> None:
    assert outcome(text) == "malformed_parameters"


def test_digits_in_other_scripts_do_not_name_the_timestamp() -> None:
    assert outcome("ｔｉｍｅｓｔａｍｐ=1&timestamp=".encode() + NOW) == "accepted"
    assert outcome("ｔｉｍｅｓｔａｍｐ=".encode() + NOW) == "malformed_parameters"


@pytest.mark.parametrize("text", [b"signature=%s&timestamp=" + NOW, b"a=1&signature=%s&timestamp=" + NOW])
def test_signature_that_is_not_last_is_refused(text: bytes) -> None:
    payload = text.replace(b"signature=%s&", b"")
    query = text.replace(b"%s", sign("hmac_test", payload).encode())
    assert judged(query, b"", FITS) == "malformed_parameters"


@pytest.mark.parametrize(
    "tail",
    [
        b"&signature={0}&signature={0}",
        b"&%73ignature={0}",
        b"&Signature={0}",
        b"&signature={0}&Signature={0}",
        b"&SIGNATURE=1&signature={0}",
        b"&+signature={0}",
        b"&signature={0}&",
        b"&signature={0}&&",
        b"&signature={0}&a=1",
        b"&signature={0}#",
        b"&signature={0}\n",
        b"&signature=%",
    ],
)
def test_signature_in_another_place_or_spelling_is_refused(tail: bytes) -> None:
    text = b"timestamp=" + NOW
    query = text + tail.replace(b"{0}", sign("hmac_test", text).encode())
    assert judged(query, b"", FITS) == "malformed_parameters"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (b"", b""),
        (b"", JSON),
        (b"timestamp=" + NOW, b""),
        (b"timestamp=" + NOW + b"&signature=", b""),
        (b"timestamp=" + NOW + b"&signature", b""),
        (b"timestamp=" + NOW, JSON),
        (b"timestamp=" + NOW, b'{"signature":"' + b"0" * 64 + b'"}'),
        (b"", b"timestamp=" + NOW),
    ],
)
def test_missing_signature_is_a_failure_to_authenticate(query: bytes, body: bytes) -> None:
    assert read_signed_request(query, body) == authentication_failed("signature missing")


def test_every_failure_to_authenticate_reads_the_same() -> None:
    one, other = authentication_failed("signature missing"), authentication_failed("api key unknown")
    assert (one.code, one.message, one.detail) == (other.code, other.message, other.detail)
    assert one.reason != other.reason


@pytest.mark.parametrize(
    "body", [b"a=1", b"&", b" ", b"\n", b'"text"', b"\xef\xbb\xbf{}", b"\x0b{}", b"\xa0[]", b"12"]
)
def test_query_and_form_together_are_refused(body: bytes) -> None:
    text = b"timestamp=" + NOW
    assert judged(signed(text, body=body), body, FITS) == "malformed_parameters"
    assert (
        judged(text, body + b"&signature=" + sign("hmac_test", text + body).encode(), FITS)
        == "malformed_parameters"
    )


def test_signature_in_the_body_beside_a_query_is_refused() -> None:
    form = signed(b"timestamp=" + NOW)
    assert judged(b"a=1", form, FITS) == "malformed_parameters"


def test_json_body_with_its_parameters_in_no_query_is_refused() -> None:
    assert judged(b"", JSON + b"&timestamp=" + NOW + b"&signature=0", FITS) == "authentication_failed"


@pytest.mark.parametrize("value", [b"{", b"[", b"x{}", b'["A"]', b"{}[]"])
def test_text_that_could_be_a_body_is_refused_after_the_timestamp(value: bytes) -> None:
    assert outcome(b"symbols=" + value + b"&timestamp=" + NOW) == "accepted"
    assert outcome(b"timestamp=" + NOW + b"&symbols=" + value) == "malformed_parameters"
    assert outcome(b"timestamp=" + NOW + b"&" + value) == "malformed_parameters"
    form = signed(b"timestamp=" + NOW + b"&symbols=" + value)
    assert judged(b"", form, FITS) == "malformed_parameters"


@pytest.mark.parametrize(
    "text",
    [b"signature=1", b"a=1&signature", b"%73ignature=1", b"Signature=1", b"+signature=1", b"%zz&&signature="],
)
def test_a_signature_is_noticed_in_any_spelling(text: bytes) -> None:
    assert carries_signature(text, b"")
    assert carries_signature(b"", text)
    assert carries_signature(text, JSON)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (b"", b""),
        (b"a=signature", b""),
        (b"signatures=1", b"xsignature=1"),
        (b"a", JSON),
        (b"", b'{"signature":1,"a":"&signature=1"}'),
        (b"", b" [1]&signature=1"),
    ],
)
def test_what_only_looks_like_a_signature_is_none(query: bytes, body: bytes) -> None:
    assert not carries_signature(query, body)


def test_two_spellings_of_one_signature_are_one_nonce() -> None:
    text = b"timestamp=" + NOW
    lower = judged(signed(text), b"", FITS)
    upper = judged(text + b"&signature=" + sign("hmac_test", text).upper().encode(), b"", FITS)
    assert isinstance(lower, SignedRequest)
    assert isinstance(upper, SignedRequest)
    assert lower.signature != upper.signature
    assert lower.nonce("bot-1") == upper.nonce("bot-1") == hashlib.sha256(b"bot-1\0" + text).digest()


def test_nonce_is_of_one_client_and_one_payload() -> None:
    one = judged(signed(b"timestamp=" + NOW), b"", FITS)
    other = judged(signed(b"a=&timestamp=" + NOW), b"", FITS)
    assert isinstance(one, SignedRequest)
    assert isinstance(other, SignedRequest)
    assert len({one.nonce("bot-1"), one.nonce("bot-2"), other.nonce("bot-1")}) == 3


@pytest.mark.parametrize("key", SCHEMES.values())
@pytest.mark.parametrize("other", SCHEMES.values())
def test_signature_of_another_scheme_is_refused(key: str, other: str) -> None:
    verdict = judged(signed(b"timestamp=" + NOW, key), b"", fits_of(other))
    assert isinstance(verdict, SignedRequest) if key == other else verdict == "signature"


def test_a_told_duplicate_repeats_no_secret() -> None:
    refusal = read_signed_request(b"a=1&a=2", b"")
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith("The parameter a is given more than once")
    hidden = b"correct-horse-battery-staple-correct-horse"
    refusal = read_signed_request(hidden + b"=1&" + hidden + b"=2", b"")
    assert isinstance(refusal, Refusal)
    assert "horse" not in refusal.message


@given(st.binary(max_size=80), st.binary(max_size=40))
def test_nothing_makes_it_fail(query: bytes, body: bytes) -> None:
    for text in (query, b"timestamp=1&" + query + b"&signature=" + body, query + b"&timestamp=1&signature=1"):
        assert isinstance(read_signed_request(text, body), SignedRequest | Refusal)
        assert isinstance(read_signed_request(b"", text), SignedRequest | Refusal)
        carries_signature(text, body)
