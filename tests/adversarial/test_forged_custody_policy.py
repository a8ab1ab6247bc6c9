"""Whoever has taken the server over asks custody directly for what policy forbids. Custody reads the conditions, too."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.adversarial.custody_wire import (
    AUTHENTICATE,
    HEALTH,
    LOAD_POLICIES,
    SIGN_BEACON,
    Wire,
    policy_of,
    question,
    signed_request,
    vault_reads,
    wire_to,
)
from tests.adversarial.desk import RECEIVER, private_key_wallet, running_desk, transfer
from tests.signing_client import HmacKey, signed_call
from tests.world import USERNAME, World
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedClient
from vaultsigner.policy.times import DAYS

SECOND_RECEIVER = "tbnb1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5nn6k8r"
OTHER_RECEIVER = "tbnb1qqqsyqcyq5rqwzqfpg9scrgwpugpzysn088jsx"
SECRET = "a test secret of bot-1 that is long enough"
BOT = HmacKey("vs_test_forged_policy", SECRET)


def days(*offsets: int) -> str:
    """Days of the week, so many days from today."""
    today = datetime.now(UTC)
    return ",".join(DAYS[(today + timedelta(days=offset)).weekday()] for offset in offsets)


def policy() -> str:
    """What is forbidden stays so for as long as the tests run, even over midnight."""
    return f"""\
version: 1
lists:
  known: [{RECEIVER}, {SECOND_RECEIVER}]
rules:
  - id: small-ones-to-known-receivers
    effect: allow
    operations: [transfer.*]
    when: {{amount: {{max: "0.00000005"}}, to_address: {{in: $known}}, symbol: {{in: [BNB, ANN-457]}}}}
  - id: inside
    effect: allow
    operations: [freeze.*]
    when: {{ip: {{in: [10.0.0.0/8, "2001:db8::/32"]}}, amount: {{below: "0.00001"}}}}
  - id: but-not-from-the-guest-network
    effect: deny
    operations: [freeze.*]
    when: {{ip: {{in: [10.66.0.0/16]}}}}
  - id: these-days
    effect: allow
    operations: [unfreeze.*]
    when: {{time: {{days: "{days(-1, 0, 1)}"}}}}
  - id: another-day
    effect: allow
    operations: [vote.*]
    when: {{time: {{days: "{days(3)}"}}}}
  - id: small-orders
    effect: allow
    operations: [order.*]
    when: {{notional: {{max: "0.00000001"}}, side: {{equals: buy}}}}
  - id: over
    effect: allow
    operations: [cancel_order.*]
    expires: 2020-12-31
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    bot = PlannedClient("bot-1", BOT.api_key, "hmac", {"desk": EVERY_PERMISSION}, SECRET)
    directory = tmp_path_factory.mktemp("forged")
    with running_desk(directory, private_key_wallet("desk"), clients=(bot,), policy=policy()) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(world: World) -> dict[str, str]:
    """What a server that was taken over has seen pass."""
    return {USERNAME: world.token()}


@pytest.fixture
def wire(world: World, tokens: dict[str, str]) -> Iterator[Wire]:
    with wire_to(world.service, tokens) as connected:
        yield connected


def paying(*payments: tuple[str, str, int]) -> dict[str, Any]:
    """A transfer to each receiver of so many units of a token."""
    outputs = [
        {"to_address": receiver, "coins": [{"denom": symbol, "amount": units}]}
        for receiver, symbol, units in payments
    ]
    return {"kind": "transfer", "outputs": outputs}


def freeze(ip: str, units: int = 1) -> dict[str, Any]:
    message = {"kind": "freeze", "symbol": "BNB", "amount": units}
    return question(operation="freeze.sign", message=message, ip=ip)


def order(**changed: int) -> dict[str, Any]:
    """An order to buy one unit at one, so that its notional is 10^-16."""
    good: dict[str, Any] = {
        **{"kind": "order", "symbol": "ANN-457_BNB", "side": 1, "order_type": 2, "time_in_force": 1},
        **{"price": 1, "quantity": 1},
    }
    return question(operation="order.sign", message={**good, **changed})


UNFREEZE = {"kind": "unfreeze", "symbol": "BNB", "amount": 10**12}
VOTE = {"kind": "vote", "proposal_id": 1, "option": 1}
CANCEL = {"kind": "cancel_order", "symbol": "ANN-457_BNB", "order_id": "A" * 40 + "-1"}

INSIDE = {
    "a small amount to a known receiver": question(),
    "the largest that may be": question(message=paying((RECEIVER, "BNB", 5))),
    "two payments that each may be": question(
        message=paying((RECEIVER, "BNB", 5), (SECOND_RECEIVER, "ANN-457", 5))
    ),
    "from inside": freeze("10.1.2.3"),
    "from inside, as a listener for both families shows it": freeze("::ffff:10.1.2.3"),
    "from inside, IPv6": freeze("2001:db8::7"),
    "on one of the days": question(operation="unfreeze.sign", message=UNFREEZE),
    "a small order": order(),
    "an order of exactly the largest value": order(price=10**4, quantity=10**4),
}
OUTSIDE = {
    "one unit too many": question(message=paying((RECEIVER, "BNB", 6))),
    "another receiver": question(message=paying((OTHER_RECEIVER, "BNB", 1))),
    "another token": question(message=paying((RECEIVER, "USD-1AB", 1))),
    "the second payment is too large": question(
        message=paying((RECEIVER, "BNB", 1), (SECOND_RECEIVER, "BNB", 6))
    ),
    "the second payment goes elsewhere": question(
        message=paying((RECEIVER, "BNB", 1), (OTHER_RECEIVER, "BNB", 1))
    ),
    "the second token of a payment is too much": question(
        message={
            "kind": "transfer",
            "outputs": [
                {
                    "to_address": RECEIVER,
                    "coins": [{"denom": "ANN-457", "amount": 1}, {"denom": "BNB", "amount": 6}],
                }
            ],
        }
    ),
    "from outside": freeze("192.0.2.7"),
    "from this machine": freeze("127.0.0.1"),
    "from outside, IPv6": freeze("2001:db9::7"),
    "from the guest network": freeze("10.66.0.1"),
    "from the guest network, spelled as IPv6": freeze("::ffff:10.66.0.1"),
    "from the guest network, in hexadecimal": freeze("::ffff:a42:1"),
    "from inside, but too much": freeze("10.1.2.3", 1000),
    "another day": question(operation="vote.sign", message=VOTE),
    "by a rule that has expired": question(operation="cancel_order.sign", message=CANCEL),
    "an order that sells": order(side=2),
    "an order of too large a value": order(price=10**4, quantity=10**4 + 1),
    "an order whose value only an exact product shows": order(price=2**62, quantity=2**62),
}


@pytest.mark.parametrize("case", INSIDE)
def test_what_policy_allows_is_signed(wire: Wire, case: str) -> None:
    assert "signature" in wire.ask(SIGN_BEACON, INSIDE[case]).document.get("ok", {}), case


@pytest.mark.parametrize("verb", ["sign", "broadcast"])
@pytest.mark.parametrize("case", OUTSIDE)
def test_what_a_condition_forbids_is_refused_without_reading_a_key(
    world: World, wire: Wire, case: str, verb: str
) -> None:
    asked = {**OUTSIDE[case], "operation": OUTSIDE[case]["operation"].replace("sign", verb)}
    before = vault_reads(world.service)
    assert wire.ask(SIGN_BEACON, asked).error == "policy_denied"
    assert vault_reads(world.service) == before


def test_the_time_is_custodys_own(wire: Wire) -> None:
    """There is no word in the question that could say another, and none is taken."""
    for name in ("at", "now", "time", "timestamp"):
        later = (datetime.now(UTC) + timedelta(days=3)).isoformat()
        asked = question(operation="vote.sign", message=VOTE, **{name: later})
        assert wire.ask(SIGN_BEACON, asked).error == "bad_question"


@pytest.mark.parametrize(
    "ip", ["10.1.2.3/8", "10.1.2.3 ", "010.1.2.3", "10.1.2", "0x0a010203", "", "::ffff:10.1.2.3/96"]
)
def test_an_address_that_could_be_read_in_two_ways_is_refused(wire: Wire, ip: str) -> None:
    assert wire.ask(SIGN_BEACON, freeze(ip)).error == "bad_question"


def wrong_digests(right: str) -> list[str]:
    """Of other sets, and of none."""
    name, _, hexadecimal = right.partition(":")
    return [
        *("", "*", "sha256:", "sha256:" + "0" * 64, "current", "null"),
        *(
            right.upper(),
            right[:-1],
            right + "0",
            right + " ",
            right + "\n",
            hexadecimal,
            f"{name}:{hexadecimal[:12]}",
        ),
    ]


def test_under_another_digest_than_custodys_own_nothing_is_signed(world: World, wire: Wire) -> None:
    before = vault_reads(world.service)
    for digest in wrong_digests(policy_of(world.service)):
        assert wire.ask(SIGN_BEACON, question(policy=digest)).error == "policy_mismatch", digest
        assert wire.ask(SIGN_BEACON, {**freeze("10.66.0.1"), "policy": digest}).error == "policy_mismatch"
    assert vault_reads(world.service) == before


def test_custody_takes_no_policies_from_the_server(world: World, wire: Wire) -> None:
    """It can be told when to look into the directory, not what it finds there."""
    right = policy_of(world.service)
    for digest in wrong_digests(right):
        assert wire.ask(LOAD_POLICIES, {"policy": digest}).error == "policy_mismatch"
    allow = "version: 1\nrules: [{id: all, effect: allow}]"
    for more in ("rules", "directory", "set"):
        assert wire.ask(LOAD_POLICIES, {"policy": right, more: allow}).error == "bad_question"
    assert wire.ask(HEALTH, {}).document["ok"]["policy"] == right
    assert wire.ask(SIGN_BEACON, question(message=paying((RECEIVER, "BNB", 6)))).error == "policy_denied"


def test_a_file_that_nobody_has_loaded_allows_nothing_yet(world: World, wire: Wire) -> None:
    """Custody does not look by itself; and the server's own watch waits for files to settle."""
    more = world.installation.settings.policies / "more.yml"
    right = policy_of(world.service)
    try:
        more.write_text("version: 1\nrules:\n  - {id: anything, effect: allow}\n")
        opened = policy_of(world.service)
        asked = question(message=paying((RECEIVER, "BNB", 6)))
        assert wire.ask(SIGN_BEACON, {**asked, "policy": opened}).error == "policy_mismatch"
        assert wire.ask(SIGN_BEACON, {**asked, "policy": right}).error == "policy_denied"
    finally:
        more.unlink()
    assert wire.ask(LOAD_POLICIES, {"policy": opened}).error == "policy_mismatch"
    assert wire.ask(SIGN_BEACON, question(policy=right)).error is None


def by_ticket(wire: Wire, units: int, **changed: Any) -> str | None:
    """What becomes of a client's signature over a transfer."""
    call = signed_call(BOT, "POST", "/api/transfer/sign", document=transfer("desk", units))
    proof = wire.ask(AUTHENTICATE, signed_request(call)).document["ok"]["proof"]
    amount = paying((RECEIVER, "BNB", units))
    asked = question(principal={"kind": "client", "name": "bot-1"}, ticket=proof["ticket"], message=amount)
    return wire.ask(SIGN_BEACON, {**asked, **changed}).error


def test_a_clients_own_signature_is_no_way_around_a_condition(world: World, wire: Wire) -> None:
    assert by_ticket(wire, 5) is None
    assert by_ticket(wire, 6) == "policy_denied"
    assert by_ticket(wire, 5, policy="sha256:" + "0" * 64) == "policy_mismatch"


def test_a_ticket_is_not_good_from_another_address(wire: Wire) -> None:
    """The server cannot say one thing when it asks who signed, and another when it asks for the signature."""
    assert by_ticket(wire, 1, ip="::ffff:127.0.0.1") == "no_permission"
    assert by_ticket(wire, 2, ip="10.1.2.3") == "no_permission"
    assert by_ticket(wire, 3) is None
