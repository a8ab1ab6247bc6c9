"""What custody signed and what never came on record: the next checkpoint is proved to go on from both."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path

import pytest

from tests.patience import until
from vaultsigner.audit import Recorder
from vaultsigner.audit.checkpoint_entry import Checkpointed
from vaultsigner.audit.entries import Control, Entry
from vaultsigner.audit.files.chain_files import all_lines, find_chains
from vaultsigner.audit.writing.idle_chains import IdleChains
from vaultsigner.custody.client import CustodyClient
from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.domain.checkpoints import AnchorDocument
from vaultsigner.domain.merkle import Tree, leaf_hash
from vaultsigner.errors import AuditError, StateError
from vaultsigner.signing import checkpointing
from vaultsigner.signing.checkpointing import Checkpointing
from vaultsigner.signing.clock import SystemClock
from vaultsigner.state import NotedCheckpoint, State, open_state


class FullForOnce(Recorder):
    """The disk is full when the next checkpoint comes."""

    full = False

    async def record(self, entry: Entry) -> AuditPosition:
        if self.full and isinstance(entry, Checkpointed):
            self.full = False
            raise AuditError("No space left on device")
        return await super().record(entry)


@pytest.fixture
async def recorder(tmp_path: Path) -> AsyncIterator[FullForOnce]:
    async with FullForOnce(tmp_path / "audit", with_tree=True) as recorder:
        yield recorder


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    async with open_state(f"sqlite:///{tmp_path / 'state.db'}") as state:
        yield state


Make = Callable[[], Checkpointing]


@pytest.fixture
def sent() -> list[AnchorDocument]:
    return []


@pytest.fixture
def made(
    recorder: FullForOnce, state: State, client: CustodyClient, tmp_path: Path, sent: list[AnchorDocument]
) -> Checkpointing:
    return Checkpointing(
        recorder=recorder,
        custody=client,
        state=state,
        idle=IdleChains(tmp_path / "audit", lambda: 0),
        every=1000,
        publish=sent.append,
        clock=SystemClock(),
    )


def root(directory: Path, size: int) -> bytes:
    (chain,) = find_chains(directory)
    tree = Tree()
    for line in [line.data for line in all_lines(chain.files)][:size]:
        tree.add(leaf_hash(line.removesuffix(b"\n")))
    return tree.root()


async def test_checkpoint_goes_on_from_the_one_on_record(
    recorder: FullForOnce, made: Checkpointing, tmp_path: Path, sent: list[AnchorDocument]
) -> None:
    for number in range(9):
        await recorder.record(Control("test", {"number": number}))
        # Signed by custody, every second time never on record.
        recorder.full = number % 2 == 1
        assert await made.checkpoint() is (number % 2 == 0)
        assert (made.problem is None) is (number % 2 == 0)
    sizes = [document.signed.checkpoint.size for document in sent]
    assert sizes == [1, 4, 7, 10, 13]
    assert [document.old_size for document in sent] == [0, *sizes[:-1]]
    for before, document in zip(sizes, sent[1:], strict=False):
        assert document.grew_from(root(tmp_path / "audit", before))


async def test_trouble_with_chains_of_nobody_is_told_for_as_long_as_it_lasts(
    recorder: FullForOnce, state: State, made: Checkpointing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage the warning must not stay until the next minute; nor end with the own chain's success."""

    async def down() -> Collection[NotedCheckpoint]:
        raise StateError("the database is down")

    monkeypatch.setattr(checkpointing, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(checkpointing, "EVERY_SECONDS", 3600.0)
    await recorder.record(Control("test"))
    with monkeypatch.context() as while_down:
        while_down.setattr(state, "noted_checkpoints", down)
        others = asyncio.create_task(made.run_for_others())
        await until(lambda: made.problem is not None, "it is told")
        assert await made.checkpoint()
        assert made.problem == "the database is down"
    await until(lambda: made.problem is None, "it is over")
    others.cancel()
    await asyncio.gather(others, return_exceptions=True)


async def test_what_the_state_could_not_note_is_sent_later_and_in_order(
    recorder: FullForOnce,
    state: State,
    made: Checkpointing,
    sent: list[AnchorDocument],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An anchor that is ahead of the state would keep the service from starting."""

    async def down(_checkpoint: NotedCheckpoint) -> None:
        raise StateError("the database is down")

    await recorder.record(Control("test"))
    with monkeypatch.context() as while_down:
        while_down.setattr(state, "note_checkpoint", down)
        assert not await made.checkpoint()
        assert not await made.checkpoint()
    assert not sent
    assert await made.checkpoint()
    assert [document.signed.checkpoint.size for document in sent] == [1, 2]
    (noted,) = await state.noted_checkpoints()
    assert noted.size == 2
