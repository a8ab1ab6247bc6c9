"""The routes that steer the service, over HTTP: which path means what, and what a path cannot be made to mean."""

import pytest

from tests.integration.server.conftest import Service, split_reply
from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.signing.calls import Answer

ID = "5f1c0a9be2d84f7390b6a1c4d7e8f213"


@pytest.mark.parametrize(
    ("method", "path", "meaning", "names"),
    [
        ("GET", "/api/approvals", ("approvals", "approval.list"), []),
        ("GET", f"/api/approvals/{ID}", ("approval", "approval.read"), [ID]),
        ("POST", f"/api/approvals/{ID}/approve", ("approve", "approval.approve"), [ID]),
        ("POST", f"/api/approvals/{ID}/reject", ("reject", "approval.reject"), [ID]),
        ("GET", "/api/suspensions", ("suspensions", "suspension.list"), []),
        ("POST", "/api/suspensions", ("suspend", "suspension.suspend"), []),
        ("DELETE", "/api/suspensions/all", ("resume", "suspension.resume_all"), ["all", ""]),
        ("DELETE", "/api/suspensions/wallet/w_1", ("resume", "suspension.resume"), ["wallet", "w_1"]),
        ("DELETE", "/api/suspensions/all/all", ("resume", "suspension.resume"), ["all", "all"]),
        ("GET", "/api/audit/summary", ("audit_summary", "audit.summary"), []),
        ("GET", "/api/audit/records", ("audit_records", "audit.records"), []),
        ("GET", "/api/audit/records/aa/1042", ("audit_record", "audit.record"), ["aa", "1042"]),
        ("GET", "/api/audit/chains", ("audit_chains", "audit.chains"), []),
        ("GET", "/api/limits", ("limits", "limit.list"), []),
        ("POST", "/api/policy/explain", ("explain", "policy.explain"), []),
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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/api/approvals/{ID}/%61pprove"),
        ("POST", f"/api/approvals/{ID}/approve/"),
        ("POST", f"/api/%61pprovals/{ID}/approve"),
        ("POST", f"/api/approvals/%35{ID[1:]}/approve"),
        ("POST", f"/api/approvals/{ID}/Approve"),
        ("POST", "/api/approvals//approve"),
        ("DELETE", "/api/suspensions/%61ll"),
        ("DELETE", "/api/suspensions/w%61llet/hot"),
        ("DELETE", "/api/suspensions/wallet/h%6ft"),
        ("DELETE", "/api/suspensions/wallet/hot/"),
        ("DELETE", "/api/suspensions/wallet"),
    ],
)
async def test_no_path_has_two_spellings(service: Service, method: str, path: str) -> None:
    reply = await service.request(method, path) if "%" not in path else None
    if reply is None:
        raw = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        status, _, _ = split_reply(await service.raw(raw.encode(), end=False))
    else:
        status = reply.status
    assert status in (404, 405)
    assert service.pipeline.calls == []


async def test_a_slash_in_a_name_is_no_way_to_another_approvals_vote(service: Service) -> None:
    raw = f"POST /api/approvals/x%2F{ID}/reject HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close"
    status, _, _ = split_reply(await service.raw(f"{raw}\r\n\r\n".encode(), end=False))
    assert (status, service.pipeline.names) == (200, [f"x/{ID}"])


async def test_the_approvals_id_reaches_the_pipeline_as_it_was_sent(service: Service) -> None:
    await service.post("/api/transfer/broadcast", headers={"X-Vaultsigner-Approval": ID})
    await service.post("/api/transfer/broadcast")
    await service.post("/api/transfer/broadcast", headers={"x-vaultsigner-approval": "é"})
    assert [call.approval for _, call in service.pipeline.calls] == [ID, None, "é"]


async def test_two_approvals_are_one_too_many(service: Service) -> None:
    headers = [("X-Vaultsigner-Approval", ID), ("X-Vaultsigner-Approval", ID)]
    reply = await service.post("/api/transfer/broadcast", headers=headers)
    assert (reply.status, reply.json()["code"]) == (400, "malformed_request")
    assert service.pipeline.calls == []


async def test_what_waits_for_approval_is_accepted_and_not_done(service: Service) -> None:
    service.pipeline.outcome = Answer(
        {"code": "approval_required"},
        "large",
        "sha256:" + "ab" * 32,
        AuditPosition("a1b2", 7),
        "approval_required",
    )
    reply = await service.post("/api/transfer/broadcast")
    assert (reply.status, reply.json()) == (202, {"code": "approval_required"})
    assert reply.headers["X-Vaultsigner-Decision"] == "rule=large; policy=abababababab; audit=a1b2:7"
