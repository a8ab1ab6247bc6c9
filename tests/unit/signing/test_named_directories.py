"""Records of several replicas: each directory has a name in the shared state, and what has that name must be in it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from vaultsigner.audit import open_recorder
from vaultsigner.audit.entries import Control
from vaultsigner.config.settings import AuditSettings
from vaultsigner.signing.record_keeping import introduce, unknown_chains
from vaultsigner.signing.rollback_check import RolledBackError, require_not_rolled_back
from vaultsigner.state import State, open_state


def settings(directory: Path, replica: str | None) -> AuditSettings:
    return AuditSettings(directory, None, 1000, replica=replica)


async def write(state: State, of: AuditSettings, *events: str) -> str:
    """Goes on with the directory's chain, and tells the state how far it is."""
    async with open_recorder(of.directory) as recorder:
        for event in events:
            await recorder.record(Control(event))
        await introduce(recorder, state, of.replica)
        return recorder.chain


async def check(state: State, of: AuditSettings) -> None:
    """As a start does, over a state that others share."""
    await require_not_rolled_back(of, (), (), state, alone=False)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/state.db"


async def test_a_directory_that_was_emptied_is_missed_under_its_name(tmp_path: Path, url: str) -> None:
    one, two = settings(tmp_path / "one", "replica-1"), settings(tmp_path / "two", "replica-2")
    async with open_state(url) as state:
        chain = await write(state, one, "start", "stop")
        await write(state, two, "start")
        shutil.rmtree(one.directory)
        with pytest.raises(RolledBackError, match=f"chain {chain}: the state database has a checkpoint of 2"):
            await check(state, one)
        await check(state, two)
        await check(state, replace(one, replica=None))
        await check(state, replace(one, accepted_rollbacks=frozenset({f"{chain}:2"})))


async def test_an_older_copy_of_the_directory_is_refused(tmp_path: Path, url: str) -> None:
    one = settings(tmp_path / "one", "replica-1")
    async with open_state(url) as state:
        await write(state, one, "start")
        shutil.copytree(one.directory, tmp_path / "copy")
        await write(state, one, "suspend", "stop")
        await check(state, one)
        shutil.rmtree(one.directory)
        (tmp_path / "copy").rename(one.directory)
        with pytest.raises(RolledBackError, match="an older copy was put back"):
            await check(state, one)


async def test_a_copy_of_another_replicas_directory_is_no_chain_to_go_on_with(
    tmp_path: Path, url: str
) -> None:
    """A cloned machine would fork the chain otherwise."""
    one, two = settings(tmp_path / "one", "replica-1"), settings(tmp_path / "two", "replica-2")
    async with open_state(url) as state:
        chain = await write(state, one, "start")
        shutil.copytree(one.directory, two.directory)
        await write(state, one, "suspend")
        await check(state, two)
        assert await unknown_chains(two, state) == {chain}
        assert await unknown_chains(one, state) == set()
        assert await unknown_chains(replace(two, replica=None), state) == set()


async def test_a_chain_keeps_the_first_name_that_it_was_given(tmp_path: Path, url: str) -> None:
    one = settings(tmp_path / "one", None)
    async with open_state(url) as state:
        chain = await write(state, one, "start")
        for name in (None, "replica-1", "replica-2"):
            await write(state, replace(one, replica=name), "start")
        assert [(each.chain, each.replica) for each in await state.noted_checkpoints()] == [
            (chain, "replica-1")
        ]
