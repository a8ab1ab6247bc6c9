"""An outage is told once when it begins and once when it is over."""

from ipaddress import ip_address

import pytest
from structlog.testing import capture_logs

from vaultsigner.domain.names import Operation, RequestId
from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.targets import Target
from vaultsigner.policy import PolicySet
from vaultsigner.signing.calls import Answer, Call
from vaultsigner.signing.trail import Trail
from vaultsigner.signing.troubles import Troubles

GOOD = Answer({})
POLICIES = PolicySet("sha256:aa", ())


def trail(operation: str = "order.sign", wallet: str | None = "w1") -> Trail:
    call = Call(RequestId("r"), ip_address("127.0.0.1"), Operation(operation), body=b"{}")
    return Trail(call, POLICIES, target=Target("wallet", wallet) if wallet else None)


def told(*steps: tuple[Trail, Answer | Refusal]) -> list[tuple[str, str, str | None]]:
    troubles = Troubles()
    with capture_logs() as logs:
        for step in steps:
            troubles.after(*step)
    return [(entry["event"], entry["code"], entry["about"]) for entry in logs]


def refusal(code: str) -> Refusal:
    return Refusal(code, "why")


def test_an_outage_is_told_once_and_so_is_its_end() -> None:
    down = (trail(), refusal("vault_unavailable"))
    assert told(down, down, down, (trail(), GOOD), (trail(), GOOD)) == [
        ("trouble", "vault_unavailable", "wallet:w1"),
        ("trouble_over", "vault_unavailable", "wallet:w1"),
    ]


def test_it_is_told_again_when_it_comes_again() -> None:
    down = (trail(), refusal("vault_sealed"))
    assert len(told(down, (trail(), GOOD), down)) == 3


@pytest.mark.parametrize("code", ["no_permission", "invalid_fields", "policy_denied", "node_refused"])
def test_what_callers_do_wrong_is_no_trouble(code: str) -> None:
    assert told((trail(), refusal(code))) == []


def test_another_wallets_success_does_not_end_it() -> None:
    assert len(told((trail(), refusal("wrong_key")), (trail(wallet="w2"), GOOD))) == 1


def test_any_wallets_success_ends_what_concerned_none() -> None:
    down = (trail("auth.login", None), refusal("vault_unavailable"))
    assert [event for event, _, _ in told(down, (trail(), GOOD))] == ["trouble", "trouble_over"]


@pytest.mark.parametrize(
    ("operation", "ends"), [("order.sign", False), ("order.broadcast", True), ("wallet.resync", True)]
)
def test_a_nodes_trouble_ends_when_the_node_has_answered(operation: str, ends: bool) -> None:
    down = (trail("order.broadcast"), refusal("outcome_unknown"))
    assert (len(told(down, (trail(operation), GOOD))) == 2) is ends
