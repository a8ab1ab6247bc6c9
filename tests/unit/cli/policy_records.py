"""Records of kind intent for tests, written by the code that seals those of the service."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.entries import Entry, IntentDecided
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import JsonValue, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.targets import Target

SAM = Principal("user", "sam")
MOMENT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
CHAIN = "00000000000000aa"
ALLOWED = Decision("allow", "old", "sha256:" + "0" * 64, "rule old allows")
DENIED = Decision("deny", None, "sha256:" + "0" * 64, "no rule matches")


def transfer(
    *amounts: str, memo: str = "", to: str = "tbnb1yg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zz3yvm8"
) -> Intent:
    """A transfer of BNB with a payment for each amount."""
    items: list[Mapping[str, JsonValue]] = [
        {"to_address": to, "amount": amount, "symbol": "BNB"} for amount in amounts
    ]
    return Intent(Operation("transfer.sign"), "wallet:hot", tuple(items), memo)


def decided(
    intent: Intent, decision: Decision = ALLOWED, principal: Principal = SAM, ip: str = "10.0.0.7"
) -> IntentDecided:
    """The entry that the service writes for it."""
    return IntentDecided(
        request_id=RequestId("r1"),
        principal=principal,
        ip=ip,
        operation=intent.operation,
        target=Target("wallet", intent.target.partition(":")[2]),
        intent=intent.described(),
        decision=decision,
        body_sha256=None,
    )


def write_records(directory: Path, *entries: Entry, at: datetime = MOMENT, chain: str = CHAIN) -> Path:
    """A day of a chain; answers its file."""
    (directory / chain).mkdir(parents=True, exist_ok=True)
    path = directory / chain / f"{at:%Y-%m-%d}.jsonl"
    head, lines = Head(chain), []
    for entry in entries:
        line, head = seal(entry.members(), head, int(at.timestamp() * 1_000_000))
        lines.append(line)
    path.write_bytes(b"".join(lines))
    return path
