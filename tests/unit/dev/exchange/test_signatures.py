"""What the stand-in takes for signed is what Binance's documents and real clients sign, and nothing else."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.exchanges import KEYS, VECTORS, account_of
from tests.unit.dev.exchange.asking import KEY, NOW_MS, SECRET, code, exchange, raw, signed, told
from vaultsigner.dev.exchange.admission import whose
from vaultsigner.dev.exchange.requests import RawRequest
from vaultsigner.dev.exchange.signatures import websocket_payload

Vector = dict[str, Any]
SCHEMES = ("hmac-sha256", "rsa-sha256-pkcs1v15", "ed25519")
OF_THE_EXCHANGE: list[Vector] = [
    vector for vector in VECTORS["vectors"] if not vector["key"].startswith("web3") and vector["api_key"]
]
ACCOUNTS = [account_of(name) for name in ("hmac_doc", "hmac_test", "rsa_test", "ed25519_test")]


def request_of(vector: Vector) -> RawRequest:
    headers = tuple(vector["headers"].items())
    target = vector["path"] + (f"?{vector['query']}" if vector["query"] else "")
    return RawRequest(vector["method"], target, headers, vector["body"].encode())


def is_signed(request: RawRequest) -> bool:
    return whose(request, {account.api_key: account for account in ACCOUNTS}).verified is True


@pytest.mark.parametrize("vector", OF_THE_EXCHANGE, ids=lambda vector: vector["id"])
def test_vectors_of_real_clients_and_of_the_documents(vector: Vector) -> None:
    well_signed = vector["expect"] == "accept" or vector["reason"] == "timestamp"
    assert is_signed(request_of(vector)) is well_signed


REFUSED = {
    "refuse-001": -1022,  # changed value
    "refuse-004": -1022,  # added parameter
    "refuse-007": -1102,  # empty signature
    "refuse-010": -2014,  # no API key
    "refuse-013": -1100,  # timestamp is not a number
    "refuse-016": -1022,  # base64 that was not percent-encoded
    "refuse-019": -1022,  # the public key as an HMAC secret
    "client-025": -1022,  # signed before it was encoded
    "client-026": -1022,
}


@pytest.mark.parametrize("vector_id", REFUSED)
def test_vectors_that_are_refused(vector_id: str) -> None:
    vector = next(vector for vector in VECTORS["vectors"] if vector["id"] == vector_id)
    made = exchange(*ACCOUNTS)
    assert code(made, request_of(vector))[1] == REFUSED[vector_id]
    assert not made.spot.book.orders


def test_every_refused_vector_is_among_them() -> None:
    of_exchange = [vector for vector in VECTORS["vectors"] if not vector["key"].startswith("web3")]
    assert set(REFUSED) == {vector["id"] for vector in of_exchange if vector["expect"] != "accept"}


def test_the_vectors_have_all_schemes_and_both_verdicts() -> None:
    told_apart = {(vector["algorithm"], vector["expect"]) for vector in OF_THE_EXCHANGE}
    assert {(scheme, "accept") for scheme in SCHEMES} < told_apart
    assert ("hmac-sha256", "refuse") in told_apart


ACCEPTED = [vector for vector in OF_THE_EXCHANGE if vector["expect"] == "accept"]


@pytest.mark.parametrize("vector", ACCEPTED, ids=lambda vector: vector["id"])
def test_no_byte_may_change(vector: Vector) -> None:
    """Of what was signed: any byte of the query or the body but those of the signature."""
    for part in ("query", "body"):
        text = vector[part]
        for place in range(len(text)):
            if place >= text.find("signature=") >= 0:
                break
            other = "a" if text[place] != "a" else "b"
            changed = {**vector, part: text[:place] + other + text[place + 1 :]}
            assert not is_signed(request_of(changed)), changed[part]


def test_the_documented_order_is_carried_out() -> None:
    vector = next(vector for vector in OF_THE_EXCHANGE if vector["id"] == "published-001")
    status, document = told(exchange(), request_of(vector))
    assert (status, document["status"], document["symbol"]) == (200, "NEW", "LTCBTC")


def test_the_documented_order_with_a_symbol_that_is_not_ascii_is_carried_out() -> None:
    vector = next(vector for vector in OF_THE_EXCHANGE if vector["id"] == "published-004")
    made = exchange()
    status, document = told(made, request_of(vector))
    assert (status, document["symbol"]) == (200, "１２３４５６")
    assert dict(made.received[-1].parameters)["symbol"] == "１２３４５６"


DOCUMENTED_WEBSOCKET = {
    "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24": {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01000000",
        "price": "52000.00",
        "recvWindow": 100,
        "timestamp": 1645423376532,
        "apiKey": KEY,
    },
    "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd": {
        "symbol": "１２３４５６",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1.00000000",
        "price": "0.10000000",
        "recvWindow": 5000,
        "timestamp": 1645423376532,
        "apiKey": KEY,
    },
}
"""web-socket-api.md, SIGNED request example (HMAC)."""


@pytest.mark.parametrize("signature", DOCUMENTED_WEBSOCKET)
def test_documented_websocket_requests(signature: str) -> None:
    parameters = DOCUMENTED_WEBSOCKET[signature]
    account = account_of("hmac_doc")
    assert account.has_signed(websocket_payload(parameters | {"signature": signature}), signature)
    assert not account.has_signed(websocket_payload(parameters | {"side": "sell"}), signature)


def test_the_signature_may_be_of_either_case_for_hmac_alone() -> None:
    request = signed("GET", "/api/v3/account")
    query, _, signature = request.target.partition("&signature=")
    assert is_signed(RawRequest("GET", f"{query}&signature={signature.upper()}", request.headers, b""))
    rsa = next(vector for vector in OF_THE_EXCHANGE if vector["id"] == "client-016")
    assert not is_signed(request_of(rsa | {"query": rsa["query"].swapcase()}))


def test_query_and_body_are_signed_together_with_nothing_between() -> None:
    """The documents' mixed example: no & where the query ends."""
    query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
    body = (
        "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
        "&signature=0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
    )
    form = "application/x-www-form-urlencoded"
    assert is_signed(raw("POST", "/api/v3/order", query, body, kind=form))
    assert not is_signed(raw("POST", "/api/v3/order", query + "&", body, kind=form))


def test_a_json_body_is_signed_and_is_no_form() -> None:
    body = json.dumps({"signature": "x"})
    query = f"timestamp={NOW_MS}"
    signature = hmac.new(SECRET.encode(), (query + body).encode(), hashlib.sha256).hexdigest()
    kind = "application/json"
    whole = raw("POST", "/sapi/v1/x", f"{query}&signature={signature}", body, kind=kind)
    assert is_signed(whole)
    assert dict(whole.parameters()) == {"timestamp": str(NOW_MS), "signature": signature}
    assert not is_signed(raw("POST", "/sapi/v1/x", f"{query}&signature={signature}", body + " ", kind=kind))


def test_another_accounts_key_does_not_verify() -> None:
    request = signed("GET", "/api/v3/account", key=KEYS["hmac_test"]["api_key"])
    assert not is_signed(request)
