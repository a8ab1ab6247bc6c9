"""The example answers of the routes that show the record. Every value is made up."""

from vaultsigner.domain.names import JsonValue
from vaultsigner.server.control_examples import REQUEST_ID

CHAIN = "5b0d8c1e7f3a9264"
PLACE = f"2026-03-02T09:15:00.123456Z{CHAIN}00000000000000001042"
_POLICY = "sha256:3b1f0c9a7d525a4e6f8d0b2c4e6a8c0d2f4b6d8e0a2c4e6f8a0b2c4d6e8f0a1b"
_HASH = "9f2c4b7d1e8a3056c4f7b29d8e1a6053b7c2d9f4e8a1506372c9d4b8f0e5a617"
_TIME = "2026-03-02T09:15:00.123456Z"
_NOTE = (
    f"vaultsigner/audit/{CHAIN}\n1042\nnyxLfR6KMFbE97KdjhpgU7fC2fTooVBjcsnUuPDlphc=\nhead {_HASH}\n"
    "time 2026-03-02T09:15:01.000000Z\n\n— vaultsigner/audit Az3grlgtzPICa5OS8npVmf1Myq/…\n"
)
_KEY = "vaultsigner/audit+0f3d2a41+AQB0aGlzIGlzIG5vIGtleSBhdCBhbGwsIGl0IGlzIGE="
RECORD: dict[str, JsonValue] = {
    "chain": CHAIN,
    "code": "policy_denied",
    "hash": _HASH,
    "intent_seq": None,
    "ip": "10.0.0.7",
    "kind": "outcome",
    "operation": "transfer.broadcast",
    "policy": _POLICY,
    "prev": "0" * 64,
    "principal": {"name": "bot-1", "scheme": "hmac", "type": "client"},
    "reason": "rule no-strangers denies",
    "request_id": REQUEST_ID,
    "seq": 1042,
    "sequence": None,
    "signed_sha256": None,
    "status": 403,
    "time": _TIME,
    "transaction_hash": None,
    "v": 1,
    "vault_request_id": None,
    "wallet": "wallet_1",
}
SUMMARY: JsonValue = {
    "since": "2026-03-02T09:00:00.000000Z",
    "until": "2026-03-02T10:00:00.000000Z",
    "bucket_seconds": 1800,
    "buckets": [
        {
            "start": "2026-03-02T09:00:00.000000Z",
            "allowed": 31,
            "waiting": 1,
            "refused": {"policy_denied": 2},
        },
        {"start": "2026-03-02T09:30:00.000000Z", "allowed": 28, "waiting": 0, "refused": {}},
    ],
    "by": {
        "principal": {"client:bot-1": 59, "user:sam": 3},
        "target": {"wallet:wallet_1": 62},
        "operation": {"order.broadcast": 57, "transfer.broadcast": 5},
        "rule": {"desk-trades": 59, "no-strangers": 2, "large-transfers": 1},
        "code": {"ok": 59, "policy_denied": 2, "approval_required": 1},
    },
    "records": 124,
    "unreadable": 0,
}
RECORDS: JsonValue = {"records": [RECORD], "next": PLACE, "unreadable": 0}
CSV: JsonValue = (
    "time,chain,seq,kind,request_id,principal,ip,operation,target,effect,rule,code,status,amount,what\n"
    f"{_TIME},{CHAIN},1042,outcome,{REQUEST_ID},client:bot-1,10.0.0.7,transfer.broadcast,wallet:wallet_1,,,"
    "policy_denied,403,,rule no-strangers denies\n"
)
PROVED: JsonValue = {
    "record": RECORD,
    "line": '{"chain":"5b0d8c1e7f3a9264","code":"policy_denied",…}',
    "proof": {
        "kind": "inclusion",
        "version": 1,
        "chain": CHAIN,
        "seq": 1042,
        "tree_size": 1042,
        "root": _HASH,
        "path": [_HASH],
        "record": '{"chain":"5b0d8c1e7f3a9264","code":"policy_denied",…}',
    },
    "checkpoint": _NOTE,
    "why": None,
    "keys": [_KEY],
    "related": [RECORD],
}
CHAINS: JsonValue = {
    "problem": None,
    "chains": [
        {
            "chain": CHAIN,
            "own": True,
            "records": 1043,
            "bytes": 812345,
            "files": 3,
            "last": _TIME,
            "checkpoint": {"size": 1042, "time": "2026-03-02T09:15:01.000000Z"},
        }
    ],
    "anchors": [
        {
            "name": "second-disk",
            "kind": "directory",
            "problem": None,
            "waiting": 0,
            "last": {"chain": CHAIN, "size": 1042, "time": "2026-03-02T09:15:01.000000Z"},
        }
    ],
    "keys": [_KEY],
}
LIVE: JsonValue = {"record": RECORD}
LIMITS: JsonValue = {
    "limits": [
        {
            "rule": "small-transfers",
            "limit": "100 amount every 86400 s per principal",
            "subject": "client:bot-1",
            "used": "42.5",
            "most": "100",
            "unit": "amount",
            "until": None,
        },
        {
            "rule": "desk-trades",
            "limit": "60 requests every 60 s per target",
            "subject": None,
            "used": "0",
            "most": "60",
            "unit": "requests",
            "until": None,
        },
    ],
    "left_out": 0,
}
