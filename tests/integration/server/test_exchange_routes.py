"""Requests to exchanges over HTTP: which path means what, what of it reaches the pipeline, and how refusals look."""

from dataclasses import replace

import pytest

from tests.integration.server.conftest import Service, split_reply
from tests.integration.server.recording_pipeline import SIGNED
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.bodies import MAX_BODY_BYTES
from vaultsigner.signing.calls import Answer, Credentials

ORDER = "/exchange/main/api/v3/order"
OURS = {"code", "message", "detail", "request_id"}
METHODS = ("GET", "POST", "PUT", "DELETE")


def head(method: str, target: str, *lines: str) -> bytes:
    """A request that is the connection's last one, up to its body."""
    first = (f"{method} {target} HTTP/1.1", "Host: x", "Connection: close")
    return ("\r\n".join((*first, *lines)) + "\r\n\r\n").encode()


@pytest.mark.parametrize("method", METHODS)
async def test_a_request_reaches_the_pipeline_as_it_was_sent(service: Service, method: str) -> None:
    query, body = "symbol=A%20B&x=%2b+&list=%5B%5D&signature=a%3D", b"quantity=1&emoji=%F0%9F%9A%80"
    lines = ("X-MBX-APIKEY: key", f"Content-Length: {len(body)}")
    status, _, _ = split_reply(await service.raw(head(method, f"{ORDER}?{query}", *lines), body, end=False))
    assert status == 200
    [(asked, call)] = service.pipeline.calls
    assert (asked, call.operation, service.pipeline.names) == (
        "forward",
        "exchange.forward",
        ["main", "/api/v3/order"],
    )
    assert (call.method, call.path, call.query, call.body) == (method, ORDER, query.encode(), body)
    assert call.credentials == Credentials(api_key="key")


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("/exchange/main/", ["main", "/"]),
        ("/exchange/main//api", ["main", "//api"]),
        ("/exchange/main/../../api/wallet", ["main", "/../../api/wallet"]),
        ("/exchange/main/./api", ["main", "/./api"]),
        ("/exchange/main/a%2Fb", ["main", "/a%2Fb"]),
        ("/exchange/main/a%20b;c", ["main", "/a%20b;c"]),
        ("/exchange/ma%2Fin/api", ["ma%2Fin", "/api"]),
        ("/exchange/%C3%A9/api", ["%C3%A9", "/api"]),
    ],
)
async def test_an_odd_path_is_the_pipelines_to_refuse_as_it_was_sent(
    service: Service, target: str, names: list[str]
) -> None:
    assert split_reply(await service.raw(head("GET", target), end=False))[0] == 200
    assert service.pipeline.names == names


@pytest.mark.parametrize(
    "target",
    [
        "/exchange/main/%61pi/v3/order",
        "/exchange/main/api/v3/%6frder",
        "/exchange/main/api/v3/order%2e",
        "/exchange/m%61in/api/v3/order",
        "/exchange/main/%c3%a9",
        "/exchange/main/a%",
        "/exchange/main/a%0Ab",
        "/%65xchange/main/api",
        "/exchange/main",
        "/exchange//api",
        "/exchange/",
    ],
)
async def test_what_is_spelt_otherwise_is_not_there(service: Service, target: str) -> None:
    status, _, body = split_reply(await service.raw(head("GET", target), end=False))
    assert (status, body["code"], service.pipeline.calls) == (404, "not_found", [])
    assert set(body) == OURS | {"msg", "success"}
    assert [refusal.code for _, refusal in service.pipeline.refusals] == ["not_found"]


@pytest.mark.parametrize(
    "target", ["/exchange", "/exchanges/main/api", "//exchange/main/api", "/EXCHANGE/main/api"]
)
async def test_what_is_elsewhere_is_a_strangers_guess(service: Service, target: str) -> None:
    status, _, body = split_reply(await service.raw(head("GET", target), end=False))
    assert (status, set(body)) == (404, OURS)
    assert (service.pipeline.calls, service.pipeline.refusals) == ([], [])


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_refused(service: Service, method: str) -> None:
    status, headers, body = split_reply(await service.raw(head(method, ORDER), end=False))
    assert (status, headers["allow"], body["code"]) == (405, "delete,get,post,put", "method_not_allowed")
    assert set(body) == OURS | {"msg"}
    assert [refusal.code for _, refusal in service.pipeline.refusals] == ["method_not_allowed"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *(("policy_denied", 403), ("authentication_failed", 401), ("exchange_not_found", 404)),
        *(("limit_exceeded", 429), ("exchange_unavailable", 502), ("outcome_unknown", 504)),
    ],
)
async def test_a_refusal_is_ours_with_the_words_that_exchanges_clients_look_for(
    service: Service, code: str, status: int
) -> None:
    service.pipeline.outcome = Refusal(code, "Policy does not allow it", reason="kept", detail=["d"])
    reply = await service.request("POST", ORDER)
    assert (reply.status, set(reply.json()) - {"success"}) == (status, OURS | {"msg"})
    assert (reply.json()["code"], reply.json()["detail"]) == (code, ["d"])
    assert reply.json()["message"] == "Policy does not allow it"
    assert "Policy does not allow it" in reply.json()["msg"]
    assert ("WWW-Authenticate" in reply.headers) == (status == 401)


async def test_what_waits_for_approval_has_the_words_too(service: Service) -> None:
    body = {"code": "approval_required", "message": "Rule large wants approvals."}
    service.pipeline.outcome = replace(SIGNED, body=dict(body), code="approval_required")
    reply = await service.request("POST", ORDER)
    told = f"{body['message']} (the request has no operation privilege)"
    assert (reply.status, reply.json()) == (202, body | {"msg": told})
    assert reply.headers["X-Vaultsigner-Decision"] == "rule=desk; policy=abababababab; audit=a1b2:7"


async def test_the_time_is_as_exchanges_tell_it(service: Service) -> None:
    service.pipeline.outcome = Answer({"serverTime": 1})
    reply = await service.request("GET", "/exchange/main/api/v3/time")
    assert (reply.status, reply.body) == (200, b'{"serverTime":1}')


async def test_a_body_over_the_limit(service: Service) -> None:
    size = MAX_BODY_BYTES + 1
    data = head("POST", ORDER, f"Content-Length: {size}")
    status, headers, body = split_reply(await service.raw(data, b" " * size, end=False))
    assert (status, headers["connection"], body["code"]) == (413, "close", "body_too_large")
    assert (set(body), service.pipeline.calls) == (OURS | {"msg"}, [])
    assert [(call.operation, refusal.code) for call, refusal in service.pipeline.refusals] == [
        ("exchange.forward", "body_too_large")
    ]


async def test_a_defect_has_the_words_too(service: Service) -> None:
    service.pipeline.failure = ValueError("p4ssw0rd")
    reply = await service.request("GET", ORDER)
    assert reply.status == 500
    assert reply.json()["msg"] == '{"code":-1001,"msg":"Internal Server Error"}'
    assert b"p4ssw0rd" not in reply.body


@pytest.mark.parametrize(
    ("method", "path", "meaning", "names"),
    [
        ("POST", "/api/exchange/main/sign", ("sign_for_exchange", "exchange.sign"), ["main"]),
        ("POST", "/api/open_api/mini/token", ("open_api_token", "open_api.token"), ["mini"]),
        ("POST", "/api/open_api/mini/decrypt", ("open_api_decrypt", "open_api.decrypt"), ["mini"]),
        (
            "GET",
            "/api/open_api/mini/user-data?openData=a",
            ("open_api_user_data", "open_api.user_data"),
            ["mini"],
        ),
    ],
)
async def test_each_path_has_its_meaning(
    service: Service, method: str, path: str, meaning: tuple[str, str], names: list[str]
) -> None:
    reply = await service.request(method, path, data=b'{"a": 1}' if method == "POST" else None)
    assert reply.status == 200
    [(name, call)] = service.pipeline.calls
    assert ((name, call.operation), service.pipeline.names) == (meaning, names)
    assert call.body == (b'{"a": 1}' if method == "POST" else b"")
    assert call.query == (b"openData=a" if method == "GET" else b"")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/exchange/main/sign/"),
        ("POST", "/api/exchange/main/%73ign"),
        ("POST", "/api/exchange//sign"),
        ("POST", "/api/exchange/a/b/sign"),
        ("GET", "/api/exchange/main/sign"),
        ("POST", "/api/open_api/mini/user-data"),
        ("GET", "/api/open_api/mini/token"),
        ("POST", "/api/open_api/mini/toke%6e"),
    ],
)
async def test_no_path_has_two_spellings(service: Service, method: str, path: str) -> None:
    status, _, body = split_reply(await service.raw(head(method, path), end=False))
    assert status in (404, 405)
    assert (set(body), service.pipeline.calls) == (OURS, [])
