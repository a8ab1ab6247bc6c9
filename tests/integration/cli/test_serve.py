"""`vaultsigner serve`: which configuration it takes, and what it says when it cannot start."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Program
from tests.patience import PATIENCE_SECONDS, wait_until

ALLOW = "version: 1\nrules:\n  - {id: all, effect: allow}\n"


@pytest.fixture
def desk(program: Program, bao: Bao) -> Program:
    """A configuration at an unusual place: no wallets, free ports, no token."""
    (program.home / "policies").mkdir()
    (program.home / "policies" / "desk.yml").write_text(ALLOW)
    write(program, f'vault: {{address: "{bao.address}", auth: {{path: run/token}}}}\n')
    return program


def write(program: Program, more: str = "", listen: str = "127.0.0.1:0") -> Path:
    path = program.home / "desk.yml"
    path.write_text(f'server: {{listen: "{listen}", ops_listen: "127.0.0.1:0"}}\n{more}')
    return path


def await_said(process: "subprocess.Popen[bytes]", log: Path, words: str) -> None:
    """Wait until it says this, for as long as it runs."""

    def said() -> bool:
        assert process.poll() is None, log.read_text()
        return words in log.read_text()

    wait_until(said, words, poll_seconds=0.05)


@pytest.mark.parametrize("by_variable", [False, True])
def test_the_configuration_is_named_as_with_the_other_commands(desk: Program, by_variable: bool) -> None:
    """Started, seen listening, and told to stop; without a token it says what to run."""
    named = [] if by_variable else ["-c", "desk.yml"]
    environment = {**os.environ, **({"VAULTSIGNER_CONFIG": "desk.yml"} if by_variable else {})}
    log = desk.home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "vaultsigner", "serve", *named],
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[3])},
            cwd=desk.home,
            stderr=output,
        )
    try:
        await_said(process, log, '"listening"')
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert "run `vaultsigner vault setup --token-out run/token`" in log.read_text()


def test_a_hang_up_has_policies_read_anew_and_config_left_alone(desk: Program) -> None:
    """A mistake in either ends nothing."""
    log = desk.home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "vaultsigner", "serve", "-c", "desk.yml"],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            cwd=desk.home,
            stderr=output,
        )

    try:
        await_said(process, log, '"listening"')
        (desk.home / "desk.yml").write_text("mistake: 1\n")
        (desk.home / "policies" / "desk.yml").write_text(ALLOW.replace("allow", "alow"))
        process.send_signal(signal.SIGHUP)
        await_said(process, log, "policies not reloaded")
        assert "did you mean allow?" in log.read_text()
        (desk.home / "policies" / "desk.yml").write_text(ALLOW + "# mended\n")
        process.send_signal(signal.SIGHUP)
        await_said(process, log, "policies reloaded")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_a_taken_port_is_told_with_the_setting_and_what_to_do(desk: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        write(desk, listen=address)
        done = desk.run("serve", "--config", "desk.yml")
    assert done.status == 1
    said = f"server.listen {address} is taken: is vaultsigner running already? Else choose another port"
    assert said in done.err


def test_a_record_that_cannot_be_made_is_told_with_the_setting(desk: Program) -> None:
    write(desk, "audit: {directory: /proc/audit}\n")
    done = desk.run("serve", "--config", "desk.yml")
    assert done.status == 1
    assert "audit.directory: /proc/audit cannot be created: " in done.err


def test_a_rule_that_names_nobody_is_a_warning_in_the_log(desk: Program) -> None:
    rule = "  - {id: r, effect: deny, targets: [wallet:walet_1]}\n"
    (desk.home / "policies" / "desk.yml").write_text(ALLOW + rule)
    write(desk, "audit: {directory: /proc/audit}\n")  # so that it ends by itself
    done = desk.run("serve", "--config", "desk.yml")
    assert "rule r: no wallet is called walet_1; there is none yet" in done.err


def test_mistakes_of_configuration_and_policies_are_told_together(desk: Program) -> None:
    write(desk, "walets: []\n")
    (desk.home / "policies" / "desk.yml").write_text("version: 2\nrules: []\n")
    done = desk.run("serve", "--config", "desk.yml")
    assert done.status == 1
    assert "desk.yml:2:1: walets: " in done.err
    assert "policies/desk.yml:1:10: version: " in done.err
