"""What each path means, and how answers leave."""

import itertools

import pytest

from tests.integration.server.conftest import Service
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.answers import CHALLENGES
from vaultsigner.server.statuses import STATUS_FOR_CODE
from vaultsigner.signing.calls import Answer

KINDS = ("order", "cancel_order", "transfer", "freeze", "unfreeze", "vote")
SPELLINGS = [
    *((f"/api/{kind}/{step}", f"{kind}.{step}") for kind in KINDS for step in ("sign", "broadcast")),
    *((f"/api/order/cancel/{step}", f"cancel_order.{step}") for step in ("sign", "broadcast")),
]


@pytest.mark.parametrize(
    ("path", "operation", "closing"),
    [(*each, slash) for each, slash in itertools.product(SPELLINGS, ("", "/"))],
)
async def test_every_spelling_reaches_its_operation(
    service: Service, path: str, operation: str, closing: str
) -> None:
    reply = await service.post(path + closing, data=b'{"a": 1}', json=None)
    assert reply.status == 200
    [(method, call)] = service.pipeline.calls
    assert (method, call.operation, call.body) == (operation.partition(".")[2], operation, b'{"a": 1}')


@pytest.mark.parametrize(
    ("method", "path", "asked", "operation"),
    [
        ("POST", "/api/auth/login", "log_in", "auth.login"),
        ("POST", "/api/wallet/resync", "resync", "wallet.resync"),
        ("GET", "/api/wallet", "wallets", "wallet.list"),
        ("GET", "/api/wallet/wallet_1", "wallet", "wallet.read"),
        ("GET", "/api/wallet/resync", "wallet", "wallet.read"),
        *((method, "/api/auth/check", "check", "auth.check") for method in ("GET", "POST", "PUT", "DELETE")),
    ],
)
async def test_the_other_routes(service: Service, method: str, path: str, asked: str, operation: str) -> None:
    assert (await service.request(method, path)).status == 200
    assert [(name, call.operation) for name, call in service.pipeline.calls] == [(asked, operation)]


async def test_a_wallet_called_resync_is_looked_up_by_that_name(service: Service) -> None:
    await service.request("GET", "/api/wallet/resync")
    await service.request("GET", "/api/wallet/desk%20%C3%A9")
    assert service.pipeline.names == ["resync", "desk é"]


async def test_the_root_answers_an_empty_object(service: Service) -> None:
    reply = await service.request("GET", "/")
    assert (reply.status, reply.body, service.pipeline.calls) == (200, b"{}", [])


async def test_a_signed_answer_says_what_decided_and_where_the_record_is(service: Service) -> None:
    reply = await service.post("/api/order/sign")
    assert reply.body == b'{"signed_msg":"c0ffee"}'
    assert reply.headers["X-Vaultsigner-Decision"] == "rule=desk; policy=abababababab; audit=a1b2:7"


async def test_every_answer_has_an_id_and_says_that_it_is_private(service: Service) -> None:
    for method, path in (
        ("POST", "/api/order/sign"),
        ("GET", "/"),
        ("GET", "/nothing"),
        ("PUT", "/api/wallet"),
    ):
        reply = await service.request(method, path)
        assert len(reply.headers["X-Request-Id"]) == 26
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert reply.headers["Server"] == "vaultsigner"


async def test_request_ids_are_ours_and_sort_by_time(service: Service) -> None:
    first = await service.post("/api/order/sign", headers={"X-Request-Id": "forged"})
    second = await service.post("/api/order/sign")
    ids = [reply.headers["X-Request-Id"] for reply in (first, second)]
    assert ids == [call.request_id for _, call in service.pipeline.calls]
    assert ids[0][:10] <= ids[1][:10]


async def test_a_good_answer_without_a_rule_has_no_decision(service: Service) -> None:
    service.pipeline.outcome = Answer([{"code": 0}])
    reply = await service.post("/api/order/broadcast")
    assert reply.json() == [{"code": 0}]
    assert "X-Vaultsigner-Decision" not in reply.headers


@pytest.mark.parametrize(("code", "status"), sorted((c, s) for c, s in STATUS_FOR_CODE.items() if c != "ok"))
async def test_every_refusal_code_has_its_status_and_the_error_shape(
    service: Service, code: str, status: int
) -> None:
    service.pipeline.outcome = Refusal(code, "what to do", reason="only for the record")
    reply = await service.post("/api/order/sign")
    assert reply.status == status
    assert reply.json() == {
        "code": code,
        "message": "what to do",
        "detail": "what to do",
        "request_id": reply.headers["X-Request-Id"],
    }
    assert reply.headers.get("WWW-Authenticate") == CHALLENGES.get(code)
    assert ("WWW-Authenticate" in reply.headers) == (status == 401)
    assert reply.headers.get("Retry-After") == ("1" if status in (429, 503) else None)


async def test_detail_and_retry_after_leave_as_the_refusal_says(service: Service) -> None:
    fields: JsonValue = [{"loc": ["body"], "msg": "é", "type": "x"}]
    service.pipeline.outcome = Refusal("rate_limited", "slow down", detail=fields, retry_after_seconds=30)
    reply = await service.post("/api/order/sign")
    assert (reply.status, reply.json()["detail"], reply.headers["Retry-After"]) == (429, fields, "30")


@pytest.mark.parametrize(
    ("query", "sync"),
    [("", True), ("?sync=true", True), ("?sync=YES", True), ("?sync=1", True), ("?sync=t", True)]
    + [(f"?sync={word}", False) for word in ("false", "0", "No", "OFF", "n", "f", "%66alse")],
)
async def test_sync_is_read_from_the_query(service: Service, query: str, sync: bool) -> None:
    assert (await service.post(f"/api/order/broadcast{query}")).status == 200
    assert [call.sync for _, call in service.pipeline.calls] == [sync]


@pytest.mark.parametrize("query", ["sync=maybe", "sync=", "sync=2", "sync=tru%C3%A9"])
async def test_a_sync_that_is_no_boolean_is_a_field_error(service: Service, query: str) -> None:
    reply = await service.post(f"/api/transfer/broadcast?{query}")
    assert (reply.status, reply.json()["detail"][0]["loc"]) == (422, ["query", "sync"])
    [(call, refusal)] = service.pipeline.refusals
    assert (call.operation, refusal.code) == ("transfer.broadcast", "invalid_fields")


async def test_two_syncs_are_refused(service: Service) -> None:
    reply = await service.post("/api/order/broadcast?sync=true&s%79nc=true")
    assert (reply.status, reply.json()["code"], service.pipeline.calls) == (400, "malformed_request", [])


async def test_sign_takes_no_sync(service: Service) -> None:
    assert (await service.post("/api/order/sign?sync=maybe")).status == 200
