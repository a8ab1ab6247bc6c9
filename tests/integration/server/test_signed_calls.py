"""What a signature may cover reaches the pipeline byte for byte, and of what shows who asks there is one of each at most."""

from collections.abc import Callable

import pytest

from tests.integration.server.conftest import PARTNER, Reply, Service, split_reply
from vaultsigner.server.bodies import MAX_BODY_BYTES
from vaultsigner.signing.calls import NO_CREDENTIALS, Call, Credentials

CHECK = b"/api/auth/check"
QUERIES = [
    b"",
    b"timestamp=1499827319559&signature=ab",
    b"a=%2f%2F&b=%c3%a9",
    b"a=1+1&b=1%201&c=1%2B1",
    b"%73ignature=ab",
    b"ids=[1,2]&name='x'&q=\"y\"&z=<{|}>\\^`",
    b"?",
    b"a=1?b=2?",
    b"a=1&&b=2&",
    b"&",
    b"=",
    b"a=1&a=2&A=3",
    b"a;b=1;c",
    b"a=%",
    b"a=%zz&b=%0d%0a%00",
    b"/../../api/wallet",
    b"http://elsewhere/?x",
]
EVERY_METHOD = ("GET", "POST", "PUT", "DELETE")
ROUTES = [
    *((method.encode(), CHECK) for method in EVERY_METHOD),
    (b"GET", b"/api/wallet"),
    (b"GET", b"/api/wallet/wallet_1"),
    (b"POST", b"/api/wallet/resync"),
    (b"POST", b"/api/order/sign"),
    (b"POST", b"/api/order/broadcast"),
]


def head(method: bytes, target: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    """A request that is the connection's last one, up to its body."""
    lines = (b"%b %b HTTP/%b" % (method, target, version), b"Host: x", b"Connection: close", *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def called(service: Service, *pieces: bytes) -> Call:
    """The one call that the pipeline gets for a request."""
    status, _, body = split_reply(await service.raw(*pieces, end=False))
    assert status == 200, body
    [(_, call)] = service.pipeline.calls
    return call


async def refused(service: Service, *pieces: bytes) -> tuple[int, str]:
    """Status and code of a refusal of the HTTP layer, which is on the record."""
    status, _, body = split_reply(await service.raw(*pieces, end=False))
    assert service.pipeline.calls == []
    assert [refusal.code for _, refusal in service.pipeline.refusals] == [body["code"]]
    return status, body["code"]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("form", [b"%b?%b", b"http://x%b?%b", b"HTTP://other:81%b?%b"])
async def test_the_query_arrives_as_it_was_sent(service: Service, form: bytes, query: bytes) -> None:
    call = await called(service, head(b"GET", form % (CHECK, query)))
    assert (call.query, call.path, call.method) == (query, "/api/auth/check", "GET")


@pytest.mark.parametrize("target", [CHECK, b"http://x" + CHECK])
async def test_without_a_question_mark_there_is_no_query(service: Service, target: bytes) -> None:
    assert (await called(service, head(b"GET", target))).query == b""


@pytest.mark.parametrize("query", [b"a=\xc3\xa9", b"\xff", b"a=\x7f", b"a=\x01", b"a b"])
async def test_bytes_that_no_query_may_hold_are_refused(service: Service, query: bytes) -> None:
    assert await refused(service, head(b"GET", CHECK + b"?" + query)) == (400, "malformed_request")


@pytest.mark.parametrize("target", [b"?a=1#b", b"?a=1#", b"#", b"#?a=1"])
async def test_a_fragment_is_refused_since_a_proxy_may_cut_it_off(service: Service, target: bytes) -> None:
    status, _, body = split_reply(await service.raw(head(b"GET", CHECK + target), end=False))
    assert (status, body["code"]) in ((400, "malformed_request"), (404, "not_found"))
    assert service.pipeline.calls == []


@pytest.mark.parametrize("path", [b"/api/wallet/desk%C3%A9", b"/api/wallet/a%2Fb", b"/api/wallet/100%25"])
async def test_the_path_arrives_as_it_was_sent(service: Service, path: bytes) -> None:
    call = await called(service, head(b"GET", path + b"?a=%20"))
    assert (call.path, call.query) == (path.decode(), b"a=%20")


@pytest.mark.parametrize("path", [b"/api/order/sign", b"/api/order/sign/", b"/api/order/cancel/sign"])
async def test_the_path_is_the_one_that_was_asked_for(service: Service, path: bytes) -> None:
    assert (await called(service, head(b"POST", path))).path == path.decode()


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("chunked", [False, True])
async def test_the_body_arrives_whatever_the_method_is(
    service: Service, method: bytes, path: bytes, chunked: bool
) -> None:
    body = b"a=1&signature=\x00\xff"
    framing, sent = (b"Content-Length: %d" % len(body), body)
    if chunked:
        framing = b"Transfer-Encoding: chunked"
        sent = b"1\r\na\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body) - 1, body[1:])
    call = await called(service, head(method, path, framing), sent)
    assert (call.body, call.method) == (body, method.decode())


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_body_there_is_none(service: Service, method: bytes, path: bytes) -> None:
    assert (await called(service, head(method, path))).body == b""


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("size", [MAX_BODY_BYTES, MAX_BODY_BYTES + 1])
async def test_bodies_are_read_up_to_the_limit(
    service: Service, method: bytes, path: bytes, size: int
) -> None:
    data = head(method, path, b"Content-Length: %d" % size)
    if size > MAX_BODY_BYTES:
        assert await refused(service, data, b"x" * size) == (413, "body_too_large")
    else:
        assert len((await called(service, data, b"x" * size)).body) == size


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_chunks_over_the_limit_are_refused(service: Service, method: bytes, path: bytes) -> None:
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    data = head(method, path, b"Transfer-Encoding: chunked")
    assert await refused(service, data, *[chunk] * 5) == (413, "body_too_large")


async def test_a_broken_body_of_a_get_is_refused(service: Service) -> None:
    data = head(b"GET", CHECK, b"Transfer-Encoding: chunked")
    assert await refused(service, data, b"zz\r\n") == (400, "malformed_request")


async def test_http_1_0_is_signed_like_any_other(service: Service) -> None:
    data = head(b"POST", CHECK + b"?a=%2f", b"X-MBX-APIKEY: k", b"Content-Length: 2", version=b"1.0")
    call = await called(service, data, b"{}")
    assert (call.query, call.body, call.credentials) == (b"a=%2f", b"{}", Credentials(api_key="k"))


HEADERS = [
    (b"Authorization", Credentials(authorization="Bearer x")),
    (b"X-MBX-APIKEY", Credentials(api_key="Bearer x")),
    (b"X-Mp-Open-Api-Token", Credentials(open_api_token="Bearer x")),
]
NAMES = [name for name, _ in HEADERS]


@pytest.mark.parametrize(("name", "credentials"), HEADERS)
@pytest.mark.parametrize("case", [bytes, bytes.lower, bytes.upper, bytes.swapcase])
async def test_credentials_arrive_in_any_letter_case_of_their_names(
    service: Service, name: bytes, credentials: Credentials, case: Callable[[bytes], bytes]
) -> None:
    call = await called(service, head(b"GET", CHECK, case(name) + b": Bearer x"))
    assert call.credentials == credentials


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_credentials_arrive_at_every_route(service: Service, method: bytes, path: bytes) -> None:
    call = await called(service, head(method, path, b"X-MBX-APIKEY: k"))
    assert call.credentials == Credentials(api_key="k")


async def test_all_ways_at_once_are_the_pipelines_to_judge(service: Service) -> None:
    lines = [b"%b: %d" % (name, at) for at, name in enumerate(NAMES)]
    call = await called(service, head(b"GET", CHECK, *lines))
    assert call.credentials == Credentials("0", "1", "2")


@pytest.mark.parametrize("name", NAMES)
async def test_an_empty_header_is_there_nevertheless(service: Service, name: bytes) -> None:
    call = await called(service, head(b"GET", CHECK, name + b":"))
    assert call.credentials != NO_CREDENTIALS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("second", [b"x", b"y", b""])
async def test_a_header_that_is_there_twice_is_refused(service: Service, name: bytes, second: bytes) -> None:
    lines = (name + b": x", name.lower() + b": " + second)
    assert await refused(service, head(b"GET", CHECK, *lines)) == (400, "malformed_request")


@pytest.mark.parametrize("value", [b"\xff", b"\xc3\xa9", b"a\x80b", b"\xed\xb3\xbf"])
@pytest.mark.parametrize("name", NAMES)
async def test_a_header_in_odd_bytes_is_text_that_can_be_written(
    service: Service, name: bytes, value: bytes
) -> None:
    credentials = (await called(service, head(b"GET", CHECK, name + b": " + value))).credentials
    [text] = [
        each for each in (credentials.authorization, credentials.api_key, credentials.open_api_token) if each
    ]
    assert text.encode()
    assert not text.isascii()


async def test_the_header_signature_means_nothing_outside_the_partner_family(
    partner_service: Service,
) -> None:
    call = await called(partner_service, head(b"GET", CHECK, b"signature: x", b"signature: y"))
    assert call.credentials == NO_CREDENTIALS


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_a_tunnelled_method_is_not_believed(service: Service, header: str) -> None:
    assert (
        await service.request("POST", "/api/auth/check?_method=DELETE", headers={header: "DELETE"})
    ).status == 200
    [(_, call)] = service.pipeline.calls
    assert call.method == "POST"
    reply: Reply = await service.request("GET", "/api/order/sign", headers={header: "POST"})
    assert reply.status == 405


@pytest.mark.parametrize("header", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri"])
async def test_a_rewritten_path_is_not_believed(service: Service, header: str) -> None:
    await service.request("GET", "/api/wallet?a=1", headers={header: "/api/auth/check?b=2"})
    [(method, call)] = service.pipeline.calls
    assert (method, call.path, call.query) == ("wallets", "/api/wallet", b"a=1")


async def test_the_log_in_has_no_use_for_an_api_key(service: Service) -> None:
    reply = await service.post("/api/auth/login", headers={"X-MBX-APIKEY": "k"}, data=b"{}", json=None)
    assert (reply.status, service.pipeline.logged_in) == (200, [b"{}"])
    [(_, call)] = service.pipeline.calls
    assert call.body == b""


async def test_the_partners_prefix_is_nothing_where_no_partner_is(service: Service) -> None:
    reply = await service.request("GET", f"{PARTNER.url_prefix}/v1/time")
    assert (reply.status, reply.json()["code"]) == (404, "not_found")
