"""Suspending and resuming at the state itself: no Vault, no service, and never a suspension that nobody would see."""

import asyncio
import json
import os
import pwd
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.program import Program
from tests.postgres import PostgresServer
from tests.unit.config.loading import HASH
from vaultsigner.dev.records import Record, read_records
from vaultsigner.state import Approval, State, Suspensions, open_state

CONFIG = """\
vault: {address: "http://127.0.0.1:1", auth: {method: token_file, path: run/token}}
state: {url: "%s"}
wallets:
  - {name: hot, private_key: "vault:secret/hot#private_key", env_name: TESTNET, permissions: [trade]}
users: [{username: sam, password_hash: "%s", roles: [operator]}]
clients: [{name: bot-1, api_key: vs_1, scheme: hmac, secret: "vault:secret/clients/bot-1#secret"}]
"""
ME = f"cli:{pwd.getpwuid(os.getuid()).pw_name}"


class Site:
    """A directory where the service has run once; nothing answers at the address of its Vault."""

    def __init__(self, home: Path, url: str = "sqlite:///state/vaultsigner.db") -> None:
        self.home = home
        self.url = url.replace("sqlite:///state", f"sqlite:///{home}/state")
        self.program = Program(home)
        (home / "config").mkdir()
        (home / "config" / "config.yml").write_text(CONFIG % (url, HASH))
        self.suspended()

    def on_state(self, step: Any) -> Any:
        async def run() -> Any:
            async with open_state(self.url) as state:
                return await step(state)

        return asyncio.run(run())

    def suspended(self) -> Suspensions:
        found: Suspensions = self.on_state(lambda state: state.suspensions())
        return found

    def records(self) -> list[Record]:
        directory = self.home / "audit"
        found = read_records(directory) if directory.exists() else []
        return [each for each in found if each.get("event") in ("suspend", "resume")]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_client_is_suspended_and_resumed_with_vault_down(site: Site) -> None:
    done = site.program.run("suspend", "client", "bot-1", "--reason", "its key leaked")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("client bot-1 is suspended: in force within a second")
    [found] = site.suspended().suspended
    assert (found.kind, found.name, found.reason, found.by) == ("client", "bot-1", "its key leaked", ME)
    assert abs(found.at_ms - time.time() * 1000) < 60_000
    listed = site.program.run("suspensions")
    assert listed.out.startswith("client bot-1\n  since 20")
    assert f"by {ME}: its key leaked" in listed.out
    [document] = json.loads(site.program.run("suspensions", "--json").out)
    assert (document["kind"], document["name"], document["by"]) == ("client", "bot-1", ME)
    gone = site.program.run("resume", "client", "bot-1")
    assert (gone.status, gone.out.startswith("client bot-1 is resumed")) == (0, True)
    assert site.suspended().suspended == ()
    assert site.program.run("suspensions").out == "nothing is suspended\n"
    assert [(each["event"], each["details"]) for each in site.records()] == [
        (event, {"kind": "client", "name": "bot-1", "reason": "its key leaked", "by": ME})
        for event in ("suspend", "resume")
    ]


def test_everything(site: Site) -> None:
    assert site.program.run("suspend", "all", "--reason", "drill").out.startswith("everything is suspended:")
    again = site.program.run("suspend", "all", "--reason", "other")
    assert again.out == "everything is suspended already; the first reason stays\n"
    assert [(each.kind, each.name, each.reason) for each in site.suspended().suspended] == [
        ("all", "", "drill")
    ]
    assert site.program.run("suspensions").out.startswith("everything\n")
    assert site.program.run("resume", "all").status == 0
    assert site.suspended().suspended == ()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("client", "bot-l", "--reason", "x"), 1, "no client has this name; did you mean bot-1?"),
        (("user", "bot-1", "--reason", "x"), 1, "no user has this name"),
        (("wallet", "--reason", "x"), 1, "say which wallet"),
        (("all", "hot", "--reason", "x"), 1, "all has no name"),
        (("wallet", "hot"), 2, "--reason"),
        (("wallet", "hot", "--reason", " "), 1, "say why"),
        (("wallet", "hot", "--reason", "a\nb"), 2, "one line"),
        (("wallets", "hot", "--reason", "x"), 2, "wallets"),
    ],
)
def test_a_mistyped_suspension_does_not_pass_for_done(
    site: Site, arguments: tuple[str, ...], status: int, words: str
) -> None:
    done = site.program.run("suspend", *arguments)
    assert done.status == status
    assert words in done.err
    assert (site.suspended().suspended, site.records()) == ((), [])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("wallet", "hot"), 1, "wallet hot is not suspended"),
        (("all",), 1, "everything is not suspended"),
        (("all", "x"), 2, "all has no name"),
        (("wallet",), 2, "everything else has one"),
    ],
)
def test_what_is_not_suspended_cannot_be_resumed(
    site: Site, arguments: tuple[str, ...], status: int, words: str
) -> None:
    site.program.run("suspend", "client", "bot-1", "--reason", "x")
    done = site.program.run("resume", *arguments)
    assert (done.status, words in done.err) == (status, True)
    assert [each["event"] for each in site.records()] == ["suspend"]


def test_in_another_directory_no_state_is_made_that_no_service_looks_at(site: Site, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config = str(tmp_path / "config" / "config.yml")
    done = Program(elsewhere).run("suspend", "all", "--reason", "x", "--config", config)
    assert done.status == 1
    assert f"there is no state at {elsewhere}/state/vaultsigner.db" in done.err
    assert list(elsewhere.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root alone")
def test_root_leaves_no_files_that_the_service_cannot_read(site: Site, tmp_path: Path) -> None:
    database = tmp_path / "state" / "vaultsigner.db"
    os.chown(database, pwd.getpwnam("nobody").pw_uid, -1)
    done = site.program.run("suspend", "all", "--reason", "x")
    assert (done.status, "sudo -u nobody" in done.err) == (1, True)
    assert site.records() == []


def test_nothing_is_suspended_that_cannot_be_recorded(site: Site, tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("in the way")
    done = site.program.run("suspend", "all", "--reason", "x")
    assert done.status == 1
    assert site.suspended().suspended == ()


def test_on_postgresql(tmp_path: Path, postgres: PostgresServer) -> None:
    with postgres.database() as url:
        site = Site(tmp_path, url)
        assert site.program.run("suspend", "wallet", "hot", "--reason", "x").status == 0
        assert [each.name for each in site.suspended().suspended] == ["hot"]


def test_approvals_that_wait_are_listed(site: Site) -> None:
    assert site.program.run("approvals", "list").out == "nothing waits for approval\n"
    request = {
        "operation": "transfer.broadcast",
        "target": "wallet:hot",
        "items": [{"to_address": "tbnb1x", "symbol": "BNB", "amount": "250.00000000"}],
        "memo": "\x1b[2Jinvoice",
        "ip": "10.0.0.7",
        "asked_at": "2026-09-21T14:13:20.000Z",
        "of": ["user:ann", "user:bob"],
    }
    now_ms = time.time_ns() // 1_000_000
    approval = Approval(
        "5f" * 16,
        b"d" * 32,
        json.dumps(request),
        "client:bot-1",
        "large",
        "sha256:aa",
        2,
        now_ms + 3_600_000,
    )

    async def fill(state: State) -> None:
        await state.open_approval(approval, now_ms=now_ms)
        await state.vote(approval.id, "user:bob", approve=True, now_ms=now_ms)

    site.on_state(fill)
    shown = site.program.run("approvals", "list").out
    assert f"{'5f' * 16}  open, 1 of 2, until 20" in shown
    assert "client:bot-1 asks for transfer.broadcast on wallet:hot (rule large)" in shown
    assert '"amount": "250.00000000"' in shown
    assert "of user:ann, user:bob; user:bob yes" in shown
    assert "\x1b" not in shown
    assert site.program.run("approvals").out == shown
    listed = site.program.run("approvals", "list", "--json").out
    assert site.program.run("approvals", "--json").out == listed
    [document] = json.loads(listed)
    assert document["request"] == {name: value for name, value in request.items() if name != "of"}
    assert (document["of"], document["given"], document["status"]) == (["user:ann", "user:bob"], 1, "open")
