"""HTTP/2 in front, HTTP/1.1 behind: what it lets through that the other could read anew."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.clients.exchange_clients import NPM
from tests.integration.signed.callers import HMAC
from tests.integration.traefik.conftest import Desk
from tests.signing_client import Place, SignedCall, signed_call

CHECK = "/api/auth/check"
WINDOW_MS = 60_000
"""Signed before Node starts, which takes a busy machine its time."""
CLIENT = Path(__file__).parent / "http2_client.cjs"


def ask(desk: Desk, call: SignedCall, *, pieces: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """The call by Node's own HTTP/2 client; `more` are headers, with underscores for hyphens."""
    headers = {
        ":method": call.method,
        ":path": call.target,
        **{name.lower(): value for name, value in call.headers.items()},
    }
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    document = {
        "url": f"https://localhost:{desk.traefik.port}",
        "ca": str(desk.traefik.authority.file),
        "headers": headers,
        "pieces": [call.body.decode()] if pieces is None and call.body else pieces or [],
    }
    done = subprocess.run(
        [str(NPM / "node"), str(CLIENT)],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_signed_requests_verify(live: Desk, method: str) -> None:
    place: Place = "form" if method == "POST" else "query"
    answer = ask(live, signed_call(HMAC, method, CHECK, {"a": "x y"}, place=place, recv_window_ms=WINDOW_MS))
    assert answer["status"] == 200, answer
    assert json.loads(answer["body"])["principal"]["name"] == "bot-hmac"


def test_a_body_without_a_length_arrives_whole(live: Desk) -> None:
    call = signed_call(HMAC, "POST", CHECK, document={"a": "b" * 1000}, recv_window_ms=WINDOW_MS)
    text = call.body.decode()
    answer = ask(live, call, pieces=[text[:10], text[10:500], text[500:]])
    assert answer["status"] == 200, answer


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_for": "10.0.0.1"},
        {"x_forwarded_for": ["10.0.0.1", "10.0.0.2"]},
        {"x_real_ip": "10.0.0.1", "forwarded": "for=10.0.0.1"},
        {"host": "elsewhere"},
        {"te": "trailers"},
        {":scheme": "http"},
        {":authority": "elsewhere"},
    ],
    ids=str,
)
def test_spoofed_headers_change_nothing(live: Desk, headers: dict[str, Any]) -> None:
    answer = ask(live, signed_call(HMAC, "GET", CHECK, recv_window_ms=WINDOW_MS), **headers)
    if answer["status"] in (400, None):
        return  # turned away, which is one reading as well
    assert answer["status"] == 200, answer
    (record,) = live.world.records(answer["headers"]["x-request-id"])
    assert (record["ip"], record["operation"]) == ("127.0.0.1", "auth.check")


@pytest.mark.parametrize("length", ["0", "1", "5000"])
def test_a_length_that_is_not_the_bodys_is_refused(live: Desk, length: str) -> None:
    """Behind it comes the body: with a wrong length its end would be the beginning of a request that nobody sent."""
    before = len(live.world.records())
    body = "x" * 100
    answer = ask(live, SignedCall("POST", CHECK), pieces=[body], content_length=length)
    assert answer["status"] in (400, 499, 500, 502, None), answer
    assert "x-request-id" not in answer["headers"], "it is Traefik that refuses it"
    recorded = [record for record in live.world.records()[before:] if record["kind"] == "request"]
    assert len(recorded) <= 1


def test_a_path_with_another_request_in_it_is_no_request(live: Desk) -> None:
    for path in ("/api/wallet HTTP/1.1\r\nX: y", "/api/wallet HTTP/1.1", "api/wallet", "*"):
        answer = ask(live, SignedCall("GET", path))
        assert answer["status"] in (400, 404, None), (path, answer)
