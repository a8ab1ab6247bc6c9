"""Bytes that custody does not expect: they end their own connection at most, and nothing is ever signed that was not asked."""

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.adversarial.custody_wire import (
    ANSWER,
    AUTHENTICATE,
    FIND_KEYS,
    HEALTH,
    HELLO,
    PUBLIC_KEY,
    SIGN_BEACON,
    Answer,
    Wire,
    custody_socket,
    frame,
    policy_of,
    question,
    signed_request,
    wire_to,
)
from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.patience import PATIENCE_SECONDS
from tests.signing_client import HmacKey, signed_call
from tests.world import USERNAME, World
from vaultsigner.custody.monitor import MOST_CONNECTIONS
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedClient

BOT = HmacKey("vs_test_bot", "secret of a test's bot")
MAX_FRAME = 256 * 1024
INT64_MAX = 2**63 - 1


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    bot = PlannedClient("bot-1", BOT.api_key, "hmac", {"desk": EVERY_PERMISSION}, BOT.secret)
    directory = tmp_path_factory.mktemp("frames")
    with running_desk(directory, private_key_wallet("desk"), clients=(bot,)) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(world: World) -> dict[str, str]:
    """The access token that the server has seen pass."""
    return {USERNAME: world.token()}


@pytest.fixture
def good(world: World, tokens: dict[str, str]) -> bytes:
    """A request that custody signs."""
    shown = {"access_token": tokens[USERNAME], "ticket": None, "policy": policy_of(world.service)}
    return json.dumps({**shown, **question()}).encode()


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


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "wallet", "name": "nobody"},
        {"kind": "wallet", "name": "../../sys/seal"},
        {"kind": "client", "name": "bot-1"},
        {"kind": "wallet", "name": "desk", "path": "secret/data/clients/bot-1"},
    ],
    ids=["unknown", "path", "client", "more"],
)
def test_a_forged_question_for_keys_learns_of_nothing_but_the_configuration_s(
    wire: Wire, asked: dict[str, str]
) -> None:
    assert wire.ask(FIND_KEYS, asked).error == "bad_question"
    found = wire.ask(FIND_KEYS, {"kind": "wallet", "name": "desk"}).document["ok"]
    assert found == {"presence": "present", "reason": None}


@pytest.mark.parametrize("code", [HELLO, 19, 20, 0x7F, SIGN_BEACON | ANSWER, HELLO | ANSWER, 0xFF])
def test_a_question_that_is_not_in_the_table_ends_the_connection(wire: Wire, code: int, good: bytes) -> None:
    assert wire.ask(code, good).error == "bad_question"
    assert wire.closed()


@pytest.mark.parametrize("version", [0, 3, 5, 255])
def test_another_version_ends_the_connection(wire: Wire, version: int, good: bytes) -> None:
    wire.send(frame(SIGN_BEACON, good, version=version))
    assert wire.read().error == "bad_question"
    assert wire.closed()


@pytest.mark.parametrize("length", [0, 9, MAX_FRAME + 1, 2**31, 2**32 - 1])
def test_an_impossible_length_ends_the_connection(wire: Wire, length: int, good: bytes) -> None:
    wire.send(frame(SIGN_BEACON, good, length=length))
    assert wire.read().error == "bad_question"
    assert wire.closed()


def test_bytes_after_a_frame_are_another_frame_or_the_end(wire: Wire, good: bytes) -> None:
    wire.send(frame(SIGN_BEACON, good) + b"\0" * 64)
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


def test_one_id_used_twice_gets_two_answers(wire: Wire, good: bytes) -> None:
    wire.send(
        frame(SIGN_BEACON, good, 7) + frame(SIGN_BEACON, json.dumps(question(wallet="nobody")).encode(), 7)
    )
    answers = [wire.read(), wire.read()]
    assert {answer.id for answer in answers} == {7}
    assert {answer.error for answer in answers} == {None, "bad_question"}


def test_largest_counters_are_signed_as_they_are(wire: Wire) -> None:
    asked = question(account_number=INT64_MAX, sequence=INT64_MAX, source=INT64_MAX)
    assert wire.ask(SIGN_BEACON, asked).error is None


def test_a_peer_that_leaves_in_the_middle_does_no_harm(world: World, good: bytes) -> None:
    data = frame(SIGN_BEACON, good)
    for end in range(0, len(data), 16):
        with wire_to(world.service) as wire:
            wire.send(data[:end])
    for _ in range(50):  # asked and gone: the answer has nobody to go to
        with wire_to(world.service) as wire:
            wire.send(data * 5)


def test_garbage_ends_its_connection_and_nothing_else(
    world: World, tokens: dict[str, str], good: bytes
) -> None:
    chance = random.Random(2026)  # noqa: S311 (a failure must be one that comes again)
    with wire_to(world.service, tokens) as honest:
        for _ in range(100):
            with wire_to(world.service) as wire:
                data = bytearray(frame(SIGN_BEACON, good) * 3)
                for _ in range(chance.randrange(1, 40)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                try:
                    wire.send(bytes(data) if chance.random() < 0.7 else chance.randbytes(600))
                except ConnectionError:
                    continue
        assert honest.ask(SIGN_BEACON, question()).error is None


def signed(amount: int = 1) -> dict[str, Any]:
    """The question about a transfer that the client has just signed."""
    return signed_request(signed_call(BOT, "POST", "/api/transfer/sign", document=transfer("desk", amount)))


def by_ticket(answer: Answer, **changed: Any) -> dict[str, Any]:
    """The request to sign for what was proved."""
    proof = answer.document["ok"]["proof"]
    client = {"kind": "client", "name": proof["client"]}
    return question(principal=client, ticket=proof["ticket"], **changed)


def test_a_clients_signature_is_worth_one_of_ours(wire: Wire) -> None:
    asked = signed()
    first, second = wire.ask(AUTHENTICATE, asked), wire.ask(AUTHENTICATE, asked)
    assert wire.ask(SIGN_BEACON, by_ticket(first)).error is None
    assert wire.ask(SIGN_BEACON, by_ticket(first)).error == "custody_unavailable"
    assert wire.ask(SIGN_BEACON, by_ticket(second)).error == "replayed"


def test_another_connection_may_use_a_ticket_but_not_for_more(world: World, wire: Wire) -> None:
    proof = wire.ask(AUTHENTICATE, signed(2))
    with wire_to(world.service) as other:
        assert other.ask(SIGN_BEACON, by_ticket(proof)).error == "no_permission", "one unit is not two"
        assert other.ask(SIGN_BEACON, by_ticket(proof)).error == "custody_unavailable"


def test_damaged_questions_about_who_signed_are_refused(world: World) -> None:
    """Any byte of the question changed: nobody is proved, or the same client for the same bytes."""
    chance = random.Random(2026)  # noqa: S311 (a failure must be one that comes again)
    with wire_to(world.service) as wire:
        good = json.dumps(signed()).encode()
        nonce = wire.ask(AUTHENTICATE, good).document["ok"]["proof"]["nonce"]
        for _ in range(500):
            damaged = bytearray(good)
            for _ in range(chance.randrange(1, 4)):
                damaged[chance.randrange(len(damaged))] = chance.choice(b'"{}[],:\\0aA=/+ \xff')
            answer = wire.ask(AUTHENTICATE, bytes(damaged))
            assert answer.error in (None, "bad_question")
            proof = answer.document.get("ok", {}).get("proof")
            assert proof is None or proof["nonce"] == nonce


def test_garbage_about_who_signed_ends_its_connection_and_nothing_else(world: World) -> None:
    chance = random.Random(2027)  # noqa: S311 (the same)
    for _ in range(50):
        with wire_to(world.service) as wire:
            data = bytearray(frame(AUTHENTICATE, json.dumps(signed()).encode()) * 3)
            for _ in range(chance.randrange(1, 40)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            with suppress(ConnectionError):
                wire.send(bytes(data))


def test_a_flood_of_signed_requests_leaves_room_for_the_next(world: World, wire: Wire) -> None:
    """Each of them has custody ask for the key ahead, or would."""
    asked = json.dumps(signed()).encode()
    wire.send(b"".join(frame(AUTHENTICATE, asked, number) for number in range(2000)))
    answers = [wire.read() for _ in range(2000)]
    assert {answer.error for answer in answers} <= {None, "custody_unavailable"}
    assert wire.ask(SIGN_BEACON, by_ticket(wire.ask(AUTHENTICATE, signed()))).error is None


def test_a_flood_is_answered_or_refused_but_never_lost(world: World, wire: Wire) -> None:
    count = 3000
    wire.send(b"".join(frame(PUBLIC_KEY, b'{"wallet": "desk"}', number) for number in range(count)))
    answers = [wire.read() for _ in range(count)]
    assert {answer.id for answer in answers} == set(range(count))
    assert {answer.error for answer in answers} <= {None, "custody_unavailable"}


def test_more_connections_than_the_backlog_are_answered_or_closed_and_the_server_is_served(
    world: World,
) -> None:
    path = str(custody_socket(world.service))
    peers = [socket.socket(socket.AF_UNIX) for _ in range(200)]
    try:
        for peer in peers:
            peer.connect(path)
            peer.settimeout(PATIENCE_SECONDS)
        heard = [says_hello(peer) for peer in peers]
        assert 1 <= sum(heard) <= MOST_CONNECTIONS
        assert world.post("/api/transfer/sign", transfer("desk")).status == 200
    finally:
        for peer in peers:
            peer.close()


def says_hello(peer: socket.socket) -> bool:
    """Whether custody takes this connection; it closes it otherwise."""
    try:
        return Wire(peer, {}).read().code == HELLO | ANSWER
    except (EOFError, ConnectionResetError):
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_not_served_even_where_the_socket_is_open_to_all(world: World) -> None:
    path = custody_socket(world.service)
    stranger = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        f"peer = socket.socket(socket.AF_UNIX); peer.settimeout({PATIENCE_SECONDS})\n"
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


def test_the_server_signs_as_ever_meanwhile(world: World, good: bytes) -> None:
    with wire_to(world.service) as wire:
        wire.send(frame(SIGN_BEACON, good)[:30])
        assert world.post("/api/transfer/sign", transfer("desk")).status == 200
