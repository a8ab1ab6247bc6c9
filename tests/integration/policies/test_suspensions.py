"""Operators stop callers and wallets on every server at once, with Vault down too; nobody else can, and nobody by mistake."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adversarial.desk import private_key_wallet, running_desk
from tests.integration.signed.callers import ED25519, HMAC, NAMES, UNHURRIED, planned_clients
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.signing_client import SigningKey, signed_call
from tests.world import USERNAME, Answer, World, cheap_hash
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedUser
from vaultsigner.dev.service import Service

WALLETS = (private_key_wallet("one"), private_key_wallet("two"))
HMAC_BOT, ED25519_BOT = NAMES["hmac_doc"], NAMES["ed25519_test"]
CHECK, SUSPENSIONS = "/api/auth/check", "/api/suspensions"


def planned(name: str, *roles: str) -> PlannedUser:
    """A user whose password is their name three times."""
    granted = {wallet.name: EVERY_PERMISSION for wallet in WALLETS}
    return PlannedUser(name, name * 3, granted, cheap_hash(name * 3), roles)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two operators, and clients; what a test suspends it resumes."""
    with running_desk(
        tmp_path_factory.mktemp("suspensions"),
        *WALLETS,
        users=(planned("olga", "operator"), planned("otto", "operator"), planned("eve", "auditor")),
        clients=planned_clients("one", "two"),
        rate_limits=UNHURRIED,
    ) as world:
        for name in ("olga", "otto", "eve"):
            world.token(name, name * 3)
        world.token()
        yield world


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """The same, with nothing suspended before and after."""
    yield shared
    for each in ask(shared, "otto", "GET", SUSPENSIONS).body["suspensions"]:
        path = "all" if each["kind"] == "all" else f"{each['kind']}/{each['name']}"
        assert ask(shared, "otto", "DELETE", f"{SUSPENSIONS}/{path}").status == 200


def ask(world: World, who: str, method: str, path: str, body: object = None) -> Answer:
    """As a user."""
    token = world.token() if who == USERNAME else world.token(who, who * 3)
    return world.ask(method, path, body, token=token)


def suspend(world: World, kind: str, name: str | None = None, *, who: str = "olga") -> Answer:
    named = {} if name is None else {"name": name}
    return ask(world, who, "POST", SUSPENSIONS, {"kind": kind, "reason": "a drill", **named})


def check(world: World, key: SigningKey, service: Service | None = None) -> int:
    """The status that a client is answered with."""
    return world.send(signed_call(key, "GET", CHECK), service=service).status


def test_a_suspended_client_is_refused_on_every_server(world: World) -> None:
    """Within a second: that is for the unit tests of `SuspensionWatch` to see, who count how often it looks."""
    with world.second_service() as second:
        assert (check(world, HMAC), check(world, HMAC, second)) == (200, 200)
        done = suspend(world, "client", HMAC_BOT)
        assert (done.status, done.body["changed"], done.body["by"]) == (200, True, "user:olga")
        assert check(world, HMAC) == 403
        wait_until(lambda: check(world, HMAC, second) == 403, "the other server knows")
        assert (check(world, ED25519), check(world, ED25519, second)) == (200, 200)
        assert ask(world, "otto", "DELETE", f"{SUSPENSIONS}/client/{HMAC_BOT}").status == 200
        assert check(world, HMAC) == 200
        wait_until(lambda: check(world, HMAC, second) == 200, "the other server knows")


def test_who_is_suspended_is_told_so_and_not_why(world: World) -> None:
    suspend(world, "client", HMAC_BOT)
    reply = world.send(signed_call(HMAC, "GET", CHECK))
    assert (reply.status, reply.body["code"]) == (403, "suspended")
    assert "drill" not in str(reply.body)
    assert "olga" not in str(reply.body)
    [record] = world.records(reply.request_id)
    assert (record["code"], record["reason"]) == ("suspended", f"client {HMAC_BOT} is suspended")


def test_it_is_on_the_record_who_did_it_from_where_and_why(world: World) -> None:
    began = suspend(world, "wallet", "two")
    ended = ask(world, "otto", "DELETE", f"{SUSPENSIONS}/wallet/two")
    for answer, event, by in ((began, "suspend", "user:olga"), (ended, "resume", "user:otto")):
        [details] = [
            each["details"]
            for each in world.records()
            if each.get("event") == event and each["details"]["request_id"] == answer.request_id
        ]
        assert details == {
            "kind": "wallet",
            "name": "two",
            "reason": "a drill",
            "by": by,
            "ip": "127.0.0.1",
            "request_id": answer.request_id,
        }
        assert [each["code"] for each in world.records(answer.request_id)] == ["ok"]


@pytest.mark.parametrize("who", [USERNAME, "eve"])
def test_nobody_but_operators_suspends_or_resumes_and_they_and_auditors_alone_read_why(
    world: World, who: str
) -> None:
    suspend(world, "wallet", "two")
    tries = [
        *([ask(world, who, "GET", SUSPENSIONS)] if who == USERNAME else []),
        suspend(world, "all", who=who),
        ask(world, who, "DELETE", f"{SUSPENSIONS}/wallet/two"),
        ask(world, who, "DELETE", f"{SUSPENSIONS}/all"),
    ]
    assert [(answer.status, answer.body["code"]) for answer in tries] == [(403, "no_permission")] * len(tries)
    [left] = ask(world, "eve", "GET", SUSPENSIONS).body["suspensions"]
    assert (left["kind"], left["name"]) == ("wallet", "two")


def test_clients_and_strangers_cannot_either(world: World) -> None:
    body = {"kind": "all", "reason": "x"}
    assert world.ask("POST", SUSPENSIONS, body, token=None).status == 401
    reply = world.signed(HMAC, "POST", SUSPENSIONS, document=body)
    assert (reply.status, reply.body["code"]) == (403, "no_permission")
    assert ask(world, "olga", "GET", SUSPENSIONS).body == {"suspensions": []}


def test_an_operator_who_is_suspended_cannot_end_it_and_cannot_log_in(world: World) -> None:
    suspend(world, "user", "olga", who="otto")
    for answer in (
        ask(world, "olga", "DELETE", f"{SUSPENSIONS}/user/olga"),
        ask(world, "olga", "GET", SUSPENSIONS),
        ask(world, "olga", "GET", "/api/wallet"),
        world.ask("POST", "/api/auth/login", {"username": "olga", "password": "olga" * 3}, token=None),
    ):
        assert (answer.status, answer.body["code"]) == (403, "suspended")
    wrong = world.ask("POST", "/api/auth/login", {"username": "olga", "password": "x"}, token=None)
    assert (wrong.status, wrong.body["code"]) == (400, "bad_credentials")


def test_while_everything_is_suspended_operators_alone_get_in(world: World) -> None:
    assert suspend(world, "all").status == 200
    assert check(world, HMAC) == 403
    assert ask(world, USERNAME, "GET", "/api/wallet").status == 403
    refused = world.ask("POST", "/api/auth/login", {"username": "eve", "password": "eve" * 3}, token=None)
    assert (refused.status, refused.body["code"]) == (403, "suspended")
    assert "access_token" not in refused.body
    log_in = world.ask("POST", "/api/auth/login", {"username": "otto", "password": "otto" * 3}, token=None)
    assert log_in.status == 200
    assert ask(world, "otto", "GET", "/api/approvals").status == 200
    assert ask(world, "otto", "DELETE", f"{SUSPENSIONS}/all").status == 200
    assert check(world, HMAC) == 200


def test_resuming_everything_resumes_nothing_that_was_suspended_by_name(world: World) -> None:
    suspend(world, "client", HMAC_BOT)
    suspend(world, "all")
    assert ask(world, "olga", "DELETE", f"{SUSPENSIONS}/all").status == 200
    assert (check(world, HMAC), check(world, ED25519)) == (403, 200)


def test_a_restart_resumes_nothing(tmp_path: Path) -> None:
    with running_desk(
        tmp_path / "world", users=(planned_without_wallets("olga", "operator"),), clients=planned_clients()
    ) as world:
        suspend(world, "client", HMAC_BOT)
        world.service.stop()
        with world.second_service() as second:
            assert check(world, HMAC, second) == 403


def planned_without_wallets(name: str, *roles: str) -> PlannedUser:
    return PlannedUser(name, name * 3, {}, cheap_hash(name * 3), roles)


def test_with_vault_down_operators_and_the_command_line_still_stop_everything(tmp_path: Path) -> None:
    with running_desk(
        tmp_path / "world", users=(planned_without_wallets("olga", "operator"),), clients=planned_clients()
    ) as world:
        world.token("olga", "olga" * 3)
        assert ask(world, "olga", "GET", SUSPENSIONS).status == 200
        assert check(world, ED25519) == 200
        world.openbao.stop()
        assert suspend(world, "client", ED25519_BOT).status == 200
        assert check(world, ED25519) == 403
        assert ask(world, "olga", "DELETE", f"{SUSPENSIONS}/client/{ED25519_BOT}").status == 200
        assert check(world, ED25519) == 200
        command_line(world, "suspend", "all", "--reason", "Vault is gone")
        wait_until(lambda: check(world, ED25519) == 403, "the server knows")
        [found] = ask(world, "olga", "GET", SUSPENSIONS).body["suspensions"]
        assert (found["kind"], found["reason"], found["by"][:4]) == ("all", "Vault is gone", "cli:")
        command_line(world, "resume", "all")
        wait_until(lambda: check(world, ED25519) == 200, "the server knows")
        events = [each["event"] for each in world.records() if each.get("event") in ("suspend", "resume")]
        assert sorted(events) == ["resume", "resume", "suspend", "suspend"]


def command_line(world: World, *words: str) -> None:
    """`vaultsigner ...` beside the running service."""
    done = subprocess.run(
        [sys.executable, "-m", "vaultsigner", *words, "--config", str(world.installation.config_file)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ},
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_bad_questions_change_nothing(world: World) -> None:
    bad: list[Any] = [
        {"kind": "client", "name": "bot-hmca", "reason": "x"},
        {"kind": "everything", "reason": "x"},
        {"kind": "all"},
        {"kind": "all", "reason": "x", "until": "tomorrow"},
        {"kind": "wallet", "name": "../one", "reason": "x"},
        "all",
    ]
    for body in bad:
        answer = ask(world, "olga", "POST", SUSPENSIONS, body)
        assert (answer.status, answer.body["code"]) == (422, "invalid_fields"), body
    for path in ("wallet/one", "wallet/%00", "nothing/one", "all"):
        assert ask(world, "olga", "DELETE", f"{SUSPENSIONS}/{path}").status == 404
    assert ask(world, "olga", "GET", SUSPENSIONS).body == {"suspensions": []}
