"""What a stranger can have us do before a key is asked for is bounded, and costs the same for what is no signature at all."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from nacl.signing import VerifyKey

from tests.unit.authentication.request_vectors import NOW_MS, fits_of, judged, public_der, sign, signed
from tests.work import calls_of
from vaultsigner.authentication import request_signatures
from vaultsigner.authentication.parameters import LONGEST_TEXT, MOST_PARAMETERS
from vaultsigner.authentication.partner_requests import read_partner_request
from vaultsigner.authentication.payload_hints import LONGEST_PAYLOAD, payload_hint
from vaultsigner.authentication.request_signatures import ed25519_fits, rsa_fits
from vaultsigner.authentication.signed_requests import (
    SignedRequest,
    carries_signature,
    read_signed_request,
)
from vaultsigner.domain.refusals import Refusal

NOW = str(NOW_MS).encode()
TAIL = b"&timestamp=" + NOW + b"&signature=x"
WHOLE_BODY = 65_400
FLOODS = {
    "a&a&a": b"a&" * (WHOLE_BODY // 2),
    "as many names as fit": b"&".join(b"%x=1" % number for number in range(9000))[:WHOLE_BODY],
    "one value of escapes": b"a=" + b"%41" * (WHOLE_BODY // 3),
    "names of escapes": b"&".join(b"%%41%x" % number for number in range(9000))[:WHOLE_BODY],
    "one more parameter": b"&" * MOST_PARAMETERS,
    "one more byte": b"a=" + b"b" * (LONGEST_TEXT - 1),
}
every_flood = pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())


def code(read: object) -> str:
    return read.code if isinstance(read, Refusal) else "accepted"


@every_flood
def test_a_flood_of_parameters_is_refused_before_it_is_split(flood: bytes) -> None:
    """Told apart from other faults of shape by its words: nothing but the bounds was looked at."""
    for query, body in ((flood + TAIL, b""), (b"", flood + TAIL), (flood + TAIL, b"{}")):
        refusal = read_signed_request(query, body)
        assert isinstance(refusal, Refusal)
        assert (refusal.code, f"{LONGEST_TEXT} bytes" in refusal.message) == ("malformed_parameters", True)
    for query, body in ((flood, b""), (b"", flood)):
        told = read_partner_request(query, body)
        assert isinstance(told, Refusal)
        assert (told.code, "too many" in told.message) == ("partner_invalid_argument", True)


@every_flood
def test_no_signature_is_looked_for_in_a_flood(flood: bytes) -> None:
    assert not carries_signature(flood + TAIL, b"")
    assert not carries_signature(b"", flood + TAIL)
    assert carries_signature(b"signature=1", flood), "the other text is looked at all the same"


@every_flood
def test_a_flood_is_not_worked_through(flood: bytes) -> None:
    """It cost up to 34 milliseconds once, in tens of thousands of calls."""
    for read in (
        lambda: carries_signature(b"", flood + TAIL),
        lambda: read_signed_request(b"", flood + TAIL),
        lambda: read_partner_request(b"", flood),
        lambda: payload_hint(b"", flood + TAIL, lambda _: False),
    ):
        assert calls_of(read) < 1000


def least_seconds(do: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began = time.thread_time()
        do()
        times.append(time.thread_time() - began)
    return min(times)


def test_as_much_as_is_allowed_is_read() -> None:
    fits = fits_of("hmac_test")
    many = b"&".join(b"n%d=" % number for number in range(MOST_PARAMETERS - 2)) + b"&timestamp=" + NOW
    assert isinstance(judged(signed(many), b"", fits), SignedRequest)
    long = b"timestamp=" + NOW + b"&note="
    long += b"x" * (LONGEST_TEXT - len(long) - len(b"&signature=") - 64)
    assert isinstance(judged(b"", signed(long), fits), SignedRequest)
    assert carries_signature(b"", signed(long))
    partner = b"&".join(b"n%d=" % number for number in range(MOST_PARAMETERS - 1)) + b"&timestamp=" + NOW
    assert code(read_partner_request(partner, b"")) == "accepted"


def test_a_long_json_body_is_no_flood() -> None:
    body = b'{"note":"' + b"&" * WHOLE_BODY + b'"}'
    query = signed(b"timestamp=" + NOW, body=body)
    assert isinstance(judged(query, body, fits_of("hmac_test")), SignedRequest)
    assert carries_signature(query, body)


@pytest.mark.parametrize("place", ["query", "form", "json"])
def test_no_hint_is_looked_for_in_more_than_4_kib(place: str) -> None:
    """Else a wrong signature over a whole body costs five verifications, and time tells whose API key it is."""
    asked: list[bytes] = []

    def fits(payload: bytes) -> bool:
        asked.append(payload)
        return False

    def ask(length: int) -> None:
        text = b"a=%27&timestamp=" + NOW
        filling = b"&note=" + b"x" * (length - len(text) - len(b"&note="))
        json_body = b"{" + b" " * (length - len(text) - 2) + b"}"
        asked.clear()
        payload_hint(
            *{"query": (text + filling, b""), "form": (b"", text + filling), "json": (text, json_body)}[
                place
            ],
            fits,
        )

    ask(LONGEST_PAYLOAD)
    assert asked
    ask(LONGEST_PAYLOAD + 1)
    assert asked == []


RSA_KEYS = {bits: generate_private_key(65537, bits).public_key() for bits in (1024, 2048, 2049)}
NO_SIGNATURES = [b"", b"x", b"AAAA", b"=", b"%", b"A" * 4096, b"A" * 87 + b"=", b"-" * 88]


@pytest.mark.parametrize("text", NO_SIGNATURES)
def test_what_is_no_ed25519_signature_costs_a_verification_all_the_same(text: bytes) -> None:
    with patch.object(VerifyKey, "verify", autospec=True, side_effect=VerifyKey.verify) as verify:
        assert not ed25519_fits(public_der("ed25519_test"), b"payload", text)
    assert verify.call_count == 1


@pytest.mark.parametrize("bits", [1024, 2048, 2049])
@pytest.mark.parametrize("text", NO_SIGNATURES)
def test_what_is_no_rsa_signature_costs_a_verification_all_the_same(bits: int, text: bytes) -> None:
    key = CountingKey(bits)
    with patch.object(request_signatures, "_rsa_key", return_value=key):
        assert not rsa_fits(b"", b"payload", text)
    assert key.verifications == 1


class CountingKey:
    """An RSA key that counts its verifications."""

    def __init__(self, bits: int) -> None:
        self._key = RSA_KEYS[bits]
        self.key_size = bits
        self.verifications = 0

    def verify(self, *arguments: Any) -> None:
        self.verifications += 1
        self._key.verify(*arguments)


def test_the_dummies_take_as_long_as_a_wrong_signature() -> None:
    """libsodium and OpenSSL turn some numbers away unread; ours they do not. The least of many, and processor time alone."""
    for key, fits in (("ed25519_test", ed25519_fits), ("rsa_test", rsa_fits)):
        times = [
            min(least_seconds(partial(fits, public_der(key), b"payload", text)) for _ in range(20))
            for text in (sign(key, b"another").encode(), b"x")
        ]
        assert 0.6 < times[0] / times[1] < 1.7


@pytest.mark.parametrize(
    "name", [b"Operation", b"OPERATION", b"operation%20", b"op%65ration", b"+operation", b"operation%00"]
)
@pytest.mark.parametrize("value", [b"freeze.sign", b"unfreeze.broadcast", b""])
def test_a_misspelt_operation_does_not_leave_its_client_unprotected(name: bytes, value: bytes) -> None:
    text = name + b"=" + value + b"&timestamp=" + NOW
    assert judged(signed(text), b"", fits_of("hmac_test")) == "malformed_parameters"
    assert judged(b"", signed(text), fits_of("hmac_test")) == "malformed_parameters"


@pytest.mark.parametrize(
    "value",
    [b"", b"freeze%2Esign", b"freeze.sign%20", b"freeze+sign", b"a" * 65, b"freeze,vote", b"\xc3\xa9"],
)
def test_an_operation_that_is_no_plain_word_is_malformed(value: bytes) -> None:
    text = b"operation=" + value + b"&timestamp=" + NOW
    assert judged(signed(text), b"", fits_of("hmac_test")) == "malformed_parameters"


def test_operations_and_their_like_are_read() -> None:
    for text in (b"operation=freeze.sign", b"operation=wallet.list", b"operations=a%20b", b"xOperation=%2E"):
        read = judged(signed(text + b"&timestamp=" + NOW), b"", fits_of("hmac_test"))
        assert isinstance(read, SignedRequest), text
