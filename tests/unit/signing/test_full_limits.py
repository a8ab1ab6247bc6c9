"""How full limits are told to be is what requests have used of them."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.unit.signing.desks import NOW_MS, Desks
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import PolicySet, load
from vaultsigner.signing.full_limits import FullLimits
from vaultsigner.signing.policy_limits import uses_of
from vaultsigner.state import Count

RULES = """version: 1
rules:
  - id: by-caller
    effect: allow
    principals: ["user:sam", "client:*"]
    operations: [transfer.sign]
    limits:
      - {count: 3, every: 1h, per: principal}
      - {sum: amount, max: "10.5", every: 1d, per: target}
      - {sum: amount, max: "7", every: 1h, per: target}
  - id: all-together
    effect: allow
    targets: ["wallet:hot"]
    operations: [freeze.sign]
    limits: [{sum: amount, max: "1", every: 1h, per: rule}]
  - id: never-used
    effect: allow
    operations: [vote.sign]
    limits: [{count: 5, every: 1m, per: principal}]
"""
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)


def policies_in(directory: Path) -> PolicySet:
    (directory / "policies").mkdir()
    (directory / "policies" / "policy.yml").write_text(RULES)
    return load(directory / "policies")


async def use(desks: Desks, policies: PolicySet, who: str, asked: str) -> None:
    """As a request does that is allowed."""
    kind, _, name = who.partition(":")
    operation, wallet, amount = asked.split()
    intent = Intent(Operation(operation), f"wallet:{wallet}", ({"amount": amount},), "")
    principal = Principal("client" if kind == "client" else "user", name)
    decision = policies.evaluate(principal, intent, Circumstances(desks.trail("user:sam").call.ip, NOW))
    assert decision.allowed, decision
    limits = uses_of(decision)
    assert isinstance(limits, tuple)
    assert await desks.state.count(Count(limits=limits), now_ms=NOW_MS) is None


async def test_every_limit_is_told_with_what_is_used_of_it(desks: Desks, tmp_path: Path) -> None:
    policies = policies_in(tmp_path)
    await use(desks, policies, "user:sam", "transfer.sign hot 1.25")
    await use(desks, policies, "client:bot-1", "transfer.sign hot 2")
    await use(desks, policies, "user:sam", "transfer.sign cold 0.00000001")
    await use(desks, policies, "user:eve", "freeze.sign hot 0.5")
    told: Any = await FullLimits(desks.state, desks.settings, desks.clock).listed(policies)
    found = {(each["rule"], each["limit"], each["subject"]): each["used"] for each in told["limits"]}
    assert found == {
        ("by-caller", "3 requests every 3600 s per principal", "user:sam"): "2",
        ("by-caller", "3 requests every 3600 s per principal", "client:bot-1"): "1",
        ("by-caller", "10.5 amount every 86400 s per target", "wallet:hot"): "3.25",
        ("by-caller", "10.5 amount every 86400 s per target", "wallet:cold"): "0.00000001",
        ("by-caller", "7 amount every 3600 s per target", "wallet:hot"): "3.25",
        ("by-caller", "7 amount every 3600 s per target", "wallet:cold"): "0.00000001",
        ("all-together", "1 amount every 3600 s", None): "0.5",
        ("never-used", "5 requests every 60 s per principal", None): "0",
    }
    assert told["left_out"] == 0
    most = {each["limit"]: Decimal(each["most"]) for each in told["limits"]}
    assert most["10.5 amount every 86400 s per target"] == Decimal("10.5")


async def test_what_has_left_its_window_is_not_told(desks: Desks, tmp_path: Path) -> None:
    policies = policies_in(tmp_path)
    await use(desks, policies, "user:sam", "transfer.sign hot 1")
    desks.clock.now_ms = NOW_MS + 2 * 3_600_000
    told: Any = await FullLimits(desks.state, desks.settings, desks.clock).listed(policies)
    used = {each["limit"]: (each["subject"], each["used"]) for each in told["limits"]}
    assert used["3 requests every 3600 s per principal"] == (None, "0")
    assert used["10.5 amount every 86400 s per target"] == ("wallet:hot", "1")
