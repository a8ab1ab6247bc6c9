"""What goes out is what is signed, as the published examples and other libraries sign it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.signing_client import Ed25519Key as IndependentEd25519
from tests.signing_client import HmacKey as IndependentHmac
from tests.signing_client import OpenApiKey as IndependentOpenApi
from tests.signing_client import RsaKey as IndependentRsa
from tests.signing_client import SigningKey, open_api_token
from vaultsigner.client import Ed25519Key, HmacKey, OpenApiKey, PartnerKey, RsaKey
from vaultsigner.client.asks import Ask, Proof, Request, Value, spelled
from vaultsigner.client.calls.exchanges import forward
from vaultsigner.client.calls.wallets import check
from vaultsigner.client.credentials import Credentials
from vaultsigner.client.plans import Pause
from vaultsigner.client.session import Session
from vaultsigner.client.signed_requests import Signer, open_api_digest

VECTORS = Path(__file__).parents[2] / "vectors"
DOCUMENT = json.loads((VECTORS / "exchange_requests.json").read_text())
KEYS = DOCUMENT["keys"]
REQUESTS = [each for each in DOCUMENT["vectors"] if each["expect"] == "accept"]
TOKENS = [
    each for each in json.loads((VECTORS / "open_api_tokens.json").read_text())["vectors"] if "dig" in each
]
NOW_MS = 1499827319559
AWKWARD = (("q", "a b+c&d=e/é🚀'\"~*[{"), ("empty", ""), ("ünï", "%41"))


def _keys() -> dict[str, tuple[Any, SigningKey]]:
    found: dict[str, tuple[Any, SigningKey]] = {}
    for name, key in KEYS.items():
        if key["algorithm"].startswith("hmac"):
            found[name] = (
                HmacKey(key["api_key"], key["secret"]),
                IndependentHmac(key["api_key"], key["secret"]),
            )
        elif key["algorithm"].startswith("ed25519"):
            pem = key["private_key"]
            found[name] = Ed25519Key(key["api_key"], pem), IndependentEd25519(key["api_key"], pem)
        else:
            pem = key["private_key"]
            found[name] = RsaKey(key["api_key"], pem), IndependentRsa(key["api_key"], pem)
    return found


BOTH = _keys()


def made(credentials: Credentials, ask: Ask[Any], recv_window_ms: int | None = None) -> Request:
    return Signer(credentials, lambda: NOW_MS, recv_window_ms).request(ask, None)


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector["id"])
def test_every_vector_has_the_signature_that_our_keys_make(vector: dict[str, Any]) -> None:
    key = BOTH[vector["key"]][0]
    assert key.sign(vector["signed_payload"].encode()) == vector["signature"]


def test_binances_published_example_is_made_byte_for_byte() -> None:
    """Spot API documentation, "Example 1: As a request body"."""
    params: dict[str, Value] = {
        "symbol": "LTCBTC",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": 1,
        "price": "0.1",
    }
    request = made(BOTH["hmac_doc"][0], forward("main", "POST", "/api/v3/order", params), 5000)
    assert (request.method, request.target) == ("POST", "/exchange/main/api/v3/order")
    assert request.body == (
        b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
        b"&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )
    assert request.headers["X-MBX-APIKEY"] == KEYS["hmac_doc"]["api_key"]


@pytest.mark.parametrize("name", ["hmac_doc", "hmac_test", "rsa_test", "ed25519_test"])
@pytest.mark.parametrize("body", [None, '{"a":"ü"}'.encode()])
def test_the_signature_is_over_the_query_and_the_body_as_they_go_out(name: str, body: bytes | None) -> None:
    ours, independent = BOTH[name]
    ask = Ask("POST", "/api/x", lambda reply: reply, parameters=AWKWARD, body=body, operation="order.sign")
    request = made(ours, ask, 1234)
    query = request.target.partition("?")[2]
    covered, _, signature = query.rpartition("&signature=")
    assert dict(parse_qsl(f"signature={signature}", strict_parsing=True)) == {
        "signature": independent.sign(covered.encode() + request.body)
    }
    assert covered.endswith(f"&operation=order.sign&recvWindow=1234&timestamp={NOW_MS}")
    assert parse_qsl(covered, keep_blank_values=True)[:3] == list(AWKWARD)
    assert request.body == (body or b"")


@pytest.mark.filterwarnings(
    "ignore::jwt.warnings.InsecureKeyLengthWarning"
)  # one vector's secret has 31 bytes
@pytest.mark.parametrize("vector", TOKENS, ids=lambda vector: vector["id"])
def test_every_open_api_vector_has_our_token(vector: dict[str, Any]) -> None:
    digest = open_api_digest(vector["method"], vector["uri"], vector["query"], vector["body"].encode())
    assert digest == vector["dig"]
    ours = OpenApiKey(vector["access_key_id"], vector["secret"]).token(digest, vector["ts"])
    independent = IndependentOpenApi(vector["access_key_id"], vector["secret"])
    body = vector["body"].encode()
    assert ours == open_api_token(
        independent, vector["method"], vector["uri"], vector["query"], body, ts=vector["ts"]
    )


def test_a_partner_signs_what_a_reader_sees() -> None:
    pem = KEYS["web3_partner"]["private_key"]
    ask = Ask(
        "GET", "/web3/v1/x", lambda reply: reply, parameters=(("task", '["a b"]'),), proof=Proof.PARTNER
    )
    request = made(PartnerKey(pem), ask, 5000)
    read = f'task=["a b"]&recvWindow=5000&timestamp={NOW_MS}'
    assert request.headers["signature"] == IndependentRsa("", pem).sign(read.encode())
    sent = request.target.partition("?")[2]
    assert sent == spelled((("task", '["a b"]'), ("recvWindow", "5000"), ("timestamp", str(NOW_MS))))


def test_equal_requests_of_one_moment_have_different_signatures() -> None:
    signer = Signer(BOTH["hmac_doc"][0], lambda: NOW_MS)
    targets = [signer.request(check(), None).target for _ in range(50)]
    assert len(set(targets)) == 50
    moments = {dict(parse_qsl(target.partition("?")[2]))["timestamp"] for target in targets}
    assert moments == {str(NOW_MS - back) for back in range(50)}, "never later than it is"


def test_open_api_tokens_of_one_second_differ_too() -> None:
    signer = Signer(OpenApiKey("id", "a secret that is long enough for HS256"), lambda: NOW_MS)
    tokens = {signer.request(check(), None).headers["X-Mp-Open-Api-Token"] for _ in range(20)}
    assert len(tokens) == 20


def test_too_many_equal_requests_wait_for_their_moment() -> None:
    """A token is good for a minute: the requests that would have to be older than half of one wait."""
    now = [NOW_MS]
    session = Session(OpenApiKey("id", "a secret that is long enough for HS256"), clock_ms=lambda: now[0])
    tokens = set[str]()
    for _ in range(40):
        plan = session.dressed(check())
        try:
            while isinstance(next(plan), Pause):
                now[0] += 250
        except StopIteration as done:
            tokens.add(done.value.headers["X-Mp-Open-Api-Token"])
    assert len(tokens) == 40
    assert now[0] - NOW_MS == pytest.approx(9_000, abs=1_000), "31 at once, then one a second"
