"""`audit verify` over what several replicas wrote: each its own chain, in directories of their own or side by side."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vaultsigner.audit import open_recorder
from vaultsigner.audit.entries import Control
from vaultsigner.cli import main


async def write(directory: Path, *events: str) -> str:
    """Goes on with the directory's chain, or begins one."""
    async with open_recorder(directory) as recorder:
        for event in events:
            await recorder.record(Control(event))
        return recorder.chain


def verify(*directories: Path) -> Result:
    return CliRunner().invoke(main, ["audit", "verify", *map(str, directories), "--json"])


def chains(result: Result) -> set[str]:
    return {each["chain"] for each in json.loads(result.stdout)["chains"]}


@pytest.mark.parametrize("place", ["replica-{}", "replica-{}/audit"])
async def test_the_directories_of_all_replicas_are_verified_together(tmp_path: Path, place: str) -> None:
    places = [tmp_path / place.format(number) for number in range(3)]
    written = {await write(each, "start", "stop") for each in places}
    assert len(written) == 3
    for result in (verify(*places), verify(tmp_path)):
        assert (result.exit_code, chains(result)) == (0, written), result.output


async def test_damage_of_one_replica_is_told_among_all(tmp_path: Path) -> None:
    written = [await write(tmp_path / f"replica-{number}", "start", "stop") for number in range(3)]
    (file,) = (tmp_path / "replica-1" / written[1]).glob("*.jsonl")
    file.write_bytes(file.read_bytes().replace(b'"stop"', b'"stay"'))
    result = verify(tmp_path)
    assert result.exit_code == 1
    found = {each["chain"]: each["intact"] for each in json.loads(result.stdout)["chains"]}
    assert found == {written[0]: True, written[1]: False, written[2]: True}


async def test_an_older_copy_of_a_chain_is_no_fork_and_another_history_is(tmp_path: Path) -> None:
    chain = await write(tmp_path / "one", "start")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    await write(tmp_path / "one", "suspend", "resume", "stop")
    assert verify(tmp_path).exit_code == 0
    await write(tmp_path / "two", "stop")
    result = verify(tmp_path)
    assert result.exit_code == 1
    (told,) = json.loads(result.stdout)["forks"]
    assert (told["chain"], told["kind"]) == (chain, "forked")
    assert "two histories of this chain" in result.output


async def test_links_lead_nowhere(tmp_path: Path) -> None:
    await write(tmp_path / "elsewhere" / "audit", "start")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "replica-1").symlink_to(tmp_path / "elsewhere")
    result = verify(tmp_path / "here")
    assert result.exit_code == 1
    assert "there are no records in" in result.output
