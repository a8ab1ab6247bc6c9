"""`vaultsigner serve`: two processes that live and die together, and what each of them is given."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.custody.conftest import NODES
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.standstill import go_on, stop
from tests.world import Vector, World, planned_wallets, running_world
from vaultsigner.cli.launcher import runtime_directory
from vaultsigner.dev.installation import Installation, Plan, install
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.dev.processes import ProcessError

REFUSAL = "changed since vaultsigner started: restart vaultsigner"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def small_world(tmp_path: Path, vectors: list[Vector]) -> Iterator[World]:
    """One wallet; a test may break it."""
    with running_world(tmp_path / "world", vectors[:1]) as running:
        yield running


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def open_files(pid: int) -> set[Path]:
    files = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            files.add(entry.readlink())
    return files


def custody_pid(world: World) -> int | None:
    try:
        return world.service.custody_pid
    except ProcessError:
        return None


def signs(world: World, vector: Vector) -> bool:
    body = {"msg": vector["api"]["msg"], "wallet_name": world_wallet(vector)}
    return world.post("/api/order/sign", body).status == 200


def world_wallet(vector: Vector) -> str:
    return f"{vector['key_name']}-{vector['network']}"


def pauses(world: World) -> list[float]:
    """How long the launcher says that it waited each time before it started custody anew."""
    lines = [json.loads(line) for line in world.service.log.read_text().splitlines() if line.startswith("{")]
    return [line["restart_in_seconds"] for line in lines if line.get("event") == "custody_ended"]


def test_killed_custody_is_started_anew_at_once(small_world: World, vectors: list[Vector]) -> None:
    """And after a short pause where it had not lived for long."""
    vector = vectors[0]
    small_world.place(vector)
    assert signs(small_world, vector)
    for _ in range(3):
        killed = small_world.service.custody_pid
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: custody_pid(small_world) not in (None, killed), "custody is there")  # noqa: B023 - used at once
        wait_until(lambda: signs(small_world, vector), "custody signs")
    waited = pauses(small_world)
    assert (len(waited), waited[0]) == (3, 0.0)
    assert max(waited) <= 0.2


def test_while_custody_is_away_the_answer_is_503(small_world: World, vectors: list[Vector]) -> None:
    vector = vectors[0]
    small_world.place(vector)
    assert signs(small_world, vector)
    stop(small_world.service.launcher_pid)  # so that nobody restarts it
    os.kill(small_world.service.custody_pid, signal.SIGKILL)
    answer = small_world.post(
        "/api/order/sign", {"msg": vector["api"]["msg"], "wallet_name": world_wallet(vector)}
    )
    assert (answer.status, answer.body["code"]) == (503, "custody_unavailable")
    go_on(small_world.service.launcher_pid)
    wait_until(lambda: signs(small_world, vector), "custody signs again")


def test_everything_ends_with_the_launcher_however_it_ends(small_world: World) -> None:
    children = [small_world.service.server_pid, small_world.service.custody_pid]
    small_world.service.kill()
    wait_until(lambda: not any(alive(pid) for pid in children), "both processes end")


def test_everything_ends_with_the_server(small_world: World) -> None:
    launcher, custody = small_world.service.launcher_pid, small_world.service.custody_pid
    os.kill(small_world.service.server_pid, signal.SIGKILL)
    wait_until(lambda: not alive(launcher) and not alive(custody), "both processes end")
    assert "server_ended" in small_world.service.log.read_text()


def test_custody_gets_no_more_than_it_needs(small_world: World) -> None:
    pid = small_world.service.custody_pid
    # glibc cuts GLIBC_TUNABLES up where it stands, so parts of it look like variables.
    names = {name for name in environment_of(pid) if not name.startswith(("VAULTSIGNER_", "LC_", "glibc."))}
    assert names <= {"PATH", "LANG", "TZ", "VAULT_ADDR", "PYTHONMALLOC", "GLIBC_TUNABLES"}
    token = small_world.installation.token_path.read_text().strip()
    for process in (pid, small_world.service.server_pid, small_world.service.launcher_pid):
        for place in ("environ", "cmdline"):
            assert token.encode() not in Path(f"/proc/{process}/{place}").read_bytes()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    assert status["NoNewPrivs"].strip() == "1"
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file")] == [
        ["0", "0"]
    ]


def test_the_server_has_no_descriptor_of_the_token(small_world: World) -> None:
    token = small_world.installation.token_path
    for pid, expected in ((small_world.service.server_pid, False), (small_world.service.custody_pid, True)):
        assert (token in open_files(pid)) is expected


class Serve:
    """`vaultsigner serve` on an installation, in the test's own hands."""

    def __init__(self, config_file: Path, log: Path, **environment: str) -> None:
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vaultsigner", "serve", "--config", str(config_file)],
                stderr=output,
                env={"PATH": os.environ["PATH"], **environment},
                cwd=ROOT,
            )
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture
def installation(own_openbao: OpenBao, tmp_path: Path, vectors: list[Vector]) -> Installation:
    """With one wallet, and not started."""
    plan = Plan(planned_wallets(vectors[:1]), (), NODES)
    return install(tmp_path / "vaultsigner", own_openbao, plan)


@pytest.fixture
def serve(installation: Installation, tmp_path: Path) -> Iterator[Callable[..., Serve]]:
    """Starts it."""
    started: list[Serve] = []

    def start(**environment: str) -> Serve:
        log = tmp_path / f"serve-{len(started)}.log"
        started.append(Serve(installation.config_file, log, **environment))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_with_status_0(serve: Callable[..., Serve], number: signal.Signals) -> None:
    service = serve(VAULT_TOKEN="not for custody", BAO_TOKEN="nor this")
    wait_until(lambda: "listening" in service.log and "custody_ready" in service.log, "both are ready")
    assert "not for custody" not in service.log
    assert service.log.count("variable_dropped") == 2
    service.process.send_signal(number)
    assert service.process.wait(PATIENCE_SECONDS) == 0
    stopped = service.log.index("custody_stopped")
    assert service.log.index('"stopping"') < stopped, "custody ends after the server"


def test_a_hang_up_ends_neither_process_at_any_time(serve: Callable[..., Serve]) -> None:
    """Not even where it comes before the server has said what it does then."""
    service = serve()
    wait_until(lambda: children_of(service.process.pid), "there are two processes")
    while "custody_ready" not in service.log or "listening" not in service.log:
        assert service.process.poll() is None, service.log
        service.process.send_signal(signal.SIGHUP)
        time.sleep(0.01)
    before = children_of(service.process.pid)
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "policies unchanged" in service.log, "the last SIGHUP is heard")
    assert children_of(service.process.pid) == before
    assert "ended" not in service.log
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(PATIENCE_SECONDS) == 0


def test_custody_that_dies_again_and_again_is_restarted_with_pauses(
    serve: Callable[..., Serve], installation: Installation
) -> None:
    service = serve()
    wait_until(lambda: "custody_ready" in service.log and "listening" in service.log, "both are ready")
    config = installation.config_file
    good = config.read_text()
    config.write_text("nothing: useful\n")  # what a restart finds
    custody = next(
        pid
        for pid in children_of(service.process.pid)
        if b"vaultsigner.custody" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    os.kill(custody, signal.SIGKILL)
    wait_until(lambda: service.log.count("custody_ended") >= 4, "custody is tried again")
    assert service.process.poll() is None, "the launcher goes on trying"
    config.write_text(good)
    wait_until(lambda: service.log.count("custody_ready") == 2, "custody is back")


def test_a_crash_of_custody_does_not_make_a_changed_configuration_count(
    small_world: World, vectors: list[Vector]
) -> None:
    vector, service, installation = vectors[0], small_world.service, small_world.installation
    small_world.place(vector)
    before = installation.config_file.read_bytes()
    with installation.config_file.open("a") as file:
        file.write("# another permission\n")
    assert signs(small_world, vector), "custody that runs goes on with what it read"
    os.kill(service.custody_pid, signal.SIGKILL)
    wait_until(lambda: service.log.read_text().count(REFUSAL) >= 2, "custody is tried again")
    assert "not_started" in service.log.read_text()
    answer = small_world.post(
        "/api/order/sign", {"msg": vector["api"]["msg"], "wallet_name": world_wallet(vector)}
    )
    assert (answer.status, answer.body["code"]) == (503, "custody_unavailable")
    installation.config_file.write_bytes(before)
    wait_until(lambda: signs(small_world, vector), "custody signs again")


def test_custody_that_cannot_start_at_all_is_told_at_once(
    serve: Callable[..., Serve], installation: Installation
) -> None:
    for policy in installation.settings.policies.iterdir():
        policy.unlink()
    service = serve()
    assert service.process.wait(PATIENCE_SECONDS) == 1
    assert "polic" in service.log


def test_a_configuration_with_mistakes_ends_with_status_1(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("wallets: 5\n")
    service = Serve(config, tmp_path / "log")
    assert service.process.wait(PATIENCE_SECONDS) == 1
    assert "Traceback" not in service.log
    assert "wallets" in service.log


def test_the_launcher_knows_no_http_and_no_keys() -> None:
    """What is not imported cannot be used against it."""
    script = "import sys, vaultsigner.cli.serve; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert not {"aiohttp", "hvac", "requests", "coincurve", "vaultsigner.custody.secp256k1"} & set(loaded)


@pytest.mark.parametrize("parent", ["/nonexistent", "/" + "x" * 90, ""])
def test_an_odd_runtime_directory_does_not_stop_it(monkeypatch: pytest.MonkeyPatch, parent: str) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", parent)
    with runtime_directory() as directory:
        assert directory.stat().st_mode & 0o777 == 0o700
        assert len(str(directory / "custody.sock")) < 108
    assert not directory.exists()
