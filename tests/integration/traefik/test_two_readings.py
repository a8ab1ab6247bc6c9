"""Requests that two programs could read differently, through the real Traefik: what it routed is what vaultsigner read."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest

from tests.adversarial.desk import NewRecords
from tests.integration.signed.callers import HMAC
from tests.integration.traefik.conftest import Desk
from tests.patience import wait_until
from tests.signing_client import API_KEY_HEADER, SignedCall, sign_text, signed_call
from vaultsigner.dev.records import Record

CHECK = "/api/auth/check"
BODY = b'{"a":1}'
LARGEST = 65536
SILENCE_SECONDS = 1.0
"""Where a request never ends nobody answers; whoever is slower than this is waited for all the same, by the request behind it."""


@dataclass
class Watched:
    """What Traefik and vaultsigner made of the last bytes."""

    desk: Desk
    records: NewRecords
    seen: int

    def send(self, data: bytes) -> tuple[list[dict[str, Any]], list[Record]]:
        """Traefik's own account of what it routed, and vaultsigner's records, once both are complete."""
        self.desk.traefik.raw(data, silence_seconds=SILENCE_SECONDS)
        # Requests of our own behind it: when both have those, nothing of the bytes is still on its way.
        ours = [self._asked() for _ in range(2)]
        entries = self.routed()
        self.seen += len(entries)
        routed = [entry for entry in entries if entry.get("downstream_X-Request-Id") not in ours]
        records = [record for record in self.records.look() if record.get("request_id") not in ours]
        return routed, [record for record in records if record["kind"] in ("request", "outcome")]

    def _asked(self) -> str:
        """The id of a request that has been answered, and that Traefik has logged. Others may be logged after it."""
        asked = self.desk.traefik.send(
            signed_call(HMAC, "GET", "/api/wallet", recv_window_ms=60_000)
        ).request_id
        wait_until(
            lambda: any(entry.get("downstream_X-Request-Id") == asked for entry in self.routed()),
            "the access log is written",
        )
        return asked

    def routed(self) -> list[dict[str, Any]]:
        return self.desk.traefik.routed()[self.seen :]


@pytest.fixture
def watched(live: Desk) -> Watched:
    records = NewRecords(live.world)
    return Watched(live, records, len(live.traefik.routed()))


def answered(routed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that vaultsigner itself answered: each of its answers has an id, and none of Traefik's own has."""
    return [entry for entry in routed if "downstream_X-Request-Id" in entry]


def smuggled() -> bytes:
    """A good request, which nobody may see where Traefik has not."""
    call = signed_call(HMAC, "GET", CHECK)
    head = [f"GET {call.target} HTTP/1.1", "Host: localhost", f"{API_KEY_HEADER}: {HMAC.api_key}"]
    return "\r\n".join([*head, "Connection: close", "", ""]).encode()


def start(*lines: bytes, method: bytes = b"POST", path: bytes = b"/api/wallet/resync") -> bytes:
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", b"Host: localhost", *lines, b"", b""])


def framings() -> dict[str, bytes]:
    """Bodies that end in more than one place, each with a request of ours behind the first of them."""
    inner = smuggled()
    whole = len(BODY) + len(inner)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    length, chunks = b"Content-Length: %d", b"Transfer-Encoding: chunked"
    return {
        "CL.TE": start(length % (len(chunked) + len(inner)), chunks) + chunked + inner,
        "TE.CL": start(chunks, b"Content-Length: 4") + chunked + inner,
        "CL.CL": start(length % len(BODY), length % whole) + BODY + inner,
        "a list of lengths": start(b"Content-Length: %d, %d" % (len(BODY), whole)) + BODY + inner,
        "a length with a plus": start(b"Content-Length: +%d" % len(BODY)) + BODY + inner,
        "a length in hexadecimal": start(b"Content-Length: 0x%x" % len(BODY)) + BODY + inner,
        "a negative length": start(b"Content-Length: -1") + BODY + inner,
        "an empty length": start(b"Content-Length: ") + inner,
        "a blank before the colon": start(b"Content-Length : %d" % whole) + BODY + inner,
        "chunked with a vertical tab": start(b"Transfer-Encoding: \x0bchunked") + chunked + inner,
        "chunked and identity": start(b"Transfer-Encoding: chunked, identity") + chunked + inner,
        "chunked twice": start(chunks, chunks) + chunked + inner,
        "xchunked": start(b"Transfer-Encoding: xchunked", length % len(BODY)) + BODY + inner,
        "another name for it": start(b"Transfer_Encoding: chunked", length % len(BODY)) + BODY + inner,
        "a folded header": start(b"Transfer-Encoding:\r\n chunked", length % len(BODY)) + BODY + inner,
        "a bare LF behind a header": start(b"X: y\nContent-Length: %d" % whole) + BODY + inner,
        "bare LFs": start(length % len(BODY)).replace(b"\r\n", b"\n") + BODY + inner,
        "a bare CR in a header": start(b"X: y\rContent-Length: %d" % whole, length % len(BODY)) + BODY + inner,
        "a chunk with a bare LF": start(chunks) + b"%x\n%s\r\n0\r\n\r\n" % (len(BODY), BODY) + inner,
        "a chunk's extension with a bare LF": start(chunks) + b"7;x\n" + BODY + b"\r\n0\r\n\r\n" + inner,
        "a chunk that is longer than it says": start(chunks) + b"3\r\n" + BODY + b"\r\n0\r\n\r\n" + inner,
        "a chunk size past 64 bits": start(chunks) + b"1" + b"0" * 16 + b"7\r\n" + BODY + inner,
        "trailer fields": start(chunks, b"Trailer: X-MBX-APIKEY")
        + chunked[:-2]
        + f"{API_KEY_HEADER}: {HMAC.api_key}\r\n\r\n".encode()
        + inner,
        "a body with GET": start(length % len(BODY), method=b"GET") + BODY + inner,
        "a NUL in a header": start(b"X: a\0b", length % len(BODY)) + BODY + inner,
        "an upgrade": start(b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
        + inner,
        "a websocket": start(b"Upgrade: websocket", b"Connection: Upgrade", method=b"GET") + inner,
        "HTTP/0.9": b"GET /api/wallet\r\n\r\n" + inner,
        "HTTP/1.0 with chunks": start(chunks).replace(b"HTTP/1.1", b"HTTP/1.0") + chunked + inner,
        "an absolute target": start(length % 0, path=b"http://other/api/wallet/resync") + inner,
        "two hosts": start(b"Host: other", length % 0) + inner,
        "a blank in the target": start(length % 0, path=b"/api/wallet/resync HTTP/1.1\r\nX: y") + inner,
        "expect": start(b"Expect: 100-continue", length % len(BODY)) + BODY + inner,
    }  # fmt: skip


@pytest.mark.parametrize("name", framings())
def test_vaultsigner_sees_the_requests_that_traefik_routed_and_no_others(watched: Watched, name: str) -> None:
    routed, records = watched.send(framings()[name])
    handed_on = answered(routed)
    assert len(records) == len(handed_on), (routed, records)
    assert sorted(record["status"] for record in records) == sorted(
        each["DownstreamStatus"] for each in handed_on
    )
    ids = {each["downstream_X-Request-Id"] for each in handed_on}
    assert {record["request_id"] for record in records} == ids


def test_the_counting_would_notice(watched: Watched) -> None:
    """Two good requests on one connection are two, to both."""
    first = smuggled().replace(b"Connection: close\r\n", b"")
    routed, records = watched.send(first + smuggled().replace(b"GET /", b"DELETE /", 1))
    assert len(routed) == len(records) == 2


LOG_IN = b"/api/auth/login"
PATHS = [
    LOG_IN,
    b"/api/auth/login/",
    b"/api//auth/login",
    b"//api/auth/login",
    b"/api/./auth/login",
    b"/api/auth/../auth/login",
    b"/../api/auth/login",
    b"/api/auth/x/../login",
    b"/api/auth/%2e%2e/auth/login",
    b"/api/auth/x/%2E%2E/login",
    b"/api/auth/%2e/login",
    b"/api/auth%2flogin",
    b"/api/auth%2Flogin",
    b"/api/auth%5clogin",
    b"/api\\auth\\login",
    b"/api/auth/..\\auth/login",
    b"/api/auth/l%6fgin",
    b"/%61pi/auth/login",
    b"/api/auth/%256cogin",
    b"/api/auth/login;x=y",
    b"/api/auth;x=y/login",
    b"/api/auth/login%3bx",
    b"/api/auth/login%3f",
    b"/api/auth/login%23",
    b"/api/auth/login%00",
    b"/api/auth/login%20",
    b"/api/auth/login.",
    b"/API/AUTH/LOGIN",
    b"/api/auth/login\xc0\xaf",
    b"/api/auth/login?x=1;y=2",
    b"/api/auth/login?x?y",
    b"/api/auth/login#x",
    b"/docs/../api/auth/login",
    b"/docs/%2e%2e/api/auth/login",
    b"/exchange/x/../../api/auth/login",
    b"/exchange/x/..%2f..%2fapi/auth/login",
    b"https://localhost/api/auth/login",
    b"api/auth/login",
    b"*",
]


@pytest.mark.parametrize("path", PATHS, ids=[repr(path)[2:-1] for path in PATHS])
def test_a_log_in_is_a_log_in_to_both_or_to_none(watched: Watched, path: bytes) -> None:
    """Else the limits on log-ins would hold for one spelling alone."""
    body = json.dumps({"username": "sam", "password": "wrong"}).encode()
    data = start(b"Content-Length: %d" % len(body), b"Connection: close", path=path) + body
    routed, records = watched.send(data)
    handed_on = answered(routed)
    assert len(handed_on) <= 1
    if any(record["operation"] == "auth.login" for record in records):
        assert handed_on[0]["RouterName"].endswith("log-in@file")
    if path == LOG_IN:
        assert [record["code"] for record in records] == ["bad_credentials"]


TARGETS = {
    b"/api/order/../transfer/sign": "transfer.sign",
    b"/api/order/%2e%2e/transfer/sign": "transfer.sign",
    b"/api/order//sign": "order.sign",
    b"/api/./order/sign": "order.sign",
    b"/api/order/sign/": "order.sign",
    b"/api/order/sign/.": "order.sign",
    b"/api/order/sign/x/..": "order.sign",
    b"/api/order/sign%2f": None,
    b"/api/order%2fsign": None,
    b"/api/order/sign%2e": None,
    b"/api/order/%73ign": "order.sign",  # Traefik itself writes what needs no encoding as it is
    b"/api/order/sign;x": None,
    b"/api/order/sign%3bx": None,
    b"/api/order/sign\\..\\..\\transfer\\sign": None,
    b"/api/order/sign%5c..%5ctransfer": None,
    b"/api/order/SIGN": None,
    b"/api/transfer/sign/..%2f..%2forder/sign": None,
}


@pytest.mark.parametrize(("path", "meant"), TARGETS.items(), ids=[repr(path)[2:-1] for path in TARGETS])
def test_what_a_path_means_is_what_it_says_without_its_dots(
    watched: Watched, path: bytes, meant: str | None
) -> None:
    """RFC 3986, section 5.2.4, and section 6.2.2.2; what would have to be decoded further means nothing to vaultsigner."""
    token = watched.desk.world.token()
    watched.records.look()
    data = start(
        f"Authorization: Bearer {token}".encode(), b"Content-Length: 0", b"Connection: close", path=path
    )
    routed, records = watched.send(data)
    operations = {record["operation"] for record in records} - {"http.request"}
    assert operations <= ({meant} if meant else set()), (routed, records)
    handed_on = answered(routed)
    if operations:
        assert [unquote(entry["RequestPath"]).rstrip("/") for entry in handed_on] == [
            "/api/" + str(meant).replace(".", "/")
        ]


@pytest.mark.parametrize("text", ["a=1;b=2", "symbol=A;timestamp=1", ";", "a=1;operation=auth.check"])
def test_a_semicolon_parts_no_parameters(live: Desk, text: str) -> None:
    """It arrives as %3B, so the signature over the raw one is refused; written as %3B it is good. Never two parameters."""
    raw = sign_text(HMAC, SignedCall("GET", CHECK, f"{text}&timestamp={_now()}"))
    assert live.traefik.send(raw).status in (400, 401)
    encoded = sign_text(HMAC, SignedCall("GET", CHECK, f"{text.replace(';', '%3B')}&timestamp={_now()}"))
    assert live.traefik.send(encoded).status == 200


def test_a_semicolon_becomes_no_ampersand(live: Desk) -> None:
    """Whoever signed two parameters has not signed one with a semicolon in it, and Traefik does not make that of it."""
    signed = sign_text(HMAC, SignedCall("GET", CHECK, f"a=1&b=2&timestamp={_now()}"))
    sent = SignedCall("GET", CHECK, signed.query.replace("a=1&b", "a=1;b"), signed.headers)
    assert live.traefik.send(sent).status == 401
    assert live.traefik.send(signed).status == 200


def _now() -> str:
    return signed_call(HMAC, "GET", CHECK).query.partition("timestamp=")[2].partition("&")[0]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("method", "by"), [(b"POST", "traefik"), (b"DELETE", "traefik"), (b"GET", "vaultsigner")]
)
def test_a_body_that_is_too_long_is_refused(
    watched: Watched, method: bytes, by: str, *, chunked: bool
) -> None:
    body = b"x" * (LARGEST + 1)
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    data = start(length, b"Connection: close", method=method, path=CHECK.encode()) + sent
    routed, records = watched.send(data)
    assert [entry["DownstreamStatus"] for entry in routed] == [413]
    assert len(records) == (1 if by == "vaultsigner" else 0)


def test_a_body_as_long_as_may_be_arrives(watched: Watched) -> None:
    body = b"x" * LARGEST
    data = start(b"Content-Length: %d" % len(body), b"Connection: close", path=CHECK.encode()) + body
    _, records = watched.send(data)
    assert [record["code"] for record in records] == ["not_authenticated"]
