"""The world that other tests live in."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.patience import wait_until
from tests.world import World
from vaultsigner.dev.beacon_faults import Fault
from vaultsigner.dev.processes import ChildProcess, ProcessError

Vector = dict[str, Any]


def test_a_vector_comes_back_over_http_and_is_on_the_record(world: World, vectors: list[Vector]) -> None:
    vector = vectors[0]
    wallet = world.place(vector)
    answer = world.post("/api/order/sign", {"msg": vector["msg"], "wallet_name": wallet})
    assert answer.body == {"signed_msg": vector["signed_tx"]}
    intent, outcome = world.records(answer.request_id)
    assert (intent["kind"], intent["decision"]["rule"]) == ("intent", "within-permissions")
    assert outcome["signed_sha256"] == vector["sign_bytes_sha256"]


def test_the_nodes_faults_reach_the_caller(world: World, vectors: list[Vector]) -> None:
    vector = vectors[0]
    wallet = world.place(vector)
    world.node.faults.arm(Fault.refuses("the stand-in does not like it"))
    answer = world.post("/api/order/broadcast", {"msg": vector["msg"], "wallet_name": wallet})
    assert answer.status == 502
    assert "the stand-in does not like it" in answer.body["message"]
    assert not world.node.chain.executed


def test_it_names_its_processes_and_stops_them(world: World) -> None:
    pids = [world.service.launcher_pid, world.service.server_pid, world.service.custody_pid]
    assert len(set(pids)) == 3
    assert world.service.is_ready()
    world.service.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not world.service.is_ready()


def test_custody_that_ends_while_it_is_looked_for_does_not_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was among the launcher's children, and is nobody's by the time its command line is read."""
    custody, read = world.service.custody_pid, Path.read_text

    def read_late(path: Path, *arguments: Any) -> str:
        if path == Path(f"/proc/{custody}/cmdline"):
            os.kill(custody, signal.SIGKILL)
            wait_until(lambda: not path.exists(), "the launcher has seen it end")
        return read(path, *arguments)

    with monkeypatch.context() as late:
        late.setattr(Path, "read_text", read_late)
        with pytest.raises(ProcessError, match="custody does not run"):
            _ = world.service.custody_pid


def test_it_starts_again_on_what_it_left(world: World, vectors: list[Vector]) -> None:
    """State and records outlive the processes; the same port, too."""
    wallet = world.place(vectors[0])
    before = len(world.records())
    world.service.kill()
    world.service.start()
    answer = world.post("/api/order/sign", {"msg": vectors[0]["msg"], "wallet_name": wallet})
    assert answer.body == {"signed_msg": vectors[0]["signed_tx"]}
    assert len(world.records()) > before


def test_a_program_that_does_not_start_tells_why(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = ChildProcess(
        ["/bin/sh", "-c", "echo something is missing; exit 3"],
        log=log,
        environment={"PATH": os.defpath},
    )
    wait_until(lambda: not child.running, "it ends")
    with pytest.raises(ProcessError, match="something is missing"):
        raise child.failure("it ended")
