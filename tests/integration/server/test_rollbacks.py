"""A start is refused where the record or the state is older than what was signed, unless the configuration says so by name."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.patience import wait_until
from tests.world import Vector, World, running_world
from vaultsigner.audit.chain import read_line, seal
from vaultsigner.audit.files.chain_files import find_chains
from vaultsigner.audit.verifying.verification import verify_chain
from vaultsigner.dev.processes import ProcessError


@pytest.fixture
def world(tmp_path: Path, vectors: list[Vector]) -> Iterator[World]:
    (tmp_path / "anchors").mkdir()
    anchors = [{"name": "second-disk", "directory": str(tmp_path / "anchors")}]
    with running_world(tmp_path, vectors[:1], audit={"checkpoint_every": 5, "anchors": anchors}) as world:
        yield world


def work(world: World) -> None:
    """Until something of it is anchored."""
    before = anchored(world)
    for _ in range(6):
        assert world.get("/api/wallet").status == 200
    wait_until(lambda: anchored(world) > before, "a checkpoint is anchored")


def anchored(world: World) -> int:
    """The largest size that is."""
    return max((int(path.stem) for path in (world.directory / "anchors").glob("*/*.checkpoint")), default=0)


def audit(world: World) -> Path:
    return world.installation.audit_directory


def state_file(world: World) -> Path:
    return Path(world.installation.settings.state_url.removeprefix("sqlite:///"))


def refused(world: World) -> str:
    """What the service says instead of starting."""
    with pytest.raises(ProcessError) as caught:
        world.service.start()
    return str(caught.value)


def accept(world: World, *names: str) -> None:
    path = world.installation.config_file
    document = yaml.safe_load(path.read_text())
    document["audit"]["accepted_rollbacks"] = list(names)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def named(said: str) -> list[str]:
    """What the refusal says to write."""
    return sorted(
        set(re.findall(r'write \\?"((?:state:)?[0-9a-f]{16}:\d+)\\?" into audit.accepted_rollbacks', said))
    )


def test_all_is_well_after_a_crash(world: World) -> None:
    for _ in range(3):
        work(world)
        world.service.kill()
        world.service.start()
    assert all(verify_chain(chain).intact for chain in find_chains(audit(world)))


@pytest.mark.parametrize("how", ["copy", "cut", "gone", "rewritten"])
def test_record_that_is_behind_its_anchor_is_not_gone_on_with(world: World, how: str) -> None:
    older = world.directory / "older"
    world.service.stop()
    shutil.copytree(audit(world), older)
    world.service.start()
    work(world)
    world.service.stop()
    (chain,) = audit(world).iterdir()
    (path,) = chain.glob("*.jsonl")
    match how:
        case "copy":
            shutil.rmtree(audit(world))
            shutil.copytree(older, audit(world))
        case "cut":
            path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-4]))
        case "gone":
            shutil.rmtree(audit(world))
        case "rewritten":
            path.write_bytes(rewritten(path.read_bytes()))
    said = refused(world)
    assert "ROLLBACK" in said
    names = named(said)
    assert any(name.startswith(f"{chain.name}:") for name in names)
    # Nothing was written to it, and it says so each time.
    assert named(refused(world)) == names
    accept(world, *names)
    world.service.start()
    assert world.get("/api/wallet").status == 200
    world.service.stop()
    # The old chain has no record more; another one tells that it was accepted, and goes on.
    records = world.records()
    accepted = next(record for record in records if record.get("event") == "rollback_accepted")
    assert accepted["details"] == {"chain": chain.name}
    assert accepted["chain"] != chain.name
    world.service.start()
    assert world.get("/api/wallet").status == 200


def rewritten(data: bytes) -> bytes:
    """The last records with another time, all hashes correct."""
    lines = data.splitlines(keepends=True)
    keep = len(lines) // 2
    head, _ = read_line(lines[keep - 1])
    written = lines[:keep]
    for line in lines[keep:]:
        members: dict[str, Any] = json.loads(line)
        del members["hash"]
        again, head = seal(members, head, read_line(line)[0].time_us + 1)
        written.append(again)
    return b"".join(written)


def test_state_that_is_behind_an_anchor_is_not_gone_on_with(world: World) -> None:
    world.service.stop()
    older = world.directory / "older.db"
    shutil.copy(state_file(world), older)
    world.service.start()
    work(world)
    world.service.stop()
    state_file(world).unlink()
    shutil.copy(older, state_file(world))
    said = refused(world)
    assert "ROLLBACK of the state database" in said
    names = named(said)
    assert [name.partition(":")[0] for name in names] == ["state"]
    accept(world, *names)
    world.service.start()
    work(world)
    # From here on the state is up to date again, and nothing has to be accepted.
    accept(world)
    world.service.stop()
    world.service.start()


def test_record_that_is_behind_the_state_alone_is_not_gone_on_with(
    tmp_path: Path, vectors: list[Vector]
) -> None:
    with running_world(tmp_path, vectors[:1], audit={"checkpoint_every": 5}) as world:
        world.service.stop()
        older = world.directory / "older"
        shutil.copytree(audit(world), older)
        world.service.start()
        for _ in range(6):
            assert world.get("/api/wallet").status == 200
        world.service.stop()
        shutil.rmtree(audit(world))
        shutil.copytree(older, audit(world))
        said = refused(world)
        assert "the state database has a checkpoint" in said


def test_replica_with_the_same_directory_state_and_anchor_starts_while_the_first_runs(world: World) -> None:
    with world.second_service("second", audit=world.plan.audit):
        work(world)
        with world.second_service("third", audit=world.plan.audit):
            work(world)


def test_anchor_that_cannot_be_asked_is_needed_unless_it_says_otherwise(world: World) -> None:
    world.service.stop()
    anchors = world.directory / "anchors"
    away = world.directory / "elsewhere"
    anchors.rename(away)
    anchors.write_text("a file is no directory")
    said = refused(world)
    assert "second-disk" in said
    assert "required: false" in said
    path = world.installation.config_file
    document = yaml.safe_load(path.read_text())
    document["audit"]["anchors"][0]["required"] = False
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    world.service.start()
    anchors.unlink()
    away.rename(anchors)
    before = anchored(world)
    for _ in range(6):
        assert world.get("/api/wallet").status == 200
    wait_until(lambda: anchored(world) > before, "it is caught up with")
