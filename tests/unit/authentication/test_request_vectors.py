"""Every request of the vectors is accepted or refused as they say, and for the reason they give.

One kind is refused by design where the published rule would accept it: a query and a form body that both carry parameters.
"""

import pytest

from tests.unit.authentication.request_vectors import (
    EXCHANGE,
    NOW_MS,
    OPEN_API,
    VECTORS,
    Vector,
    fits_of,
    judged,
)
from vaultsigner.authentication.open_api_tokens import open_api_token_fits, read_open_api_token
from vaultsigner.authentication.partner_requests import PartnerRequest, read_partner_request
from vaultsigner.authentication.payload_hints import payload_hint
from vaultsigner.authentication.signed_requests import SignedRequest, read_signed_request
from vaultsigner.authentication.windows import in_partner_window
from vaultsigner.domain.refusals import Refusal

SHARED = VECTORS.parents[2] / "shared" / "vectors"
REFUSED_AS = {
    "signature": "signature",
    "timestamp": "malformed_parameters",
    "recvWindow (000004)": "recv_window",
}


def chosen(expect: str, *, partner: bool = False) -> pytest.MarkDecorator:
    vectors = [one for one in EXCHANGE["vectors"] if one["expect"] == expect]
    vectors = [one for one in vectors if one["id"].startswith("web3") == partner]
    assert vectors
    return pytest.mark.parametrize("vector", [pytest.param(one, id=one["id"]) for one in vectors])


def outcome(vector: Vector) -> SignedRequest | str:
    return judged(vector["query"].encode(), vector["body"].encode(), fits_of(vector["key"]))


def both_carry_parameters(vector: Vector) -> bool:
    return bool(vector["query"]) and bool(vector["body"])


@pytest.mark.parametrize("name", ["exchange_requests.json", "open_api_tokens.json"])
@pytest.mark.skipif(
    not SHARED.is_dir(), reason="only this copy of the vectors is here: there is no other to compare"
)
def test_copy_is_the_shared_file(name: str) -> None:
    assert (VECTORS / name).read_bytes() == (SHARED / name).read_bytes()


def test_all_vectors_are_here() -> None:
    assert (len(EXCHANGE["vectors"]), len(OPEN_API["vectors"])) == (53, 10)


@chosen("accept")
def test_signed_request_is_accepted(vector: Vector) -> None:
    if both_carry_parameters(vector):
        assert outcome(vector) == "malformed_parameters"
        return
    request = outcome(vector)
    assert isinstance(request, SignedRequest), request
    assert request.payload == vector["signed_payload"].encode()
    assert request.signature == vector["signature"].encode()
    assert request.timestamp_ms == NOW_MS


@chosen("accept")
def test_signed_request_under_another_key_is_refused(vector: Vector) -> None:
    other = {
        "hmac_doc": "hmac_test",
        "hmac_test": "hmac_doc",
        "ed25519_test": "fix_doc",
        "rsa_test": "web3_partner",
    }
    stranger = fits_of(other[vector["key"]])
    assert isinstance(judged(vector["query"].encode(), vector["body"].encode(), stranger), str)


def test_only_query_and_form_together_are_refused_against_the_published_rule() -> None:
    accepted = [one for one in EXCHANGE["vectors"] if one["expect"] == "accept"]
    assert [one["id"] for one in accepted if both_carry_parameters(one)] == [
        "composed-003", "composed-006", "composed-009",
    ]  # fmt: skip


@chosen("refuse")
def test_signed_request_is_refused_for_its_reason(vector: Vector) -> None:
    if vector["reason"] == "api key missing":
        # The caller's affair: nothing is wrong with what is signed here.
        assert "X-MBX-APIKEY" not in vector["headers"]
        assert isinstance(outcome(vector), SignedRequest)
    elif both_carry_parameters(vector):
        assert outcome(vector) == "malformed_parameters"
    elif vector["query"].endswith("signature="):
        refusal = read_signed_request(vector["query"].encode(), b"")
        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.reason) == ("authentication_failed", "signature missing")
    else:
        assert outcome(vector) == REFUSED_AS[vector["reason"]]


@chosen("lenient-only")
def test_request_of_a_lenient_client_is_refused_with_a_hint(vector: Vector) -> None:
    query, body, fits = vector["query"].encode(), vector["body"].encode(), fits_of(vector["key"])
    assert outcome(vector) == "signature"
    signature = vector["signature"].encode()
    assert payload_hint(query, body, lambda payload: fits(payload, signature)) == vector["payload_rule"]


@chosen("accept", partner=True)
def test_partner_request_is_accepted(vector: Vector) -> None:
    request = read_partner_request(vector["query"].encode(), vector["body"].encode())
    assert isinstance(request, PartnerRequest)
    assert request.payload == vector["signed_payload"].encode()
    assert in_partner_window(request.timestamp_ms, request.recv_window_ms, NOW_MS)
    assert fits_of(vector["key"])(request.payload, vector["headers"]["signature"].encode())
    other = "web3_other" if vector["key"] == "web3_partner" else "web3_partner"
    assert not fits_of(other)(request.payload, vector["headers"]["signature"].encode())


@chosen("refuse", partner=True)
def test_partner_request_is_refused_for_its_reason(vector: Vector) -> None:
    refusal = read_partner_request(vector["query"].encode(), vector["body"].encode())
    assert isinstance(refusal, Refusal)
    assert refusal.code == f"partner_invalid_{REFUSED_AS[vector['reason']]}"


@pytest.mark.parametrize("spelling", ["token", "token_header_typ_first"])
@pytest.mark.parametrize("vector", [pytest.param(one, id=one["id"]) for one in OPEN_API["vectors"]])
def test_open_api_token(vector: Vector, spelling: str) -> None:
    if spelling not in vector:
        assert vector["expect"] == "refuse"
        spelling = "token"
    token = read_open_api_token(vector[spelling])
    assert not isinstance(token, str), token
    fits = open_api_token_fits(bytearray(vector["secret"].encode()), token)
    covers = token.covers(vector["method"], vector["uri"], vector["query"].encode(), vector["body"].encode())
    assert token.is_timely(vector["ts"] * 1000)
    if vector["expect"] == "accept":
        assert (fits, covers, token.iss, token.dig) == (True, True, vector["access_key_id"], vector["dig"])
    else:
        assert (fits, covers) == (vector["reason"] != "signature", vector["reason"] != "dig")
