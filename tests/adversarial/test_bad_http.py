"""Requests that are wrong before their body is read, over sockets: refused alike, on the record, and nobody is kept waiting."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.adversarial.desk import NewRecords, private_key_wallet, running_desk, transfer
from tests.adversarial.raw_http import Reply, connect, exchange, read_reply, request
from tests.adversarial.refusals import Refusals
from tests.patience import PATIENCE_SECONDS
from vaultsigner.config.settings import PartnerTask
from vaultsigner.dev.installation import PlannedPartner

GOOD = json.dumps(transfer("desk")).encode()
SIGN, BROADCAST = "/api/transfer/sign", "/api/transfer/broadcast"
MAX_BODY = 65536
READ_SECONDS = 10
TIME, COMPLETION = "/web3/v1/time", "/web3/v1/task/completion"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refusals]:
    key = generate_private_key(65537, 2048).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    partner = PlannedPartner("/web3", pem, {"deposit": PartnerTask("transfer", "recipient")})
    wallet, directory = private_key_wallet("desk"), tmp_path_factory.mktemp("http")
    with running_desk(directory, wallet, partner=partner) as world:
        assert world.post(SIGN, transfer("desk")).status == 200
        yield Refusals(world, NewRecords(world))


@pytest.fixture(autouse=True)
def serves_as_ever(desk: Refusals) -> Iterator[None]:
    """After each test the service answers others."""
    yield
    assert exchange(desk.world.url, desk.post(SIGN, GOOD)).status == 200


def head(desk: Refusals, *lines: bytes, path: str = SIGN) -> bytes:
    """The beginning of a request with a good token, up to and without its last empty line."""
    start = f"POST {path} HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {desk.world.token()}\r\n".encode()
    return start + b"".join(line + b"\r\n" for line in lines)


FRAMINGS = {
    "two lengths": (b"Content-Length: %d\r\nContent-Length: %d" % (len(GOOD), len(GOOD)), GOOD),
    "two lengths that differ": (b"Content-Length: %d\r\nContent-Length: 0" % len(GOOD), GOOD),
    "a list of lengths": (b"Content-Length: %d, %d" % (len(GOOD), len(GOOD)), GOOD),
    "a length and chunks": (
        b"Content-Length: %d\r\nTransfer-Encoding: chunked" % len(GOOD),
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD),
    ),
    "chunks and a length": (b"Transfer-Encoding: chunked\r\nContent-Length: 4", b"0\r\n\r\n"),
    "two codings": (b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
    "chunks twice": (b"Transfer-Encoding: chunked, chunked", b"0\r\n\r\n"),
    "a coding in two headers": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"0\r\n\r\n"),
    "an unknown coding": (b"Transfer-Encoding: xchunked", b"0\r\n\r\n"),
    "identity": (b"Transfer-Encoding: identity", GOOD),
    "a negative length": (b"Content-Length: -1", GOOD),
    "a length with a plus": (b"Content-Length: +%d" % len(GOOD), GOOD),
    "a length in hex": (b"Content-Length: 0x10", GOOD),
    "a length past 64 bits": (b"Content-Length: 18446744073709551616", GOOD),
    "a blank before the colon": (b"Content-Length : %d" % len(GOOD), GOOD),
    "a folded header": (b"X: a\r\n b\r\nContent-Length: %d" % len(GOOD), GOOD),
    "a bare line feed": (b"X: a\nContent-Length: %d" % len(GOOD), GOOD),
    "a bare carriage return": (b"X: a\rContent-Length: %d" % len(GOOD), GOOD),
    "a zero byte in a header": (b"X: a\0b\r\nContent-Length: %d" % len(GOOD), GOOD),
    "a header without a name": (b": a\r\nContent-Length: %d" % len(GOOD), GOOD),
    "a header without a colon": (b"nonsense\r\nContent-Length: %d" % len(GOOD), GOOD),
    "a huge header": (b"X: " + b"a" * 100_000 + b"\r\nContent-Length: %d" % len(GOOD), GOOD),
    "a huge name": (b"X" * 100_000 + b": a\r\nContent-Length: %d" % len(GOOD), GOOD),
    "a thousand headers": (b"X: a\r\n" * 1000 + b"Content-Length: %d" % len(GOOD), GOOD),
    "a chunk that is no number": (b"Transfer-Encoding: chunked", b"zz\r\n"),
    "a negative chunk": (b"Transfer-Encoding: chunked", b"-1\r\n"),
    "a chunk past 64 bits": (b"Transfer-Encoding: chunked", b"10000000000000000\r\n"),
    "a chunk that is longer than told": (b"Transfer-Encoding: chunked", b"1\r\n{}\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("case", FRAMINGS)
def test_a_request_that_two_servers_could_cut_differently(desk: Refusals, case: str) -> None:
    lines, body = FRAMINGS[case]
    for path in (SIGN, BROADCAST):
        assert desk.refused(400, "malformed_request", head(desk, lines, b"", path=path) + body).closes


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0", "3.0", "11"])
def test_another_version_of_http(desk: Refusals, version: str) -> None:
    sent = desk.post(SIGN, GOOD).replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1)
    assert desk.refused(400, "malformed_request", sent).status == 400


def test_chunks_in_http_1_0_which_knows_none(desk: Refusals) -> None:
    sent = head(desk, b"Transfer-Encoding: chunked", b"").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    desk.refused(400, "malformed_request", sent + b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD))


def test_a_fragment_which_a_proxy_may_take_for_a_part_of_the_path(desk: Refusals) -> None:
    desk.refused(400, "malformed_request", desk.post(f"{SIGN}#x", GOOD))


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"nonsense\r\n\r\n",
            b"\r\n" * 100 + b"x\r\n\r\n",
        ),
        *(
            b"GET /\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\nHost: x\n\n",
            b"get / http/1.1\r\nHost: x\r\n\r\n",
        ),
        *(
            b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET \\ HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        *(
            b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
    ],
    ids=range(12),
)
def test_what_is_no_http(desk: Refusals, data: bytes) -> None:
    desk.refused(400, "malformed_request", data)


def test_two_authorization_headers(desk: Refusals) -> None:
    token = f"Authorization: Bearer {desk.world.token()}"
    for first, second in ((token, token), (token, "Authorization: Basic eDp5"), ("authorization: x", token)):
        desk.refused(400, "malformed_request", request("POST", SIGN, GOOD, first, second))


@pytest.mark.parametrize("name", ["X-MBX-APIKEY", "X-Mp-Open-Api-Token"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", SIGN), ("GET", "/api/wallet"), ("PUT", "/api/auth/check")]
)
def test_two_headers_that_say_who_asks(desk: Refusals, name: str, method: str, path: str) -> None:
    for second in (f"{name}: a", f"{name.lower()}: b", f"{name}:"):
        sent = request(method, f"{path}?timestamp=1&signature=ab", GOOD, f"{name}: a", second)
        desk.refused(400, "malformed_request", sent)


def test_a_second_header_in_a_trailer_is_nobodys_credential(desk: Refusals) -> None:
    start = b"POST /api/auth/check HTTP/1.1\r\nHost: desk\r\nTransfer-Encoding: chunked\r\n\r\n"
    trailer = f"Authorization: Bearer {desk.world.token()}\r\n".encode()
    desk.refused(401, "not_authenticated", start + b"2\r\n{}\r\n0\r\n" + trailer + b"\r\n")


@pytest.mark.parametrize("value", [b"\xff", b"\xc3\xa9", b"a\xed\xb3\xbf", b"a" * 7000])
def test_a_credential_in_odd_bytes_is_one_that_nobody_has(desk: Refusals, value: bytes) -> None:
    for name, query in ((b"X-MBX-APIKEY", b"?timestamp=1&signature=ab"), (b"X-Mp-Open-Api-Token", b"")):
        start = b"GET /api/auth/check" + query + b" HTTP/1.1\r\nHost: desk\r\n"
        reply = desk.refused(401, "authentication_failed", start + name + b": " + value + b"\r\n\r\n")
        assert reply.headers["www-authenticate"] == 'Signed-Request realm="vaultsigner"'


def test_a_body_of_a_get_changes_nothing_for_a_token(desk: Refusals) -> None:
    token = f"Authorization: Bearer {desk.world.token()}"
    for path in ("/api/wallet", "/api/wallet/desk"):
        plain = exchange(desk.world.url, request("GET", path, b"", token))
        assert exchange(desk.world.url, request("GET", path, b'{"a": 1}', token)).document == plain.document
        desk.refused(413, "body_too_large", request("GET", path, b" " * (MAX_BODY + 1), token))


def enveloped(desk: Refusals, status: int, partners: str, recorded: str, *pieces: bytes) -> Reply:
    """Send this to the partner family and see it refused: in the envelope, and with a record of the same status."""
    desk.records.look()
    reply = exchange(desk.world.url, *pieces)
    assert (reply.status, reply.document["code"], reply.document["data"]) == (status, partners, None)
    assert reply.document.keys() == {"code", "message", "data"}
    [record] = desk.records.look()
    assert (record["kind"], record["request_id"]) == ("request", reply.headers["x-request-id"])
    assert (record["code"], record["status"]) == (recorded, status)
    return reply


@pytest.mark.parametrize("path", ["/web3/nothing", f"{TIME}/", "/%77eb3/v1/time", "/web3/../api/wallet"])
def test_a_path_that_the_partner_has_not(desk: Refusals, path: str) -> None:
    enveloped(desk, 404, "000006", "not_found", request("GET", path))


@pytest.mark.parametrize(("method", "path"), [("POST", TIME), ("PATCH", COMPLETION), ("OPTIONS", COMPLETION)])
def test_a_method_that_the_partner_has_not(desk: Refusals, method: str, path: str) -> None:
    sent = request(method, path, b"", "X-HTTP-Method-Override: GET")
    assert enveloped(desk, 405, "000006", "method_not_allowed", sent).headers["allow"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_body_that_is_too_large_for_the_partner(desk: Refusals, method: str) -> None:
    sent = request(method, COMPLETION, b" " * (MAX_BODY + 1))
    assert enveloped(desk, 413, "000006", "body_too_large", sent).closes


@pytest.mark.parametrize("second", ["signature: a", "Signature: b", "SIGNATURE:"])
def test_two_signatures_of_the_partner(desk: Refusals, second: str) -> None:
    sent = request("GET", f"{COMPLETION}?timestamp=1", b"", "signature: a", second)
    assert enveloped(desk, 200, "000006", "malformed_request", sent).closes


@pytest.mark.parametrize("signature", [None, b"", b"!", b"\xff", b"AAAA", b"a" * 7000])
def test_a_signature_that_is_not_the_partners(desk: Refusals, signature: bytes | None) -> None:
    now = time.time_ns() // 1_000_000
    line = b"" if signature is None else b"signature: " + signature + b"\r\n"
    target = f"{COMPLETION}?walletAddress=x&timestamp={now}".encode()
    sent = b"GET " + target + b" HTTP/1.1\r\nHost: desk\r\n" + line + b"\r\n"
    enveloped(desk, 200, "000003", "partner_invalid_signature", sent)


def test_the_partners_time_needs_no_signature_and_reads_none(desk: Refusals) -> None:
    before = time.time_ns() // 1_000_000
    reply = exchange(desk.world.url, request("GET", f"{TIME}?timestamp=nonsense", b"", "signature: nonsense"))
    assert (reply.status, reply.document["code"], reply.document["message"]) == (200, "000000", "success")
    assert before <= reply.document["data"] <= time.time_ns() // 1_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x", "identity, gzip"])
def test_a_body_in_another_coding(desk: Refusals, coding: str) -> None:
    desk.refused(415, "unsupported_encoding", desk.post(SIGN, GOOD, f"Content-Encoding: {coding}"))


@pytest.mark.parametrize("path", [SIGN, BROADCAST, "/api/wallet/resync", "/api/auth/login"])
def test_a_body_of_ten_megabytes(desk: Refusals, path: str) -> None:
    """At once: whoever waited for the rest of it would answer 408."""
    size = 10_000_000
    start = head(desk, b"Content-Length: %d" % size, b"", path=path)
    desk.refused(413, "body_too_large", start, b" " * (2 * MAX_BODY))
    chunks = head(desk, b"Transfer-Encoding: chunked", b"", path=path)
    desk.refused(413, "body_too_large", chunks, b"%x\r\n" % size + b" " * (2 * MAX_BODY))
    desk.refused(
        413,
        "body_too_large",
        head(desk, b"Expect: 100-continue", b"Content-Length: %d" % size, b"", path=path),
    )


def test_a_body_of_one_byte_too_many(desk: Refusals) -> None:
    just = GOOD + b" " * (MAX_BODY - len(GOOD))
    assert exchange(desk.world.url, desk.post(SIGN, just)).status == 200
    desk.refused(413, "body_too_large", desk.post(SIGN, just + b" "))


def test_what_follows_a_refused_body_is_no_request(desk: Refusals) -> None:
    """The body of the first request is a request itself: a proxy that counted otherwise would have let it through."""
    hidden = desk.post(BROADCAST, GOOD)
    padding = b" " * (MAX_BODY + 1 - len(hidden))
    for data in (
        head(desk, b"Content-Length: %d" % (MAX_BODY + 1), b"") + hidden + padding,
        head(desk, b"Transfer-Encoding: chunked", b"Content-Length: 4", b"") + b"0\r\n\r\n" + hidden,
        head(desk, b"Transfer-Encoding: chunked", b"") + b"zz\r\n" + hidden,
    ):
        desk.records.look()
        with closing(connect(desk.world.url)) as connection:
            connection.sendall(data)
            assert read_reply(connection).status in (400, 413)
            with pytest.raises((EOFError, ConnectionError)):
                read_reply(connection)
        assert [record["kind"] for record in desk.records.look()] == ["request"]


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/order/%73ign", "/api//transfer/sign", "/api/transfer/sign//", "/api/"]
)
def test_a_path_that_is_none(desk: Refusals, path: str) -> None:
    assert desk.refused(404, "not_found", desk.post(path, GOOD)).document["detail"] == "Not Found"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_method_that_is_none(desk: Refusals, method: str) -> None:
    reply = desk.refused(405, "method_not_allowed", request(method, SIGN, GOOD))
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize("query", ["sync=maybe", "sync=", "sync=1.0"])
def test_a_word_for_sync_that_is_none(desk: Refusals, query: str) -> None:
    reply = desk.refused(422, "invalid_fields", desk.post(f"{BROADCAST}?{query}", GOOD))
    assert reply.document["detail"][0]["loc"] == ["query", "sync"]
    desk.refused(400, "malformed_request", desk.post(f"{BROADCAST}?sync=1&{query}", GOOD))


def test_without_a_token_nothing_is_learnt_about_wallets_or_bodies(desk: Refusals) -> None:
    """One answer for a good body, an unknown wallet, a bad field, no JSON at all."""
    answers = set()
    for body in (
        GOOD,
        json.dumps(transfer("nobody")).encode(),
        b'{"wallet_name": "desk", "msg": 1}',
        b"\xff",
        b"",
    ):
        for header in ("X: y", "Authorization: Basic eDp5", "Authorization: Bearer", "Authorization: "):
            reply = desk.refused(401, "not_authenticated", request("POST", SIGN, body, header))
            assert reply.headers["www-authenticate"] == "Bearer"
            answers.add((reply.document["message"], reply.document["detail"]))
    for path in ("/api/wallet", "/api/wallet/desk", "/api/wallet/nobody"):
        reply = desk.refused(401, "not_authenticated", request("GET", path))
        answers.add((reply.document["message"], reply.document["detail"]))
    assert [detail for _, detail in answers] == ["Not authenticated"]


def forged_tokens(good: str) -> dict[str, str]:
    """Tokens that are none, made from one that is."""
    header, payload, signature = good.split(".")
    claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]
    other = Ed25519PrivateKey.generate()
    root = encoded({**claims, "username": "root"})
    return {
        "nonsense": "nonsense",
        "no signature": f"{header}.{payload}.",
        "another signature": f"{header}.{payload}.{'A' * len(signature)}",
        "another payload": f"{header}.{root}.{signature}",
        "algorithm none": f"{encoded({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{payload}.",
        "the key id as the secret": jwt.encode(claims, kid * 32, "HS256", headers={"kid": kid}),
        "another key": jwt.encode(claims, other, "EdDSA", headers={"kid": kid}),
        "another key that it brings along": jwt.encode(
            claims, other, "EdDSA", headers={"kid": kid, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}}
        ),
        "another key's id": jwt.encode(claims, other, "EdDSA", headers={"kid": "../../etc/passwd"}),
        "longer": good + "A",
        "padded": good + "==",
        "twice": f"{good}, {good}",
        "with a blank in it": good.replace(".", ". ", 1),
        "absurdly long": "a" * 7000,
    }


def encoded(document: object) -> str:
    """A part of a token."""
    return urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def test_a_token_that_is_none(desk: Refusals) -> None:
    for case, token in forged_tokens(desk.world.token()).items():
        sent = request("POST", SIGN, GOOD, f"Authorization: Bearer {token}")
        reply = desk.refused(403, "invalid_token", sent)
        assert reply.document["detail"] == "Could not validate credentials", case


def test_a_log_in_that_is_wrong(desk: Refusals) -> None:
    answers = set()
    for name, password in (
        ("sam", "wrong"),
        ("nobody", "wrong"),
        ("", ""),
        ("sam", ""),
        ("sam", "x" * 10_000),
    ):
        body = json.dumps({"username": name, "password": password}).encode()
        reply = desk.refused(400, "bad_credentials", request("POST", "/api/auth/login", body))
        answers.add((reply.document["message"], reply.document["detail"]))
    assert [detail for _, detail in answers] == ['{"error": "Incorrect email or password"}']


def test_a_body_that_does_not_come_is_not_waited_for(desk: Refusals) -> None:
    """Ten seconds, all told, and not ten seconds a byte; those who wait keep nobody else waiting."""
    with ThreadPoolExecutor(4) as pool:
        started = time.monotonic()
        waiting = [
            pool.submit(drip, desk, head(desk, b"Content-Length: 1000", b"", path=path))
            for path in (SIGN, "/api/auth/login")
        ] + [pool.submit(drip, desk, head(desk, b"Transfer-Encoding: chunked", b""), b"1\r\n \r\n")]
        time.sleep(0.2)
        assert exchange(desk.world.url, desk.post(SIGN, GOOD)).status == 200
        desk.records.look()
        ids = {one.result() for one in waiting}
        assert time.monotonic() - started > READ_SECONDS - 1
    recorded = [record for record in desk.records.look() if record["code"] == "request_timeout"]
    assert {record["request_id"] for record in recorded} == ids
    assert {(record["kind"], record["status"]) for record in recorded} == {("request", 408)}


def drip(desk: Refusals, beginning: bytes, piece: bytes = b" ") -> str:
    """Send a body by the byte until there is an answer; the request's id. At that pace it would take eight minutes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with closing(connect(desk.world.url)) as connection:
        connection.sendall(beginning)
        connection.settimeout(0.5)
        while True:
            assert time.monotonic() < deadline, "the body is waited for"
            connection.sendall(piece)
            try:
                reply = read_reply(connection)
            except TimeoutError:
                continue
            desk.assert_shape(reply, 408, "request_timeout")
            assert reply.closes
            return reply.headers["x-request-id"]
