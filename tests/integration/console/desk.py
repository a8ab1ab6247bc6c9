"""A desk with something to look at: two wallets, people with roles, rules that allow, refuse and want approvals."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.integration.signed.callers import HMAC, UNHURRIED, planned_clients
from tests.world import USERNAME, Answer, World, cheap_hash
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedUser

SEND, SIGN = "/api/transfer/broadcast", "/api/transfer/sign"
AUDITOR, OPERATOR, OTHER = "ann", "olga", "kim"
HOSTILE = '<img src=x onerror="fetch(`/x`)"><script>document.title=1</script>'
TURNED = "paid\u202eecilA\u202c to \x1b[31mBob\u200b"
POLICY = """\
version: 1
groups: {risk: ["user:olga", "user:otto"]}
rules:
  - id: pocket-money
    effect: allow
    operations: [transfer.*]
    targets: ["wallet:hot"]
    when: {amount: {max: "1"}}
    limits:
      - {count: 400, every: 1h, per: principal}
      - {sum: amount, max: "25", every: 1d, per: target}
  - id: large-transfers
    effect: allow
    operations: [transfer.*]
    targets: ["wallet:hot"]
    when: {amount: {above: "1", max: "100"}}
    approvals: {count: 1, of: [group:risk], within: 1h}
  - id: votes
    effect: allow
    operations: [vote.*]
  - id: nothing-leaves-the-cold-wallet
    effect: deny
    operations: [transfer.*]
    targets: ["wallet:cold"]
"""


def password(name: str) -> str:
    """A user's."""
    return name * 3


def _user(name: str, *roles: str) -> PlannedUser:
    return PlannedUser(name, password(name), {"hot": EVERY_PERMISSION}, cheap_hash(password(name)), roles)


@contextmanager
def running_console(directory: Path, **options: Any) -> Iterator[World]:
    """A running service with its console, nothing recorded yet but its start and the log-ins."""
    with running_desk(
        directory,
        private_key_wallet("hot"),
        private_key_wallet("cold"),
        policy=POLICY,
        users=(
            _user(AUDITOR, "auditor"),
            _user(OPERATOR, "operator"),
            _user("otto", "operator"),
            _user(OTHER),
        ),
        clients=planned_clients("hot"),
        rate_limits=UNHURRIED,
        audit={"checkpoint_every": 10},
        **options,
    ) as world:
        yield world


def ask(world: World, who: str, method: str, path: str, body: object = None) -> Answer:
    """As a user."""
    token = world.token() if who == USERNAME else world.token(who, password(who))
    return world.ask(method, path, body, token=token)


def paid(world: World, units: int = 1_000_000, **members: object) -> Answer:
    """A small transfer, which is sent."""
    return ask(world, USERNAME, "POST", SEND, transfer("hot", units, **members))


def refused(world: World) -> Answer:
    """A transfer from the wallet that nothing leaves."""
    answer = ask(world, USERNAME, "POST", SEND, transfer("cold", 700_000_000))
    assert (answer.status, answer.body["code"]) == (403, "policy_denied"), answer.body
    return answer


def waiting(world: World, units: int, **members: object) -> str:
    """A large transfer, which somebody has to approve; no two of the same amount."""
    answer = ask(world, USERNAME, "POST", SEND, transfer("hot", units, **members))
    assert (answer.status, answer.body["code"]) == (202, "approval_required"), answer.body
    found: str = answer.body["approval"]["id"]
    return found


def varied_day(world: World) -> None:
    """Some of everything."""
    for number in range(1, 13):
        paid(world, number * 5_000_000)
    for _ in range(3):
        refused(world)
    ask(world, USERNAME, "POST", SIGN, transfer("hot", 20_000_000_000))
    ask(world, USERNAME, "POST", SEND, transfer("nowhere"))
    ask(world, USERNAME, "POST", SEND, transfer("hot", to_address="tbnb1wrong"))
    world.ask("POST", "/api/auth/login", {"username": USERNAME, "password": "guess"}, token=None)
    for units in (10_000_000, 20_000_000, 30_000_000):
        world.signed(HMAC, "POST", SEND, document=transfer("hot", units))
    waiting(world, 1_250_000_000, memo="invoice 4711")
