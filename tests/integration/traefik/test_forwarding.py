"""Who asks, from where, and what comes back while it happens: through the real Traefik."""

import json
import ssl
from contextlib import closing
from typing import Any

import pytest

from tests.adversarial.raw_http import read_reply
from tests.integration.signed.callers import HMAC
from tests.integration.traefik.conftest import BOUND, BOUND_PASSWORD, Desk
from tests.signing_client import API_KEY_HEADER, SignedCall, signed_call

CHECK = "/api/auth/check"
CALLER = "127.0.0.7"
SPOOFED = {
    "X-Forwarded-For": ["X-Forwarded-For: 10.0.0.1"],
    "many": ["X-Forwarded-For: 10.0.0.1, 10.0.0.2", "X-Forwarded-For: 10.0.0.3"],
    "a name of Traefik's own": ["X-Forwarded-For: 127.0.0.1"],
    "malformed": ["X-Forwarded-For: rubbish"],
    "X-Real-Ip": ["X-Real-Ip: 10.0.0.1"],
    "Forwarded": ["Forwarded: for=10.0.0.1;proto=https", 'Forwarded: for="[::1]"'],
    "others' headers": ["True-Client-IP: 10.0.0.1", "CF-Connecting-IP: 10.0.0.1", "X-Client-IP: 10.0.0.1"],
    "underscores": ["X_Forwarded_For: 10.0.0.1", "X-Forwarded_For: 10.0.0.1"],
    "small letters": ["x-forwarded-for: 10.0.0.1"],
    "a blank before the colon": ["X-Forwarded-For : 10.0.0.1"],
    "hop by hop": ["Connection: X-Forwarded-For, X-Real-Ip"],
    "hop by hop, spoofed": ["X-Forwarded-For: 10.0.0.1", "Connection: close, X-Forwarded-For"],
    "a path of somebody else's": ["X-Original-URL: /api/wallet", "X-Rewrite-URL: /api/wallet"],
    "a prefix": ["X-Forwarded-Prefix: /api", "X-Forwarded-Uri: /api/wallet", "X-HTTP-Method-Override: POST"],
}


@pytest.mark.parametrize("lines", SPOOFED.values(), ids=SPOOFED)
def test_spoofed_headers_change_nothing(live: Desk, lines: list[str]) -> None:
    call = signed_call(HMAC, "GET", CHECK)
    head = [f"GET {call.target} HTTP/1.1", "Host: localhost", f"{API_KEY_HEADER}: {HMAC.api_key}", *lines]
    with closing(live.traefik.connect(source=CALLER)) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        reply = read_reply(connection)
    if reply.status == 400:  # Go reads no header with a blank before its colon
        assert " :" in lines[0]
        return
    assert (reply.status, reply.document["principal"]["name"]) == (200, "bot-hmac")
    (record,) = live.world.records(reply.headers["x-request-id"])
    assert (record["ip"], record["operation"]) == (CALLER, "auth.check")


@pytest.mark.parametrize("lines", SPOOFED.values(), ids=SPOOFED)
def test_from_an_unlisted_peer_they_change_nothing_either(live: Desk, lines: list[str]) -> None:
    call = signed_call(HMAC, "GET", CHECK)
    head = [f"GET {call.target} HTTP/1.1", "Host: x", f"{API_KEY_HEADER}: {HMAC.api_key}", *lines]
    reply = live.from_elsewhere("\r\n".join([*head, "", ""]).encode())
    if reply.status == 400:
        assert " :" in lines[0]
        return
    (record,) = live.world.records(reply.headers["x-request-id"])
    assert (reply.status, record["ip"], record["operation"]) == (200, "127.0.0.9", "auth.check")


def test_a_live_stream_comes_as_it_happens(live: Desk) -> None:
    """Record by record, over one answer that has not ended: nothing on the way waits for the rest."""
    body = json.dumps({"username": BOUND, "password": BOUND_PASSWORD}).encode()
    headers = {"Content-Type": "application/json"}
    log_in = live.traefik.send(SignedCall("POST", "/api/auth/login", "", headers, body), live.own)
    head = [
        "GET /api/audit/live HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {log_in.body['access_token']}",
    ]
    with closing(live.traefik.connect(live.own)) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        assert "200 OK" in _until(connection, "\r\n\r\n")
        for _ in range(2):
            asked = live.traefik.send(signed_call(HMAC, "GET", CHECK))
            assert asked.request_id in _until(connection, asked.request_id)


def _until(connection: ssl.SSLSocket, text: str) -> str:
    received = ""
    while text not in received:
        piece = connection.recv(65536)
        assert piece, "the stream has ended"
        received += piece.decode()
    return received


def test_the_ops_port_is_not_behind_traefik(live: Desk) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/ping", "/dashboard/", "/api/rawdata", "/api/version"):
        reply: Any = live.traefik.send(SignedCall("GET", path))
        assert reply.status == 404, path
        assert reply.body["code"] == "not_found", "by vaultsigner, which knows nothing of it"


def test_answers_say_that_the_next_request_is_to_be_encrypted_too(live: Desk) -> None:
    assert live.traefik.send(signed_call(HMAC, "GET", CHECK)).headers["Strict-Transport-Security"]
