"""`vaultsigner status` beside the real service: what it says while that runs, while something is down, and when all is."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.adversarial.desk import private_key_wallet, running_desk
from tests.integration.cli.program import Outcome, Program
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.postgres import PostgresServer
from tests.world import World

LIMITED = """\
version: 1
rules:
  - id: few
    effect: allow
    limits:
      - {count: 5, every: 1h, per: principal}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service with one wallet's key, a limit, and an anchor in a directory."""
    directory = tmp_path_factory.mktemp("status")
    anchors = directory / "anchors"
    anchors.mkdir()
    audit = {"anchors": [{"name": "second-disk", "directory": str(anchors)}]}
    with running_desk(directory, private_key_wallet("hot"), policy=LIMITED, audit=audit) as running:
        yield running


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def look(program: Program, world: World, *options: str) -> Outcome:
    return program.run("status", "--config", str(world.installation.config_file), *options)


def document(program: Program, world: World) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(look(program, world, "--json").out)
    return found


def changed(world: World, path: Path, **sections: Any) -> Path:
    """The world's configuration with other sections, in a file of its own."""
    settings = yaml.safe_load(world.installation.config_file.read_text())
    for name, members in sections.items():
        settings[name] = {**settings.get(name, {}), **members}
    path.write_text(yaml.safe_dump(settings, allow_unicode=True))
    return path


def test_all_is_told_of_a_service_that_runs(program: Program, world: World) -> None:
    outcome = look(program, world)
    assert outcome.status == 0, outcome
    lines = outcome.out.splitlines()
    assert "\x1b" not in outcome.out
    assert "; custody up for " in outcome.out
    assert "; custody's token lives " in outcome.out
    for begin in (
        "ok    service    ready",
        "ok    processes  server ",
        f"ok    vault      {world.openbao.address}: active, version ",
        "ok    policy     ",
        "ok    state      sqlite:///",
        "ok    record     ",
        "ok    suspended  nothing",
        "ok    approvals  nothing waits",
        "ok    limits     none is used to 80 %",
    ):
        assert any(line.startswith(begin) for line in lines), (begin, outcome.out)


def test_an_anchor_shows_how_new_its_newest_checkpoint_is(program: Program, world: World) -> None:
    def anchored() -> bool:
        (anchor,) = document(program, world)["anchors"]
        return anchor["newest"] is not None and anchor["problem"] is None

    wait_until(anchored, "a checkpoint in the anchor")
    assert "anchor     second-disk (directory): newest checkpoint " in look(program, world).out


def test_a_limit_that_is_nearly_used_is_told(program: Program, world: World) -> None:
    order = {
        "symbol": "ANN-457_BNB",
        "side": 1,
        "order_type": 2,
        "time_in_force": 1,
        "price": "1",
        "quantity": "1",
    }
    for used in range(1, 5):
        assert world.post("/api/order/sign", {"wallet_name": "hot", "msg": order}).status == 200
        shown = look(program, world).out
        assert ("warn  limit " in shown) == (used >= 4)
    assert "rule few: 4 of 5 requests every 3600 s per principal (user:sam)" in shown


def test_what_is_suspended_is_told_with_the_reason(program: Program, world: World) -> None:
    config = str(world.installation.config_file)
    assert program.run("suspend", "user", "sam", "--reason", "a \u202e drill", "--config", config).status == 0
    try:
        outcome = look(program, world)
        assert outcome.status == 0
        assert "warn  suspended  user sam since " in outcome.out
        assert "drill" in outcome.out
        assert "\u202e" not in outcome.out
        (suspended,) = document(program, world)["state"]["suspensions"]
        assert (suspended["kind"], suspended["name"]) == ("user", "sam")
    finally:
        assert program.run("resume", "user", "sam", "--config", config).status == 0


def test_with_the_service_down_the_rest_is_told(program: Program, world: World, tmp_path: Path) -> None:
    config = changed(world, tmp_path / "config.yml", server={"ops_listen": "127.0.0.1:1"})
    outcome = program.run("status", "--config", str(config))
    assert outcome.status == 1
    assert "FAIL  service    does not run here (operations port 127.0.0.1:1)" in outcome.out
    assert "cannot be reached: Connection refused" in outcome.out
    assert "ok    vault" in outcome.out
    assert "ok    suspended  nothing" in outcome.out


def test_before_the_first_start_nothing_is_recorded(program: Program, world: World, tmp_path: Path) -> None:
    config = changed(
        world,
        tmp_path / "config.yml",
        server={"ops_listen": "127.0.0.1:1"},
        state={"url": f"sqlite:///{tmp_path}/state.db"},
        audit={"directory": str(tmp_path / "audit"), "anchors": []},
    )
    told = f"-     record     {tmp_path / 'audit'}: nothing recorded yet"
    assert told in program.run("status", "--config", str(config)).out
    (tmp_path / "audit").mkdir()
    assert told in program.run("status", "--config", str(config)).out
    (tmp_path / "audit" / "letter").write_text("no chain")
    assert "warn  record     there are no records in " in program.run("status", "--config", str(config)).out


def test_with_vault_down_the_rest_is_told(program: Program, world: World, tmp_path: Path) -> None:
    config = changed(world, tmp_path / "config.yml", vault={"address": "http://127.0.0.1:1"})
    outcome = program.run("status", "--config", str(config))
    # The service itself still reaches the Vault that it was started with.
    assert outcome.status == 0
    assert "-     vault      http://127.0.0.1:1: cannot be reached: Connection refused" in outcome.out


def test_what_answers_and_is_not_the_service_counts_for_nothing(
    program: Program, world: World, tmp_path: Path
) -> None:
    other = world.node.url.removeprefix("http://")
    config = changed(world, tmp_path / "config.yml", server={"ops_listen": other})
    outcome = program.run("status", "--config", str(config))
    assert outcome.status == 1
    assert "what answers there is not vaultsigner" in outcome.out


def test_a_service_that_hangs_is_not_waited_for(program: Program, world: World, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        config = changed(world, tmp_path / "config.yml", server={"ops_listen": address})
        outcome = program.run("status", "--config", str(config))
    assert outcome.status == 1
    assert f"FAIL  service    runs, and is not ready (operations port {address})" in outcome.out
    assert "no answer within " in outcome.out
    assert "ok    suspended  nothing" in outcome.out


def test_policies_that_cannot_be_used_are_told(program: Program, world: World, tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "desk.yml").write_text("version: 1\nrules: 7\n")
    settings = yaml.safe_load(world.installation.config_file.read_text())
    settings["policies"] = str(tmp_path / "policies")
    config = tmp_path / "config.yml"
    config.write_text(yaml.safe_dump(settings))
    outcome = program.run("status", "--config", str(config))
    assert outcome.status == 0
    assert "warn  policy" in outcome.out
    assert "vaultsigner policy check" in outcome.out


def test_a_configuration_that_cannot_be_used_is_status_1(program: Program) -> None:
    (program.home / "bad.yml").write_text("wallets: 7\n")
    outcome = program.run("status", "--config", "bad.yml")
    assert outcome.status == 1
    assert "bad.yml:1" in outcome.err


def test_no_configuration_is_status_2(program: Program) -> None:
    assert program.run("status").status == 2


def test_a_database_that_no_service_has_used_is_left_as_it_is(
    program: Program, world: World, tmp_path: Path, postgres: PostgresServer
) -> None:
    with postgres.database() as url:
        config = changed(world, tmp_path / "config.yml", state={"url": f"{url}?sslmode=disable"})
        for _ in range(2):  # Had the first one made the tables, the second would find them.
            outcome = program.run("status", "--config", str(config))
            assert "connected; the next start makes the tables" in outcome.out


def test_a_file_of_an_older_version_is_left_as_it_is(program: Program, world: World, tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "CREATE TABLE schema_version (version INTEGER); INSERT INTO schema_version VALUES (1)"
        )
    before = file.read_bytes()
    config = changed(world, tmp_path / "config.yml", state={"url": f"sqlite:///{file}"})
    assert "the next start migrates its tables" in program.run("status", "--config", str(config)).out
    assert file.read_bytes() == before


def test_watch_looks_again_and_ends_with_the_last_look(
    program: Program, world: World, tmp_path: Path
) -> None:
    output = tmp_path / "watched"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "vaultsigner", "status", "--watch", "--every", "0.2", "--json"],
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parents[3]),
                "VAULTSIGNER_CONFIG": str(world.installation.config_file),
            },
            cwd=tmp_path,
            stdout=file,
        )
    try:
        wait_until(lambda: output.read_text().count("\n") >= 3, "three looks")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    looks = [json.loads(line) for line in output.read_text().splitlines() if line]
    assert all(each["ok"] for each in looks)


def test_on_a_terminal_it_has_colours(world: World, tmp_path: Path) -> None:
    config = str(world.installation.config_file)
    shown = Program(tmp_path).converse("status", "--config", config, dialogue=[])
    assert "\x1b[32mok" in shown.out
    plain = Program(tmp_path, {"NO_COLOR": "1"}).converse("status", "--config", config, dialogue=[])
    assert "\x1b[3" not in plain.out
