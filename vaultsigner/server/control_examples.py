"""The example requests and answers of the routes that steer the service. Every value is made up."""

from collections.abc import Mapping
from types import MappingProxyType

from vaultsigner.domain.names import JsonValue
from vaultsigner.server.examples import RECEIVER

REQUEST_ID = "01KAJ0Y7W8F0N6Q3VZ2M5T9XBC"
APPROVAL_ID = "5f1c0a9be2d84f7390b6a1c4d7e8f213"
_POLICY = "sha256:3b1f0c9a7d525a4e6f8d0b2c4e6a8c0d2f4b6d8e0a2c4e6f8a0b2c4d6e8f0a1b"
_PAYMENT: dict[str, JsonValue] = {"to_address": RECEIVER, "symbol": "BNB", "amount": "250.00000000"}

APPROVAL_REQUIRED: JsonValue = {
    "code": "approval_required",
    "message": "Rule large-transfers wants approvals. Once they are given, send the same request again, with the header "
    f"X-Vaultsigner-Approval: {APPROVAL_ID}",
    "approval": {
        "id": APPROVAL_ID,
        "needed": 2,
        "given": 0,
        "of": ["user:ann", "user:bob", "user:eve"],
        "expires_at": "2026-03-02T10:15:00.000Z",
    },
    "request_id": REQUEST_ID,
}
APPROVAL: dict[str, JsonValue] = {
    "id": APPROVAL_ID,
    "status": "open",
    "needed": 2,
    "given": 1,
    "of": ["user:ann", "user:bob", "user:eve"],
    "votes": [{"by": "user:bob", "approve": True, "at": "2026-03-02T09:20:00.000Z"}],
    "may_approve": True,
    "may_reject": True,
    "requested_by": "user:sam",
    "rule": "large-transfers",
    "policy": _POLICY,
    "expires_at": "2026-03-02T10:15:00.000Z",
    "request": {
        "operation": "transfer.broadcast",
        "target": "wallet:wallet_1",
        "items": [_PAYMENT],
        "memo": "",
        "ip": "10.0.0.7",
        "asked_at": "2026-03-02T09:15:00.000Z",
    },
}
APPROVED: dict[str, JsonValue] = {
    **APPROVAL,
    "status": "granted",
    "given": 2,
    "votes": [
        {"by": "user:bob", "approve": True, "at": "2026-03-02T09:20:00.000Z"},
        {"by": "user:ann", "approve": True, "at": "2026-03-02T09:31:00.000Z"},
    ],
    "may_approve": False,
    "may_reject": False,
}
REJECTED: dict[str, JsonValue] = {
    **APPROVAL,
    "status": "rejected",
    "votes": [
        {"by": "user:bob", "approve": True, "at": "2026-03-02T09:20:00.000Z"},
        {"by": "user:ann", "approve": False, "at": "2026-03-02T09:31:00.000Z"},
    ],
    "may_approve": False,
    "may_reject": False,
}
SUSPENSION: dict[str, JsonValue] = {
    "kind": "client",
    "name": "bot-1",
    "reason": "its key may be in a leaked backup",
    "by": "user:sam",
    "since": "2026-03-02T09:15:00.000Z",
}
EXPLAIN: Mapping[str, JsonValue] = MappingProxyType(
    {
        "A transfer of your own": {
            "operation": "transfer.broadcast",
            "target": "wallet:wallet_1",
            "item": _PAYMENT,
        },
        "An order at an exchange": {
            "target": "exchange:main",
            "request": {
                "method": "POST",
                "path": "/api/v3/order",
                "query": "symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=100",
            },
        },
        "A message of an exchange's WebSocket API": {
            "target": "exchange:main",
            "request": {
                "ws": "order.place",
                "params": {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.5"},
            },
        },
    }
)
EXPLAINED: JsonValue = {
    "principal": "user:sam",
    "operation": "transfer.broadcast",
    "target": "wallet:wallet_1",
    "items": [_PAYMENT],
    "ip": "10.0.0.7",
    "at": "2026-03-02T09:15:00.000000Z",
    "permission": {"needed": "transfer", "there": True, "why": "wallet and caller have it"},
    "note": None,
    "rules": [
        {
            "rule": "desk-trades",
            "effect": "allow",
            "matched": False,
            "why": "it is not for transfer.broadcast",
        },
        {"rule": "large-transfers", "effect": "allow", "matched": True, "why": "matches"},
    ],
    "decision": {
        "effect": "allow",
        "rule": "large-transfers",
        "policy": _POLICY,
        "reason": "rule large-transfers allows",
        "limits": [],
        "approvals": {"count": 2, "of": ["user:ann", "user:bob", "user:eve"], "within_seconds": 3600},
    },
}
