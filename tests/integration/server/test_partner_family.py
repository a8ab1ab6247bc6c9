"""The partner family: its routes, and its envelope around whatever comes of a request."""

from typing import Any

import pytest

from tests.integration.server.conftest import Service, split_reply
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server import bodies
from vaultsigner.server.bodies import MAX_BODY_BYTES
from vaultsigner.server.partner_envelope import MESSAGES
from vaultsigner.server.statuses import STATUS_FOR_CODE
from vaultsigner.signing.calls import Answer, Credentials

TIME, COMPLETION = "/web3/v1/time", "/web3/v1/task/completion"
METHODS = ("GET", "POST", "PUT", "DELETE")
BUSY = {"code": "000002", "message": "system busy", "data": None}
INVALID = {"code": "000006", "message": "invalid argument", "data": None}


def head(method: str, target: str, *lines: str) -> bytes:
    """A request that is the connection's last one, up to its body."""
    first = (f"{method} {target} HTTP/1.1", "Host: x", "Connection: close")
    return ("\r\n".join((*first, *lines)) + "\r\n\r\n").encode()


async def asked(service: Service, *pieces: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers and envelope, which has to be one, with a request id beside it."""
    status, headers, body = split_reply(await service.raw(*pieces, end=False))
    assert list(body) == ["code", "message", "data"]
    assert MESSAGES[body["code"]] == body["message"]
    assert len(headers["x-request-id"]) == 26
    assert headers["content-type"] == "application/json"
    return status, headers, body


async def test_the_time_is_a_number_in_the_envelope(partner_service: Service) -> None:
    partner_service.pipeline.outcome = Answer(1704786904123)
    status, headers, body = await asked(partner_service, head("GET", TIME))
    assert (status, body) == (200, {"code": "000000", "message": "success", "data": 1704786904123})
    assert "retry-after" not in headers
    [(method, call)] = partner_service.pipeline.calls
    assert (method, call.operation) == ("partner_time", "partner.time")


@pytest.mark.parametrize("method", METHODS)
async def test_task_completion(partner_service: Service, method: str) -> None:
    partner_service.pipeline.outcome = Answer({"deposit": True, "withdrawal": False})
    query = "walletAddress=tbnb1x&task=%5B%22deposit%22%5D&timestamp=1"
    data = head(method, f"{COMPLETION}?{query}", "Signature: c2ln", "Content-Length: 3")
    status, _, body = await asked(partner_service, data, b"a=1")
    assert (status, body["code"], body["data"]) == (200, "000000", {"deposit": True, "withdrawal": False})
    [(asked_for, call)] = partner_service.pipeline.calls
    assert (asked_for, call.operation) == ("task_completion", "partner.task_completion")
    assert (call.method, call.path, call.query, call.body) == (method, COMPLETION, query.encode(), b"a=1")
    assert call.credentials == Credentials(partner_signature="c2ln")


@pytest.mark.parametrize(
    ("code", "partners", "status"),
    [
        ("rate_limited", "000001", 200),
        ("partner_invalid_signature", "000003", 200),
        ("replayed", "000003", 200),
        ("partner_invalid_recv_window", "000004", 200),
        ("partner_invalid_timestamp", "000005", 200),
        ("partner_invalid_argument", "000006", 200),
        ("malformed_request", "000006", 200),
        ("malformed_parameters", "000006", 200),
        ("state_unavailable", "000002", 503),
        ("custody_unavailable", "000002", 503),
        ("audit_unavailable", "000002", 503),
        ("outcome_unknown", "000002", 504),
        ("internal_error", "000002", 500),
        ("policy_denied", "000002", 500),
        ("authentication_failed", "000002", 500),
        ("nobody_listed_this", "000002", 500),
    ],
)
async def test_what_the_pipeline_refuses_has_the_specifications_code(
    partner_service: Service, code: str, partners: str, status: int
) -> None:
    partner_service.pipeline.outcome = Refusal(code, "told to nobody", detail="told to nobody")
    answered, headers, body = await asked(partner_service, head("GET", COMPLETION))
    assert (answered, body["code"], body["data"]) == (status, partners, None)
    assert headers.get("retry-after") == ("1" if status == 503 or code == "rate_limited" else None)
    assert "www-authenticate" not in headers


async def test_when_to_come_back_is_said_as_the_refusal_says(partner_service: Service) -> None:
    partner_service.pipeline.outcome = Refusal("rate_limited", "slow down", retry_after_seconds=30)
    for path in (TIME, COMPLETION):
        status, headers, _ = await asked(partner_service, head("GET", path))
        assert (status, headers["retry-after"]) == (200, "30")


@pytest.mark.parametrize("code", sorted(set(STATUS_FOR_CODE) - {"ok"}))
async def test_5xx_and_system_busy_go_together(partner_service: Service, code: str) -> None:
    partner_service.pipeline.outcome = Refusal(code, "told to nobody")
    status, _, body = await asked(partner_service, head("GET", COMPLETION))
    assert (status >= 500) == (body == BUSY)


@pytest.mark.parametrize(
    "path",
    [
        *("/web3", "/web3/", "/web3/v1", "/web3/v1/time/", "/web3/v1/task/completion/", "/web3/v2/time"),
        *("/web3//v1/time", "/web3/v1//time", "/web3/V1/time", "/web3/v1/time;x=1", "/web3/./v1/time"),
        *(
            "/web3/v1/%74ime",
            "/web3/v1%2Ftime",
            "/%77eb3/v1/time",
            "/web3%2Fv1%2Ftime",
            "/web3/../api/wallet",
        ),
    ],
)
async def test_what_is_spelt_otherwise_is_not_there(partner_service: Service, path: str) -> None:
    status, _, body = await asked(partner_service, head("GET", path))
    assert (status, body, partner_service.pipeline.calls) == (404, INVALID, [])
    assert [refusal.code for _, refusal in partner_service.pipeline.refusals] == ["not_found"]


@pytest.mark.parametrize(
    "path", ["/WEB3/v1/time", "//web3/v1/time", "/web3x/v1/time", "/x/web3/v1/time", "/v1/time"]
)
async def test_what_is_not_under_the_prefix_is_a_strangers_guess(partner_service: Service, path: str) -> None:
    status, _, body = split_reply(await partner_service.raw(head("GET", path), end=False))
    assert (status, body["code"]) == (404, "not_found")
    assert (partner_service.pipeline.calls, partner_service.pipeline.refusals) == ([], [])


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        *((method, TIME, "get") for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH")),
        *((method, COMPLETION, "delete,get,post,put") for method in ("OPTIONS", "PATCH")),
    ],
)
async def test_other_methods_are_refused(
    partner_service: Service, method: str, path: str, allow: str
) -> None:
    status, headers, body = await asked(partner_service, head(method, path))
    assert (status, headers["allow"], body) == (405, allow, INVALID)
    assert [refusal.code for _, refusal in partner_service.pipeline.refusals] == ["method_not_allowed"]


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_a_tunnelled_method_is_not_believed(partner_service: Service, header: str) -> None:
    assert (await asked(partner_service, head("POST", TIME, f"{header}: GET")))[0] == 405


@pytest.mark.parametrize(
    ("lines", "status", "closes"),
    [
        (("signature: a", "signature: a"), 200, True),
        (("Signature: a", "SIGNATURE: b"), 200, True),
        (("X-MBX-APIKEY: a", "X-MBX-APIKEY: a"), 200, True),
        (("Authorization: a", "Authorization: b"), 200, True),
        (("Trailer: signature",), 200, True),
        (("Content-Encoding: gzip",), 415, False),
    ],
)
async def test_headers_that_are_not_understood(
    partner_service: Service, lines: tuple[str, ...], status: int, closes: bool
) -> None:
    data = head("GET", COMPLETION, *lines).replace(b"Connection: close\r\n", b"")
    answered, headers, body = split_reply(await partner_service.raw(data))
    assert (answered, body, partner_service.pipeline.calls) == (status, INVALID, [])
    assert (headers.get("connection") == "close") == closes
    assert len(partner_service.pipeline.refusals) == 1


async def test_a_fragment_is_an_invalid_argument(partner_service: Service) -> None:
    assert (await asked(partner_service, head("GET", f"{COMPLETION}?a=1#b")))[::2] == (200, INVALID)


@pytest.mark.parametrize("method", METHODS)
async def test_a_body_over_the_limit(partner_service: Service, method: str) -> None:
    size = MAX_BODY_BYTES + 1
    data = head(method, COMPLETION, f"Content-Length: {size}")
    status, headers, body = await asked(partner_service, data, b" " * size)
    assert (status, headers["connection"], body) == (413, "close", INVALID)
    assert [refusal.code for _, refusal in partner_service.pipeline.refusals] == ["body_too_large"]


async def test_a_body_that_dribbles_in(partner_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.1)
    data = head("POST", COMPLETION, "Content-Length: 20")
    assert (await asked(partner_service, data, b"a"))[::2] == (408, INVALID)


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\n", b"1\r\n{}\r\n"])
async def test_a_body_whose_framing_is_broken(partner_service: Service, chunk: bytes) -> None:
    data = head("POST", COMPLETION, "Transfer-Encoding: chunked")
    status, headers, body = await asked(partner_service, data, chunk)
    assert (status, headers["connection"], body) == (200, "close", INVALID)
    [(call, refusal)] = partner_service.pipeline.refusals
    assert (call.operation, refusal.code) == ("partner.task_completion", "malformed_request")


@pytest.mark.parametrize("path", ["/web3/nothing", COMPLETION])
async def test_a_record_that_cannot_be_written(partner_service: Service, path: str) -> None:
    partner_service.pipeline.recording_fails = True
    status, headers, body = await asked(partner_service, head("PATCH", path))
    assert (status, headers["retry-after"], body) == (503, "1", BUSY)


@pytest.mark.parametrize("path", [TIME, COMPLETION])
async def test_a_defect_is_system_busy_without_any_detail(partner_service: Service, path: str) -> None:
    partner_service.pipeline.failure = ValueError("p4ssw0rd")
    status, _, body = await asked(partner_service, head("GET", path))
    assert (status, body) == (500, BUSY)
    assert [refusal.code for _, refusal in partner_service.pipeline.refusals] == ["internal_error"]


async def test_the_last_resort_has_the_envelope_too(
    partner_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ValueError("p4ssw0rd")

    partner_service.pipeline.failure = ValueError("p4ssw0rd")
    monkeypatch.setattr(partner_service.pipeline, "refused", fails)
    status, headers, body = await asked(partner_service, head("GET", TIME))
    assert (status, headers["connection"], body) == (500, "close", BUSY)


async def test_the_other_families_keep_their_shape(partner_service: Service) -> None:
    partner_service.pipeline.outcome = Refusal("rate_limited", "slow down")
    reply = await partner_service.request("GET", "/api/wallet")
    assert (reply.status, reply.json()["code"], reply.headers["Retry-After"]) == (429, "rate_limited", "1")


async def test_the_documents_know_the_family(partner_service: Service) -> None:
    paths = (await partner_service.request("GET", "/api/openapi.json")).json()["paths"]
    assert {TIME, COMPLETION, "/api/auth/check"} <= set(paths)
