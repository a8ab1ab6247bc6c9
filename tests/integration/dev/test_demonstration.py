"""`vaultsigner dev` as people run it: a process of its own, seen from outside."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from tests.patience import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).parents[3]
DEV = [sys.executable, "-m", "vaultsigner", "dev"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty HOME, and a directory for temporary files that can be looked into."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONUTF8": "1",
    }


@contextmanager
def staying_up(environment: dict[str, str], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        output.open("wb") as sink,
        subprocess.Popen(DEV, cwd=ROOT, env=environment, stdout=sink, stderr=sink) as process,
    ):
        try:
            wait_until(
                lambda: process.poll() is not None or "Ctrl-C ends it" in output.read_text(),
                "the demonstration is up",
            )
            assert process.poll() is None, output.read_text()
            yield process
        finally:
            process.kill()


def processes_that_mention(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if text.encode() in line:
            found.append(f"{path.parent.name}: {line!r}")
    return found


def assert_nothing_is_left(environment: dict[str, str]) -> None:
    assert not list(Path(environment["TMPDIR"]).iterdir())
    assert not list(Path(environment["HOME"]).iterdir())
    assert not processes_that_mention(environment["TMPDIR"])


def test_once_shows_every_kind_of_message_and_leaves_nothing(environment: dict[str, str]) -> None:
    run = subprocess.run(
        [*DEV, "--once"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    kinds = re.findall(r"^ +message +(\w+)", run.stdout, re.MULTILINE)
    assert kinds == ["order", "cancel_order", "transfer", "transfer", "freeze", "unfreeze", "vote"]
    assert "7 messages signed, broadcast and verified; 2 refused" in run.stdout
    assert "an exchange order signed, forwarded and verified; one refused" in run.stdout
    assert "403 broadcast" in run.stdout
    assert "403 forward" in run.stdout
    assert "X-MBX-APIKEY" in run.stdout
    assert_nothing_is_left(environment)


def obey(line: str, token: str) -> requests.Response:
    """What curl would do with one of the lines; a fresh machine need not have curl."""
    words = shlex.split(line.replace("$TOKEN", token))
    assert words[0] == "curl"
    headers = dict(word.split(": ", 1) for flag, word in pairwise(words) if flag == "-H")
    data = next((word for flag, word in pairwise(words) if flag == "-d"), None)
    method = next((word for flag, word in pairwise(words) if flag == "-X"), "POST" if data else "GET")
    (url,) = [word for word in words if word.startswith("http://127.0.0.1:")]
    if data is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"  # as curl -d says, whatever the body is
    return requests.request(method, url, headers=headers, data=data, timeout=PATIENCE_SECONDS)


def signed_lines(shown: str) -> tuple[str, str]:
    """What is to be pasted to ask as the bot: for a message, and for an order at the exchange."""
    found = re.search(r"^API_KEY=.*?^curl [^\n]*$", shown, re.MULTILINE | re.DOTALL)
    order = re.search(r"^query=\"symbol=.*?^curl [^\n]*$", shown, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert order is not None
    return found[0], f"{found[0].splitlines()[0]}\n{order[0]}"


def in_bash(lines: str) -> str:
    """The last of these lines as bash hands it to curl."""
    said = 'curl() { printf "curl"; printf " %q" "$@"; }\n'
    done = subprocess.run(["bash", "-euc", said + lines], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_the_curl_lines_work_as_printed_until_ctrl_c(environment: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "output"
    with staying_up(environment, output) as process:
        (token,) = re.findall(r"^TOKEN=(\S+)$", output.read_text(), re.MULTILINE)
        lines = re.findall(r"^curl .*$", output.read_text(), re.MULTILINE)
        *plain, _, _ = lines
        wallets, transfer, resync, log_in = [obey(line, token) for line in plain]
        assert [wallet["name"] for wallet in wallets.json()] == ["desk", "treasury"]
        assert transfer.json()[0]["ok"] is True
        assert transfer.headers["X-Vaultsigner-Decision"].startswith("rule=desk-does-its-work; policy=")
        assert resync.json() == {}
        assert log_in.json()["token_type"] == "bearer"
        message, order = signed_lines(output.read_text())
        frozen = obey(in_bash(message), token)
        assert frozen.json()[0]["ok"] is True
        assert frozen.headers["X-Vaultsigner-Decision"].startswith("rule=desk-does-its-work; policy=")
        ordered = obey(in_bash(order), token)
        assert ordered.json()["status"] == "NEW"
        assert ordered.headers["X-Vaultsigner-Decision"].startswith("rule=bot-trades-small; policy=")
        assert "knows the accounts of desk and treasury alone" in output.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert_nothing_is_left(environment)


def test_its_servers_die_with_it_even_by_kill_9(environment: dict[str, str], tmp_path: Path) -> None:
    with staying_up(environment, tmp_path / "output") as process:
        assert len(processes_that_mention(environment["TMPDIR"])) >= 3  # OpenBao, launcher, server, custody
        process.kill()
        process.wait()
        wait_until(lambda: not processes_that_mention(environment["TMPDIR"]), "its servers end")


def test_a_port_in_use_is_told_and_the_status_is_not_zero(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = subprocess.run(
            [*DEV, "--once", "--port", str(taken.getsockname()[1])],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE_SECONDS,
            check=False,
        )
    assert run.returncode == 1
    assert "is taken" in run.stdout
    assert_nothing_is_left(environment)
