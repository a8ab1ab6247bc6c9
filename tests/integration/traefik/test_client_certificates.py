"""Callers who have to show a TLS certificate: real ones, to the real Traefik; and everybody who would pretend."""

import json
import re
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest

from tests.adversarial.raw_http import exchange
from tests.certificates import Certificate
from tests.integration.signed.callers import ACCENTED, HMAC
from tests.integration.traefik.conftest import BOUND, BOUND_CLIENT, BOUND_PASSWORD, Desk
from tests.signing_client import API_KEY_HEADER, Reply, SignedCall, signed_call
from tests.world import PASSWORD, USERNAME

CHECK = "/api/auth/check"
HEADER = "X-Forwarded-Tls-Client-Cert"


def handed_on(certificate: Certificate) -> str:
    """As Traefik writes it."""
    return b64encode(certificate.der).decode()


def check(key: Any = ACCENTED, **headers: str) -> SignedCall:
    """A signed request, each time another one."""
    call = signed_call(key, "GET", CHECK)
    return SignedCall(call.method, call.path, call.query, {**call.headers, **headers}, call.body)


def log_in(desk: Desk, certificate: Certificate | None, username: str, password: str) -> Reply:
    body = json.dumps({"username": username, "password": password}).encode()
    call = SignedCall("POST", "/api/auth/login", "", {"Content-Type": "application/json"}, body)
    return desk.traefik.send(call, certificate)


def recorded(desk: Desk, reply: Reply) -> dict[str, Any]:
    (record,) = desk.world.records(reply.request_id)
    return record


def told(reply: Reply) -> tuple[int, Any]:
    return reply.status, {**reply.body, "request_id": None}


@pytest.fixture
def unbound(live: Desk) -> tuple[int, Any]:
    """How a wrong signature is answered."""
    call = check(HMAC)
    wrong = SignedCall(call.method, call.path, call.query[:-1] + "x", call.headers)
    return told(live.traefik.send(wrong))


def test_the_right_certificate_counts_and_is_recorded(live: Desk) -> None:
    reply = live.traefik.send(check(), live.own)
    assert (reply.status, reply.body["principal"]["name"]) == (200, BOUND_CLIENT)
    assert recorded(live, reply)["client_certificate"] == live.own.digest


def test_another_certificate_of_the_same_authority_does_not(live: Desk, unbound: Any) -> None:
    reply = live.traefik.send(check(), live.other)
    assert told(reply) == unbound
    record = recorded(live, reply)
    assert record["reason"].startswith(f"client {BOUND_CLIENT}: ")
    assert "client certificate is another one" in record["reason"]
    assert record["client_certificate"] == live.other.digest


def test_none_does_not(live: Desk, unbound: Any) -> None:
    reply = live.traefik.send(check())
    assert told(reply) == unbound
    assert "no client certificate was shown" in recorded(live, reply)["reason"]


def test_one_that_is_not_wanted_is_recorded_and_changes_nothing(live: Desk) -> None:
    reply = live.traefik.send(check(HMAC), live.other)
    assert reply.status == 200
    assert recorded(live, reply)["client_certificate"] == live.other.digest
    assert "client_certificate" not in recorded(live, live.traefik.send(check(HMAC)))


def test_a_header_that_the_client_wrote_is_removed_or_replaced(live: Desk, unbound: Any) -> None:
    spoofed = {HEADER: handed_on(live.own), f"{HEADER}-Info": 'Subject="CN=bot"'}
    assert told(live.traefik.send(check(**spoofed))) == unbound
    other = live.traefik.send(check(**spoofed), live.other)
    assert told(other) == unbound
    assert recorded(live, other)["client_certificate"] == live.other.digest


@pytest.mark.parametrize(
    "name",
    [
        "X_Forwarded_Tls_Client_Cert",
        "x-forwarded-tls-client-cert",
        "X-Forwarded_Tls-Client-Cert",
        "X-FORWARDED-TLS-CLIENT-CERT",
    ],
)
def test_no_other_spelling_of_the_header_counts(live: Desk, unbound: Any, name: str) -> None:
    assert told(live.traefik.send(check(**{name: handed_on(live.own)}))) == unbound


def test_the_connection_header_takes_no_certificate_away(live: Desk) -> None:
    """Hop-by-hop headers are removed (RFC 9110, section 7.6.1), but not those that Traefik writes afterwards."""
    reply = live.traefik.send(check(HMAC, Connection=f"close, {HEADER}, X-Forwarded-For"), live.own)
    assert recorded(live, reply)["client_certificate"] == live.own.digest


def test_straight_from_an_unlisted_peer_the_header_is_ignored(live: Desk) -> None:
    """Whatever stands in it: it is neither believed nor refused."""
    for value in (handed_on(live.own), "rubbish", ""):
        for header in ([value], [value, value]):
            lines = [f"{HEADER}: {each}" for each in header]
            for key, status in ((ACCENTED, 401), (HMAC, 200)):
                call = check(key)
                head = [f"GET {call.target} HTTP/1.1", "Host: x", f"{API_KEY_HEADER}: {key.api_key}", *lines]
                answer = live.from_elsewhere("\r\n".join([*head, "", ""]).encode())
                assert answer.status == status, (value, answer)


MALFORMED = {
    "empty": [""],
    "rubbish": ["rubbish"],
    "PEM": ["-----BEGIN CERTIFICATE-----"],
    "base64 of something else": ["c29tZXRoaW5nIGVsc2U="],
    "twice": ["{own}", "{own}"],
    "twice, differently": ["{own}", "{other}"],
    "a list with a blank": ["{own}, {other}"],
    "an empty element": ["{own},"],
    "an empty first element": [",{own}"],
    "percent-encoded": ["{encoded}"],
    "base64 that is not canonical": ["{loose}"],
    "without its padding": ["{unpadded}"],
    "bytes behind the certificate": ["{longer}"],
    "Unicode digits": ["\N{ARABIC-INDIC DIGIT ONE}{own}"],
}


@pytest.mark.parametrize("values", MALFORMED.values(), ids=MALFORMED)
def test_a_trusted_proxys_malformed_word_is_refused(live: Desk, values: list[str]) -> None:
    own = handed_on(live.own)
    longer = b64encode(live.own.der + b"\0").decode()
    known = {
        "own": own,
        "other": handed_on(live.other),
        "encoded": quote(own, safe=""),
        "loose": re.sub("=*$", "", own)[:40] + "\u00a0" + own[40:],
        "unpadded": b64encode(live.own.der + b"\0" * (2 - len(live.own.der) % 3)).decode().rstrip("="),
        "longer": longer,
    }
    for key in (ACCENTED, HMAC):
        call = check(key)
        lines = [f"{HEADER}: {value.format(**known)}" for value in values]
        head = [f"GET {call.target} HTTP/1.1", "Host: x", f"{API_KEY_HEADER}: {key.api_key}", *lines]
        answer = exchange(live.world.url, "\r\n".join([*head, "", ""]).encode())
        assert (answer.status, answer.document["code"]) == (400, "malformed_request")


def test_certificates_behind_the_first_prove_nothing(live: Desk) -> None:
    """Whoever shows a certificate may send any others along: they come behind it."""
    own, other = handed_on(live.own), handed_on(live.other)
    for value, status in ((f"{own},{other}", 200), (f"{other},{own}", 401)):
        call = check()
        head = [
            f"GET {call.target} HTTP/1.1",
            "Host: x",
            f"{API_KEY_HEADER}: {ACCENTED.api_key}",
            f"{HEADER}: {value}",
        ]
        assert exchange(live.world.url, "\r\n".join([*head, "", ""]).encode()).status == status


def test_a_users_log_in_and_token_count_with_the_certificate_alone(live: Desk) -> None:
    wrong = log_in(live, None, USERNAME, "not " + PASSWORD)
    for certificate in (None, live.other):
        refused = log_in(live, certificate, BOUND, BOUND_PASSWORD)
        assert told(refused) == told(wrong)
        assert recorded(live, refused)["reason"].startswith(f"user {BOUND}: ")
    good = log_in(live, live.own, BOUND, BOUND_PASSWORD)
    assert good.status == 200
    call = SignedCall("GET", CHECK, "", {"Authorization": f"Bearer {good.body['access_token']}"})
    assert live.traefik.send(call, live.own).body["principal"]["name"] == BOUND
    bad_token = live.traefik.send(SignedCall("GET", CHECK, "", {"Authorization": "Bearer no.token.atall"}))
    for certificate in (None, live.other):
        refused = live.traefik.send(call, certificate)
        assert told(refused) == told(bad_token)
        assert refused.status == 403


def test_a_signature_that_lacked_its_certificate_is_not_used_up(live: Desk) -> None:
    """Whoever saw a request cannot spend it from elsewhere: it is its sender's still."""
    call = check()
    assert live.traefik.send(call).status == 401
    assert live.traefik.send(call, live.own).status == 200
    assert live.traefik.send(call, live.own).status == 409


def test_what_is_signed_says_the_certificate_in_every_record(live: Desk, wallet: str) -> None:
    document = {"wallet_name": wallet, "msg": {"symbol": "BNB", "amount": "10"}}
    call = signed_call(ACCENTED, "POST", "/api/freeze/broadcast", document=document)
    assert live.traefik.send(call).status == 401
    reply = live.traefik.send(call, live.own)
    assert reply.status == 200, reply.body
    records = live.world.records(reply.request_id)
    assert [record["kind"] for record in records] == ["intent", "outcome", "dispatch"]
    assert {record["client_certificate"] for record in records} == {live.own.digest}
