"""A running service has its record signed: every so many records, at its end, and also what the command line wrote beside it."""

import os
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.patience import PATIENCE_SECONDS, wait_until
from tests.world import Vector, World, running_world
from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.entries import Control
from vaultsigner.audit.files.chain_files import all_lines, find_chains
from vaultsigner.audit.verifying.coverage import Demands
from vaultsigner.audit.verifying.verification import verify_chain
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.domain.checkpoints import KEY_NAME, read_checkpoint
from vaultsigner.domain.merkle import Tree, leaf_hash
from vaultsigner.domain.signed_notes import VerifierKey

EVERY = 5
Record = dict[str, Any]


@pytest.fixture
def world(tmp_path: Path, vectors: list[Vector]) -> Iterator[World]:
    with running_world(tmp_path, vectors[:1], audit={"checkpoint_every": EVERY}) as world:
        yield world


def checkpoints(world: World, chain: str | None = None) -> list[Record]:
    return [
        record
        for record in world.records()
        if record["kind"] == "checkpoint" and chain in (None, record["chain"])
    ]


def own_chain(world: World) -> str:
    """Of the service that runs, or ran last."""
    starts = [record for record in world.records() if record.get("event") == "start"]
    return str(starts[-1]["chain"])


def vault_key(world: World) -> VerifierKey:
    operator = OperatorVault(world.openbao.address, world.openbao.root_token)
    found = operator.read("transit/keys/audit-checkpoints")
    assert found is not None
    return VerifierKey(KEY_NAME, b64decode(found["keys"]["1"]["public_key"]))


def covered(world: World) -> int:
    """How many records of a chain the largest checkpoint covers; 0 before the first."""
    return max((record["tree_size"] for record in checkpoints(world)), default=0)


def ask(world: World, times: int) -> None:
    for _ in range(times):
        assert world.get("/api/wallet").status == 200


def assert_good(world: World) -> None:
    """Every chain is intact, and every checkpoint says what its chain was, and is signed by Vault's key."""
    key = vault_key(world)
    for chain in find_chains(world.installation.audit_directory):
        verdict = verify_chain(chain, demands=Demands((key,), EVERY))
        assert verdict.finding is None
        assert verdict.coverage.signed == verdict.coverage.size > 0
        lines = [line.data for line in all_lines(chain.files)]
        for record in checkpoints(world, chain.name):
            signed = read_checkpoint(record["note"])
            tree = Tree()
            for line in lines[: signed.checkpoint.size]:
                tree.add(leaf_hash(line.removesuffix(b"\n")))
            checkpoint = signed.checkpoint
            assert signed.verified_by([key]) == key
            assert (checkpoint.chain, checkpoint.size) == (record["chain"], record["tree_size"])
            assert checkpoint.root == tree.root() == bytes.fromhex(record["root"])
            assert f'"hash":"{checkpoint.head}"'.encode() in lines[checkpoint.size - 1]


def test_every_so_many_records_and_at_the_end(world: World) -> None:
    ask(world, 4 * EVERY)
    wait_until(lambda: len(checkpoints(world)) >= 4, "four checkpoints")
    world.service.stop()
    records = [record for record in world.records() if record["chain"] == own_chain(world)]
    last, before = records[-1], records[-2]
    assert (last["kind"], last["tree_size"]) == ("checkpoint", before["seq"])
    assert before["event"] == "stop"
    assert last["policy"] == before["policy"]
    sizes = [record["tree_size"] for record in checkpoints(world)]
    assert [record["previous"] for record in checkpoints(world)] == [0, *sizes[:-1]]
    assert_good(world)


def test_it_goes_on_after_a_crash_and_signs_what_the_crash_left(world: World) -> None:
    ask(world, EVERY)
    world.service.kill()
    left = world.records()[-1]["seq"]
    world.service.start()
    wait_until(lambda: covered(world) >= left, "what was left is covered")
    ask(world, 2 * EVERY)
    wait_until(lambda: covered(world) >= left + 2 * EVERY, "what came since is covered")
    assert_good(world)


def warnings(world: World) -> list[str]:
    answer = requests.get(world.service.ops_url + "/readyz", timeout=PATIENCE_SECONDS)
    found: list[str] = answer.json().get("warnings", [])
    return found


def test_without_custody_none_is_made_and_readyz_tells_until_it_is_back(world: World) -> None:
    wait_until(lambda: checkpoints(world), "a first checkpoint")
    custody = world.service.custody_pid
    os.kill(custody, signal.SIGSTOP)
    try:
        made = len(checkpoints(world))
        for _ in range(2 * EVERY):
            assert world.ask("GET", "/api/nothing", None, token=None).status == 404
        wait_until(lambda: any("checkpoint" in each for each in warnings(world)), "readiness tells of it")
        assert len(checkpoints(world)) == made
    finally:
        os.kill(custody, signal.SIGCONT)
    wait_until(lambda: len(checkpoints(world)) > made, "checkpoints again")
    wait_until(lambda: not warnings(world), "readiness is good again")
    assert_good(world)


def test_chain_of_the_command_line_is_signed_by_the_service(world: World) -> None:
    config, wallet = str(world.installation.config_file), world.plan.wallets[0].name
    command = [
        sys.executable,
        "-m",
        "vaultsigner",
        "suspend",
        "wallet",
        wallet,
        "--reason",
        "test",
        "-c",
        config,
    ]
    subprocess.run(command, check=True, timeout=PATIENCE_SECONDS)
    suspended = next(record for record in world.records() if record.get("event") == "suspend")
    assert suspended["chain"] != own_chain(world)
    world.service.stop()
    world.service.start()
    # Whichever of the two the service goes on with: both are covered, to their last record but the checkpoint itself.
    wait_until(lambda: len(checkpoints(world, suspended["chain"])) >= 1, "the other chain has a checkpoint")
    assert checkpoints(world, suspended["chain"])[0]["tree_size"] >= suspended["seq"]
    wait_until(lambda: len(checkpoints(world, own_chain(world))) >= 1, "the own chain has one")
    assert_good(world)


def test_without_a_key_there_are_none(tmp_path: Path, vectors: list[Vector]) -> None:
    with running_world(tmp_path, vectors[:1], audit={"checkpoint_key": None, "checkpoint_every": 1}) as world:
        ask(world, EVERY)
        world.service.stop()
        assert not checkpoints(world)


def plant(world: World, name: str, count: int = 3) -> Path:
    """A chain of somebody who may write files: correct hashes, records that nobody made."""
    directory = world.installation.audit_directory / name
    directory.mkdir()
    head, lines = Head(name), []
    for number in range(count):
        line, head = seal(Control("forged", {"number": number}).members(), head, 1_795_000_000_000_000)
        lines.append(line)
    (directory / "2026-11-18.jsonl").write_bytes(b"".join(lines))
    return directory


@pytest.mark.parametrize("name", ["0000000000000000", "ffffffffffffffff"])
def test_chain_that_nobody_began_is_neither_gone_on_with_nor_signed(world: World, name: str) -> None:
    wait_until(lambda: checkpoints(world), "a first checkpoint")
    own = own_chain(world)
    world.service.stop()
    planted = plant(world, name)
    before = {path: path.read_bytes() for path in planted.iterdir()}
    world.service.start()
    wait_until(lambda: any(name in each for each in warnings(world)), "readiness tells of it")
    ask(world, 2 * EVERY)
    world.service.stop()
    assert own_chain(world) == own
    assert {path: path.read_bytes() for path in planted.glob("*.jsonl*")} == before


def test_service_knows_its_own_chain_from_the_first_moment(world: World) -> None:
    """Also while the state does not know it yet."""
    assert not warnings(world)
    wait_until(lambda: checkpoints(world), "a first checkpoint")
    with world.second_service("second", audit=world.plan.audit) as second:
        answer = requests.get(second.ops_url + "/readyz", timeout=PATIENCE_SECONDS)
        assert "warnings" not in answer.json()


def test_pipe_in_the_place_of_a_chain_holds_up_nothing(world: World) -> None:
    wait_until(lambda: checkpoints(world), "a first checkpoint")
    directory = world.installation.audit_directory / "eeeeeeeeeeeeeeee"
    directory.mkdir()
    os.mkfifo(directory / "2026-11-21.jsonl.gz")
    world.service.stop()
    world.service.start()
    made = len(checkpoints(world))
    ask(world, 3 * EVERY)
    wait_until(lambda: len(checkpoints(world)) >= made + 3, "checkpoints go on")
