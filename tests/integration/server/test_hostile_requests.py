"""Requests that no honest client sends: each a clear 4xx in the error shape, with a record, and nothing signed."""

import asyncio
import io
import json
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
import structlog

from tests.integration.server.conftest import Service, split_reply
from vaultsigner.operational_log import configure_log
from vaultsigner.server import bodies
from vaultsigner.server.bodies import MAX_BODY_BYTES

SIGN = b"POST /api/order/sign HTTP/1.1\r\nHost: x\r\n"
TOO_LARGE = MAX_BODY_BYTES + 1


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"FOO!! / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        SIGN + b"X: " + b"a" * 9000 + b"\r\n\r\n",
        SIGN + b"X: a\r\n" * 200 + b"\r\n",
        SIGN + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
        SIGN + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        SIGN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        SIGN + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        SIGN + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        SIGN + b"Transfer-Encoding: identity\r\n\r\n{}",
        SIGN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        SIGN + b"Content-Length: -2\r\n\r\n{}",
        SIGN + b"Content-Length: +2\r\n\r\n{}",
        SIGN + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    ],
)
async def test_what_is_no_http_is_refused_in_the_error_shape(service: Service, data: bytes) -> None:
    status, headers, body = split_reply(await service.raw(data))
    assert (status, body["code"], service.pipeline.calls) == (400, "malformed_request", [])
    assert headers["x-request-id"] == body["request_id"].lower()
    [(call, refusal)] = service.pipeline.refusals
    assert (call.request_id, refusal.code) == (body["request_id"], "malformed_request")


async def test_an_answer_to_garbage_does_not_repeat_it(service: Service) -> None:
    answer = await service.raw(b"GET /p4ssw0rd<script> HTTP/1.1\r\nX: p4ssw0rd\r\n\r\n")
    assert b"p4ssw0rd" not in answer


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        (b"Authorization: Bearer a\r\nAuthorization: Bearer a\r\n", 400, "malformed_request"),
        (b"Content-Encoding: gzip\r\n", 415, "unsupported_encoding"),
        (b"Content-Encoding: identity, gzip\r\n", 415, "unsupported_encoding"),
    ],
)
async def test_ambiguous_headers_are_refused(
    service: Service, headers: bytes, status: int, code: str
) -> None:
    answer = await service.raw(
        SIGN + headers + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}", end=False
    )
    assert split_reply(answer)[0] == status
    assert [(call.operation, refusal.code) for call, refusal in service.pipeline.refusals] == [
        ("order.sign", code)
    ]


async def test_a_coding_below_chunked_is_refused(service: Service) -> None:
    data = SIGN + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    assert split_reply(await service.raw(data))[0] == 400
    assert service.pipeline.calls == []


async def test_an_identity_coding_is_no_coding(service: Service) -> None:
    assert (await service.post("/api/order/sign", headers={"Content-Encoding": "identity"})).status == 200


async def test_chunked_bodies_arrive_whole(service: Service) -> None:
    pieces = (
        SIGN + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\n{\r\n",
        b"1\r\n}\r\n0\r\n\r\n",
    )
    assert split_reply(await service.raw(*pieces, end=False))[0] == 200
    assert [call.body for _, call in service.pipeline.calls] == [b"{}"]


async def test_broken_chunks_are_refused_at_once(service: Service) -> None:
    """Whoever waited for the rest would answer 408."""
    answer = await service.raw(
        SIGN + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n{}\r\n0\r\n\r\n", end=False
    )
    assert split_reply(answer)[2]["code"] == "malformed_request"


@pytest.mark.parametrize("path", [b"/api/order/sign", b"/api/auth/login", b"/api/nothing"])
async def test_a_body_that_dribbles_in_is_not_waited_for_for_ever(
    service: Service, path: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.1)
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20\r\n\r\n{"
    status, _, body = split_reply(await service.raw(head, end=False))
    assert (status, body["code"]) == (
        (404, "not_found") if path == b"/api/nothing" else (408, "request_timeout")
    )
    assert service.pipeline.calls == []
    assert len(service.pipeline.refusals) == 1


@pytest.mark.parametrize("size", [MAX_BODY_BYTES, TOO_LARGE, 10_000_000])
@pytest.mark.parametrize("path", ["/api/order/sign", "/api/auth/login", "/api/wallet/resync"])
async def test_bodies_over_the_limit_are_refused(service: Service, path: str, size: int) -> None:
    reply = await service.request("POST", path, data=io.BytesIO(b" " * size))
    assert reply.status == (200 if size <= MAX_BODY_BYTES else 413)
    assert len(service.pipeline.calls) == (size <= MAX_BODY_BYTES)
    assert [refusal.code for _, refusal in service.pipeline.refusals] == ["body_too_large"] * (
        size > MAX_BODY_BYTES
    )


@pytest.mark.parametrize("path", [b"/api/order/sign", b"/api/auth/login"])
async def test_chunks_over_the_limit_are_refused_and_the_connection_closed(
    service: Service, path: bytes
) -> None:
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    status, headers, body = split_reply(await service.raw(head, *[chunk] * 6, end=False))
    assert (status, headers["connection"], body["code"]) == (413, "close", "body_too_large")


async def test_a_large_body_is_not_invited(service: Service) -> None:
    data = SIGN + b"Expect: 100-continue\r\nContent-Length: 10000000\r\n\r\n"
    assert split_reply(await service.raw(data))[0] == 413


async def test_a_small_body_is_invited(service: Service) -> None:
    head = SIGN + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
    answer = await service.raw(head, b"{}", end=False)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/api/nothing", 404, None),
        ("POST", "/api/auth/login/", 404, None),
        ("GET", "/api/wallet/", 404, None),
        ("GET", "/api/wallet/a/b", 404, None),
        ("POST", "/api/order/%73ign", 404, None),
        ("GET", "/api/w%61llet/wallet_1", 404, None),
        ("GET", "/api/wallet/%64esk", 404, None),
        ("GET", "/api/wallet/desk%2Done", 404, None),
        ("GET", "/api/wallet/desk%c3%a9", 404, None),
        ("GET", "/api/wallet/desk%", 404, None),
        ("GET", "/api/wallet/%ff", 404, None),
        ("GET", "/api/wallet/a%2Fb/", 404, None),
        ("GET", "//api/wallet", 404, None),
        ("GET", "/api/order/sign", 405, "POST"),
        ("HEAD", "/api/wallet", 405, "GET"),
        ("OPTIONS", "/api/wallet", 405, "GET"),
        ("PUT", "/api/wallet/resync", 405, "GET,POST"),
    ],
)
async def test_unknown_paths_and_wrong_methods(
    service: Service, method: str, path: str, status: int, allow: str | None
) -> None:
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await service.raw(head.encode(), end=False)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    if allow is not None:
        assert f"\r\nAllow: {allow}\r\n".encode() in answer
    assert service.pipeline.calls == []
    assert len(service.pipeline.refusals) == path.startswith("/api/")
    assert {call.method for call, _ in service.pipeline.refusals} <= {method}


@pytest.mark.parametrize(
    ("line", "recorded"),
    [
        ("POST /api/audit/records HTTP/1.1", "POST"),
        ("OPTIONS /api/wallet HTTP/1.1", "OPTIONS"),
        ("5eedf00d /api/wallet HTTP/1.1", "other"),
        ("get /api/nothing HTTP/1.1", "other"),
        ("no request at all", "other"),
    ],
)
async def test_a_refusal_of_http_itself_has_the_method_that_was_asked(
    service: Service, line: str, recorded: str
) -> None:
    """One that HTTP does not define is free text, and not put on record."""
    await service.raw(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), end=False)
    assert [call.method for call, _ in service.pipeline.refusals] == [recorded]


@pytest.mark.parametrize("name", ["desk", "A.b_c-1", "100%25", "desk%C3%A9", "a%2Fb"])
async def test_the_one_spelling_of_a_wallet_is_served(service: Service, name: str) -> None:
    head = f"GET /api/wallet/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert split_reply(await service.raw(head.encode(), end=False))[0] == 200
    assert service.pipeline.names == [unquote(name)]


async def test_a_wallet_in_bytes_that_are_no_text_is_not_found(service: Service) -> None:
    head = b"GET /api/wallet/\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert split_reply(await service.raw(head, end=False))[0] in (400, 404)
    assert service.pipeline.calls == []


async def test_strangers_outside_the_api_leave_no_record(service: Service) -> None:
    reply = await service.request("GET", "/favicon.ico")
    assert (reply.status, reply.json()["detail"], service.pipeline.refusals) == (404, "Not Found", [])


async def test_a_refusal_that_cannot_be_recorded_is_answered_as_that(service: Service) -> None:
    service.pipeline.recording_fails = True
    for method, path in (("GET", "/api/nothing"), ("PUT", "/api/wallet")):
        reply = await service.request(method, path)
        assert (reply.status, reply.json()["code"]) == (503, "audit_unavailable")
    status, _, body = split_reply(await service.raw(b"garbage\r\n\r\n"))
    assert (status, body["code"]) == (503, "audit_unavailable")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The operational log, as the real process sets it up."""
    stream = io.StringIO()
    configure_log("json", stream=stream)
    yield stream
    structlog.reset_defaults()


async def test_a_defect_is_a_500_without_any_detail(service: Service, log: io.StringIO) -> None:
    service.pipeline.failure = ValueError("p4ssw0rd")
    reply = await service.post("/api/order/sign", data=b'{"secret": "p4ssw0rd"}', json=None)
    assert reply.status == 500
    assert reply.json()["message"] == reply.json()["detail"] == "Internal Server Error"
    [(call, refusal)] = service.pipeline.refusals
    assert (call.operation, refusal.code) == ("order.sign", "internal_error")
    assert json.loads(log.getvalue())["error"] == "ValueError"
    assert "p4ssw0rd" not in log.getvalue() + reply.body.decode() + str(refusal)


async def test_pipelined_requests_are_answered_in_order(service: Service) -> None:
    one = SIGN + b"Content-Length: 2\r\n\r\n{}"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await service.raw(one * 100 + last, end=False)
    assert answer.count(b"HTTP/1.1 200 OK") == 101
    assert answer.endswith(b"\r\n\r\n{}")


async def test_two_connections_never_see_each_others_bytes(service: Service) -> None:
    """All connections are read through one buffer: half a request here must not end as half a request there."""

    async def slow(mark: bytes) -> None:
        body = b'{"mark": "' + mark * 200 + b'"}'
        data = SIGN + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        await service.raw(*[data[at : at + 37] for at in range(0, len(data), 37)], end=False)

    await asyncio.gather(*(slow(mark) for mark in (b"a", b"b", b"c", b"d")))
    assert sorted(call.body[10:11] * 200 for _, call in service.pipeline.calls) == [
        mark * 200 for mark in (b"a", b"b", b"c", b"d")
    ]
    assert {len(set(call.body[10:-2])) for _, call in service.pipeline.calls} == {1}
