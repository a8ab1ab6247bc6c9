"""Whoever has taken the server over can speak to custody directly. Custody signs nothing then that it would not sign anyway."""

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.adversarial.custody_wire import (
    ACCESS_TOKEN_KEYS,
    ANSWER,
    HEALTH,
    HELLO,
    LOG_IN,
    PUBLIC_KEY,
    SIGN_BEACON,
    Wire,
    custody_socket,
    frame,
    vault_reads,
    wire_to,
)
from tests.adversarial.desk import MAINNET_RECEIVER, RECEIVER, private_key_wallet, running_desk, transfer
from tests.world import USERNAME, World, cheap_hash
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

OUTPUT: dict[str, Any] = {"to_address": RECEIVER, "coins": [{"denom": "BNB", "amount": 1}]}
TRANSFER: dict[str, Any] = {"kind": "transfer", "outputs": [OUTPUT]}
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


@pytest.fixture
def wire(world: World) -> Iterator[Wire]:
    with wire_to(world.service) as connected:
        yield connected


@pytest.fixture(autouse=True)
def custody_survives(world: World) -> Iterator[None]:
    """After each test it is the same process, in good health, and signs what it should."""
    pid = world.service.custody_pid
    yield
    assert world.service.custody_pid == pid
    with wire_to(world.service) as connected:
        assert connected.ask(HEALTH, {}).document["ok"]["vault"] == "ok"
        assert "signature" in connected.ask(SIGN_BEACON, question()).document["ok"]


def question(**changed: Any) -> dict[str, Any]:
    """A good request to sign, with changes."""
    good = {
        **{
            "request_id": "forged",
            "principal": {"kind": "user", "name": USERNAME},
            "operation": "transfer.sign",
        },
        **{
            "wallet": "desk",
            "message": TRANSFER,
            "memo": "",
            "account_number": 1,
            "sequence": 0,
            "source": 0,
        },
    }
    return {**good, **changed}


def without(name: str) -> dict[str, Any]:
    """A request to sign that lacks a member."""
    return {member: value for member, value in question().items() if member != name}


def user(name: str) -> dict[str, str]:
    """A principal."""
    return {"kind": "user", "name": name}


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


GOOD = json.dumps(question()).encode()


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
def test_bytes_that_could_be_read_in_two_ways_are_refused(world: World, wire: Wire, payload: bytes) -> None:
    before = vault_reads(world.service)
    assert wire.ask(SIGN_BEACON, payload).error == "bad_question"
    assert vault_reads(world.service) == before


@pytest.mark.parametrize("code", [PUBLIC_KEY, ACCESS_TOKEN_KEYS, HEALTH])
@pytest.mark.parametrize(
    "payload", [b"", b"{}x", b'{"wallet": "desk", "more": 1}', b'{"wallet": ["desk"]}', b"null"]
)
def test_the_other_questions_are_read_as_strictly(wire: Wire, code: int, payload: bytes) -> None:
    assert wire.ask(code, payload).error == "bad_question"


def test_a_log_in_gives_a_token_for_a_right_password_only(wire: Wire) -> None:
    for body in (
        {"username": USERNAME},
        {"username": USERNAME, "password": "wrong"},
        {"username": "root", "password": ""},
    ):
        answer = wire.ask(LOG_IN, body).document["ok"]
        assert answer["refusal"]["code"] in ("invalid_fields", "bad_credentials")
        assert "access_token" not in json.dumps(answer)


@pytest.mark.parametrize("code", [HELLO, 6, 7, 0x7F, SIGN_BEACON | ANSWER, HELLO | ANSWER, 0xFF])
def test_a_question_that_is_not_in_the_table_ends_the_connection(wire: Wire, code: int) -> None:
    assert wire.ask(code, GOOD).error == "bad_question"
    assert wire.closed()


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_ends_the_connection(wire: Wire, version: int) -> None:
    wire.send(frame(SIGN_BEACON, GOOD, version=version))
    assert wire.read().error == "bad_question"
    assert wire.closed()


@pytest.mark.parametrize("length", [0, 9, MAX_FRAME + 1, 2**31, 2**32 - 1])
def test_an_impossible_length_ends_the_connection(wire: Wire, length: int) -> None:
    wire.send(frame(SIGN_BEACON, GOOD, length=length))
    assert wire.read().error == "bad_question"
    assert wire.closed()


def test_bytes_after_a_frame_are_another_frame_or_the_end(wire: Wire) -> None:
    wire.send(frame(SIGN_BEACON, GOOD) + b"\0" * 64)
    assert wire.read().error == "bad_question"
    assert wire.closed()


def test_a_frame_as_large_as_can_be_is_read_and_refused(wire: Wire) -> None:
    assert wire.ask(SIGN_BEACON, b" " * (MAX_FRAME - 10)).error == "bad_question"
    memo = json.dumps(question(memo="m" * 200_000)).encode()
    assert wire.ask(SIGN_BEACON, memo).error == "bad_question"


@pytest.mark.parametrize("id_", [0, 2**63, 2**64 - 1])
def test_any_id_is_given_back_as_it_was(wire: Wire, id_: int) -> None:
    answer = wire.ask(HEALTH, {}, id_)
    assert (answer.code, answer.id) == (HEALTH | ANSWER, id_)


def test_one_id_used_twice_gets_two_answers(wire: Wire) -> None:
    wire.send(
        frame(SIGN_BEACON, GOOD, 7) + frame(SIGN_BEACON, json.dumps(question(wallet="nobody")).encode(), 7)
    )
    answers = [wire.read(), wire.read()]
    assert {answer.id for answer in answers} == {7}
    assert {answer.error for answer in answers} == {None, "bad_question"}


def test_largest_counters_are_signed_as_they_are(wire: Wire) -> None:
    asked = question(account_number=INT64_MAX, sequence=INT64_MAX, source=INT64_MAX)
    assert wire.ask(SIGN_BEACON, asked).error is None


def test_a_peer_that_leaves_in_the_middle_does_no_harm(world: World) -> None:
    data = frame(SIGN_BEACON, GOOD)
    for end in range(0, len(data), 16):
        with wire_to(world.service) as wire:
            wire.send(data[:end])
    for _ in range(50):  # asked and gone: the answer has nobody to go to
        with wire_to(world.service) as wire:
            wire.send(data * 5)


def test_garbage_ends_its_connection_and_nothing_else(world: World) -> None:
    chance = random.Random(2026)  # noqa: S311 (a failure must be one that comes again)
    with wire_to(world.service) as honest:
        for _ in range(100):
            with wire_to(world.service, timeout_seconds=2) as wire:
                data = bytearray(frame(SIGN_BEACON, GOOD) * 3)
                for _ in range(chance.randrange(1, 40)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                try:
                    wire.send(bytes(data) if chance.random() < 0.7 else chance.randbytes(600))
                except ConnectionError:
                    continue
        assert honest.ask(SIGN_BEACON, question()).error is None


def test_a_flood_is_answered_or_refused_but_never_lost(world: World, wire: Wire) -> None:
    count = 3000
    wire.send(b"".join(frame(PUBLIC_KEY, b'{"wallet": "desk"}', number) for number in range(count)))
    answers = [wire.read() for _ in range(count)]
    assert {answer.id for answer in answers} == set(range(count))
    assert {answer.error for answer in answers} <= {None, "custody_unavailable"}


def test_more_connections_than_the_backlog_are_served(world: World) -> None:
    path = str(custody_socket(world.service))
    peers = [socket.socket(socket.AF_UNIX) for _ in range(200)]
    try:
        for peer in peers:
            peer.connect(path)
            peer.settimeout(10)
        assert all(Wire(peer).read().code == HELLO | ANSWER for peer in peers)
    finally:
        for peer in peers:
            peer.close()


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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_not_served_even_where_the_socket_is_open_to_all(world: World) -> None:
    path = custody_socket(world.service)
    stranger = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "peer = socket.socket(socket.AF_UNIX); peer.settimeout(5)\n"
        "try:\n peer.connect(sys.argv[1]); print('heard', len(peer.recv(100)))\n"
        "except OSError as error:\n print(type(error).__name__)\n"
    )
    ask = [sys.executable, "-I", "-S", "-c", stranger, str(path)]
    # Ours alone by the directory's mode; and where that has been given away, by the peer's own user id.
    assert subprocess.check_output(ask).strip() == b"PermissionError"
    try:
        path.parent.chmod(0o755)
        path.chmod(0o777)
        assert subprocess.check_output(ask).strip() in (b"heard 0", b"ConnectionResetError")
    finally:
        path.parent.chmod(0o700)


def test_the_server_signs_as_ever_meanwhile(world: World) -> None:
    with wire_to(world.service) as wire:
        wire.send(frame(SIGN_BEACON, GOOD)[:30])
        assert world.post("/api/transfer/sign", transfer("desk")).status == 200
