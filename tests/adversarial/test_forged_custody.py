"""Whoever has taken the server over can speak to custody directly. Custody signs nothing then that it would not sign anyway."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.adversarial.custody_wire import (
    ACCESS_TOKEN_KEYS,
    HEALTH,
    LOAD_POLICIES,
    LOG_IN,
    OUTPUT,
    PUBLIC_KEY,
    SIGN_BEACON,
    TRANSFER,
    Wire,
    policy_of,
    question,
    user,
    vault_reads,
    wire_to,
)
from tests.adversarial.desk import MAINNET_RECEIVER, RECEIVER, private_key_wallet, running_desk
from tests.world import PASSWORD, USERNAME, World, cheap_hash
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedUser

MAX_FRAME = 256 * 1024
INT64_MAX = 2**63 - 1
POLICY = """\
version: 1
rules:
  - id: within-permissions
    effect: allow
    operations: [transfer.*, order.*, freeze.*, cancel_order.*]
  - id: reserve-is-closed
    effect: deny
    targets: [wallet:reserve]
"""

ORDER = {
    **{"kind": "order", "symbol": "ANN-457_BNB", "side": 1, "order_type": 2, "time_in_force": 1},
    **{"price": 1, "quantity": 1},
}
FREEZE = {"kind": "freeze", "symbol": "BNB", "amount": 1}
VOTE = {"kind": "vote", "proposal_id": 1, "option": 1}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three wallets: one for everything, one that may only trade, one that policy has closed; and a clerk who may only trade."""
    wallets = (
        private_key_wallet("desk"),
        private_key_wallet("shop", permissions=("trade",)),
        private_key_wallet("reserve"),
    )
    clerk = PlannedUser("clerk", "clerk's own", {"desk": ("trade",)}, cheap_hash("clerk's own"))
    lord = PlannedUser(
        "lord",
        "lord's own",
        dict.fromkeys(("desk", "shop", "reserve"), EVERY_PERMISSION),
        cheap_hash("lord's own"),
    )
    directory = tmp_path_factory.mktemp("forged")
    with running_desk(directory, *wallets, users=(clerk, lord), policy=POLICY) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(world: World) -> dict[str, str]:
    """What a server that was taken over has seen pass: an access token of each user."""
    passwords = {USERNAME: PASSWORD, "clerk": "clerk's own", "lord": "lord's own"}
    return {name: world.token(name, password) for name, password in passwords.items()}


@pytest.fixture
def wire(world: World, tokens: dict[str, str]) -> Iterator[Wire]:
    with wire_to(world.service, tokens) as connected:
        yield connected


@pytest.fixture(autouse=True)
def custody_survives(world: World, tokens: dict[str, str]) -> Iterator[None]:
    """After each test it is the same process, in good health, and signs what it should."""
    pid = world.service.custody_pid
    yield
    assert world.service.custody_pid == pid
    with wire_to(world.service, tokens) as connected:
        assert connected.ask(HEALTH, {}).document["ok"]["vault"] == "ok"
        assert "signature" in connected.ask(SIGN_BEACON, question()).document["ok"]


def without(name: str) -> dict[str, Any]:
    """A request to sign that lacks a member."""
    return {member: value for member, value in question().items() if member != name}


FORBIDDEN = {
    "a user without the permission": (question(principal=user("clerk")), "no_permission"),
    "a user without the wallet": (
        question(principal=user("clerk"), wallet="shop", operation="order.sign", message=ORDER),
        "no_permission",
    ),
    "a wallet without the permission": (question(principal=user("lord"), wallet="shop"), "no_permission"),
    "a wallet that policy has closed": (question(principal=user("lord"), wallet="reserve"), "policy_denied"),
    "an operation that no rule allows": (question(operation="vote.sign", message=VOTE), "policy_denied"),
    "an unknown user": (question(principal=user("root")), "no_permission"),
    "no name": (question(principal=user("")), "no_permission"),
    "another spelling": (question(principal=user("Sam")), "no_permission"),
    "a name with its kind": (question(principal=user("user:sam")), "no_permission"),
    "a client of that name": (question(principal={"kind": "client", "name": USERNAME}), "no_permission"),
    "an unknown wallet": (question(wallet="nobody"), "bad_question"),
    "a wallet by its reference": (question(wallet="vault:secret/wallets/desk#private_key"), "bad_question"),
    "a wallet by a path": (question(wallet="../wallets/desk"), "bad_question"),
}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_what_permissions_and_policy_forbid_is_refused_without_reading_a_key(
    world: World, wire: Wire, case: str
) -> None:
    asked, code = FORBIDDEN[case]
    before = vault_reads(world.service)
    assert wire.ask(SIGN_BEACON, asked).error == code
    assert vault_reads(world.service) == before


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        *(
            ("order.sign", TRANSFER),
            ("transfer.sign", ORDER),
            ("freeze.sign", TRANSFER),
            ("transfer.sign", VOTE),
        ),
        *(("unfreeze.sign", FREEZE), ("cancel_order.sign", ORDER), ("vote.sign", TRANSFER)),
        *(
            ("transfer", TRANSFER),
            ("transfer.", TRANSFER),
            ("transfer.release", TRANSFER),
            (".sign", TRANSFER),
        ),
        *(("transfer.sign.", TRANSFER), ("transfer.sign.sign", TRANSFER), ("Transfer.sign", TRANSFER)),
        *(("transfer.sign\n", TRANSFER), ("transfer.*", TRANSFER), ("*", TRANSFER), ("", TRANSFER)),
    ],
)
def test_an_operation_that_is_not_the_messages_own_is_refused(
    world: World, wire: Wire, operation: str, message: dict[str, Any]
) -> None:
    """Policy decides on the operation; custody signs the message: the two must not be told apart."""
    before = vault_reads(world.service)
    assert wire.ask(SIGN_BEACON, question(operation=operation, message=message)).error == "bad_question"
    assert vault_reads(world.service) == before


def output(**changed: Any) -> dict[str, Any]:
    """A transfer whose one output is changed."""
    return {"kind": "transfer", "outputs": [{**OUTPUT, **changed}]}


def coins(*amounts: object) -> dict[str, Any]:
    """A transfer of these amounts."""
    return output(coins=[{"denom": "BNB", "amount": amount} for amount in amounts])


@pytest.mark.parametrize(
    "message",
    [
        *({}, [], None, "00" * 32, 7, {"kind": "raw", "digest": "00" * 32}, {"kind": "transfer"}),
        *({**TRANSFER, "digest": "00" * 32}, {**TRANSFER, "kind": "Transfer"}, {**TRANSFER, "kind": None}),
        *({"kind": "transfer", "outputs": []}, {"kind": "transfer", "outputs": [OUTPUT, OUTPUT]}),
        *(
            coins(),
            coins(0),
            coins(-1),
            coins(2**63),
            coins(10**400),
            coins(True),
            coins("1"),
            coins(1.0),
            coins(1, 1),
        ),
        *(coins(None), output(coins={}), output(coins=[[]]), output(coins=[{"denom": "", "amount": 1}])),
        *(output(to_address=MAINNET_RECEIVER), output(to_address=""), output(to_address=RECEIVER.upper())),
        *(output(to_address=None), output(to_address="x" * 10_000), output(extra=1)),
    ],
)
def test_a_message_that_the_chain_has_no_form_for_is_refused(
    world: World, wire: Wire, message: object
) -> None:
    before = vault_reads(world.service)
    assert wire.ask(SIGN_BEACON, question(message=message)).error == "bad_question"
    assert vault_reads(world.service) == before


@pytest.mark.parametrize(
    "asked",
    [
        *(without(name) for name in question()),
        *(question(**{name: 1}) for name in ("chain_id", "digest", "sign_bytes", "raw", "private_key")),
        *(question(memo=memo) for memo in ("m" * 129, "ü" * 65, None, 1, ["memo"])),
        *(question(account_number=number) for number in (-1, 2**63, 2**64, 10**40, 1.0, "1", None, True)),
        *(question(sequence=number) for number in (-1, 2**63, 10**300, 0.5, "0", None, False)),
        *(question(source=number) for number in (-1, 2**63, "0", None)),
        *(question(ip=ip) for ip in ("", "10.0.0", "10.0.0.0/8", "localhost", 1, None, ["127.0.0.1"])),
        *(question(policy=digest) for digest in (None, 1, ["sha256:00"])),
        *(
            question(principal=who)
            for who in (USERNAME, None, {"kind": "user"}, {"kind": "root", "name": USERNAME})
        ),
        question(principal={**user(USERNAME), "admin": True}),
        *(question(wallet=name) for name in (None, 1, ["desk"], {"name": "desk"})),
        question(operation=None),
        question(request_id=7),
        *([], "text", 7, None, {}),
    ],
)
def test_a_question_that_is_not_exactly_of_its_form_is_refused(
    world: World, wire: Wire, asked: object
) -> None:
    before = vault_reads(world.service)
    assert wire.ask(SIGN_BEACON, asked).error == "bad_question"
    assert vault_reads(world.service) == before


GOOD = json.dumps({"access_token": "TOKEN", "ticket": None, "policy": "POLICY", **question()}).encode()


@pytest.mark.parametrize(
    "payload",
    [
        *(
            b"",
            GOOD + b"x",
            GOOD + b"{}",
            GOOD + GOOD,
            GOOD + b"\0",
            GOOD[:-1],
            b"\xef\xbb\xbf" + GOOD,
            b"\xff" + GOOD,
        ),
        *(
            GOOD.decode().encode("utf-16"),
            GOOD.replace(b'"desk"', b'"desk", "wallet": "shop"'),
            b"[" * 100_000,
        ),
        *(
            GOOD.replace(b'"memo": ""', b'"memo": "\\ud800"'),
            GOOD.replace(b'"sequence": 0', b'"sequence": 00'),
        ),
        *(
            GOOD.replace(b'"sequence": 0', b'"sequence": NaN'),
            GOOD.replace(b'"sequence": 0', b'"sequence": 1e1'),
        ),
        *(GOOD.replace(b'"sequence": 0', b'"sequence": ' + b"9" * 5000), GOOD.replace(b'"', b"'")),
    ],
)
def test_bytes_that_could_be_read_in_two_ways_are_refused(
    world: World, wire: Wire, tokens: dict[str, str], payload: bytes
) -> None:
    def filled_in(text: bytes) -> bytes:
        return text.replace(b"TOKEN", tokens[USERNAME].encode()).replace(
            b"POLICY", policy_of(world.service).encode()
        )

    before = vault_reads(world.service)
    assert wire.ask(SIGN_BEACON, filled_in(payload)).error == "bad_question"
    assert vault_reads(world.service) == before
    assert wire.ask(SIGN_BEACON, filled_in(GOOD)).error is None, "it is for nothing else that it was refused"


@pytest.mark.parametrize("code", [PUBLIC_KEY, ACCESS_TOKEN_KEYS, HEALTH, LOAD_POLICIES])
@pytest.mark.parametrize(
    "payload", [b"", b"{}x", b'{"wallet": "desk", "more": 1}', b'{"wallet": ["desk"]}', b"null"]
)
def test_the_other_questions_are_read_as_strictly(wire: Wire, code: int, payload: bytes) -> None:
    assert wire.ask(code, payload).error == "bad_question"


@pytest.mark.parametrize("token", ["", "none", "a.b.c", "x" * 5000])
def test_without_a_users_token_custody_signs_nothing_in_their_name(
    world: World, wire: Wire, token: str
) -> None:
    before = vault_reads(world.service)
    assert wire.ask(SIGN_BEACON, question(access_token=token)).error == "invalid_token"
    assert vault_reads(world.service) == before


@pytest.mark.parametrize("changed", ["payload", "signature"])
def test_a_token_that_was_changed_is_none(
    world: World, wire: Wire, tokens: dict[str, str], changed: str
) -> None:
    header, payload, signature = tokens[USERNAME].split(".")
    flipped = {
        "payload": (header, payload[:-2] + "QQ", signature),
        "signature": (header, payload, "A" + signature[1:]),
    }
    before = vault_reads(world.service)
    assert wire.ask(SIGN_BEACON, question(access_token=".".join(flipped[changed]))).error == "invalid_token"
    assert vault_reads(world.service) == before


@pytest.mark.parametrize(("named", "owner"), [(USERNAME, "clerk"), ("clerk", USERNAME), ("lord", "clerk")])
def test_one_users_token_does_not_sign_in_anothers_name(
    world: World, wire: Wire, tokens: dict[str, str], named: str, owner: str
) -> None:
    before = vault_reads(world.service)
    asked = question(principal=user(named), access_token=tokens[owner])
    assert wire.ask(SIGN_BEACON, asked).error == "no_permission"
    assert vault_reads(world.service) == before


def test_a_log_in_gives_a_token_for_a_right_password_only(wire: Wire) -> None:
    for body in (
        {"username": USERNAME},
        {"username": USERNAME, "password": "wrong"},
        {"username": "root", "password": ""},
    ):
        answer = wire.ask(LOG_IN, body).document["ok"]
        assert answer["refusal"]["code"] in ("invalid_fields", "bad_credentials")
        assert "access_token" not in json.dumps(answer)


def test_custodys_log_repeats_nothing_that_was_sent(world: World, wire: Wire) -> None:
    canary = "cafe" * 16
    for asked in (
        *(
            question(memo=canary * 4),
            question(wallet=canary),
            question(principal=user(canary)),
            {canary: canary},
        ),
        *(
            question(operation=canary),
            question(message={"kind": canary}),
            question(message=output(to_address=canary)),
        ),
        *(question(**{canary: canary}), canary),
    ):
        answer = wire.ask(SIGN_BEACON, asked)
        assert answer.error is not None
        assert canary not in json.dumps(answer.document)
    assert canary not in world.service.log.read_text()
