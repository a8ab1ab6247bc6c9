"""The tree over a chain that is being written: right at every moment, and after every restart."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from vaultsigner.audit import Recorder
from vaultsigner.audit.checkpoint_entry import Checkpointed
from vaultsigner.audit.entries import Control
from vaultsigner.audit.files.chain_files import all_lines, find_chains
from vaultsigner.audit.writing.chain_tree import ChainState, ChainTree
from vaultsigner.domain.checkpoints import KEY_NAME, Checkpoint, SignedCheckpoint
from vaultsigner.domain.merkle import Tree, leaf_hash, roots_of_consistency
from vaultsigner.domain.signed_notes import VerifierKey, sign_note
from vaultsigner.errors import AuditError

SEED = SigningKey(sha256(b"test key").digest())
KEY = VerifierKey(KEY_NAME, bytes(SEED.verify_key))
NOON_US = 1_795_262_400_000_000


def lines_of(directory: Path) -> list[bytes]:
    """Without their newlines; some of the files may have been compressed meanwhile."""
    (chain,) = find_chains(directory)
    return [line.data.removesuffix(b"\n") for line in all_lines(chain.files)]


def tree_of(directory: Path, size: int) -> Tree:
    tree = Tree()
    for line in lines_of(directory)[:size]:
        tree.add(leaf_hash(line))
    return tree


def checkpointed(state: ChainState) -> Checkpointed:
    text = Checkpoint(state.chain, state.size, state.root, state.head, NOON_US).text()
    note = sign_note(text, KEY, SEED.sign(text.encode()).signature)
    checkpoint = Checkpoint(state.chain, state.size, state.root, state.head, NOON_US)
    return Checkpointed(state, SignedCheckpoint(checkpoint, note), None)


async def write(recorder: Recorder, count: int) -> None:
    for number in range(count):
        await recorder.record(Control("test", {"number": number}))


def tree(recorder: Recorder) -> ChainTree:
    assert recorder.tree is not None
    return recorder.tree


def state_of(recorder: Recorder) -> ChainState:
    state = tree(recorder).state()
    assert state is not None
    return state


async def test_empty_chain_has_nothing_to_sign(tmp_path: Path) -> None:
    async with Recorder(tmp_path, with_tree=True) as recorder:
        assert tree(recorder).state() is None


async def test_no_tree_unless_it_is_wanted(tmp_path: Path) -> None:
    async with Recorder(tmp_path) as recorder:
        assert recorder.tree is None


async def test_state_is_that_of_the_lines_on_disk(tmp_path: Path) -> None:
    async with Recorder(tmp_path, with_tree=True) as recorder:
        for _ in range(9):
            await write(recorder, 1)
            state = state_of(recorder)
            expected = tree_of(tmp_path, state.size)
            assert (state.size, state.root, state.subtrees) == (
                expected.size,
                expected.root(),
                expected.subtrees,
            )
            last = json.loads(lines_of(tmp_path)[-1])
            assert (state.chain, state.size, state.head) == (last["chain"], last["seq"], last["hash"])


@pytest.mark.parametrize("rotate_bytes", [1, 1 << 20])
async def test_tree_goes_on_from_the_last_checkpoint_after_a_restart(
    tmp_path: Path, rotate_bytes: int
) -> None:
    old = Tree()
    for steps in (5, 1, 0, 17, 3):
        async with Recorder(tmp_path, with_tree=True, rotate_bytes=rotate_bytes) as recorder:
            await write(recorder, steps)
            state = state_of(recorder)
            # What comes between the signature and its record is no part of what was signed.
            await write(recorder, 2)
            assert (state.old_size, state.size) == (old.size, state.size)
            if old.size:
                roots = roots_of_consistency(old.size, state.size, old.root(), state.path)
                assert roots == (old.root(), state.root)
            await recorder.record(checkpointed(state))
            tree(recorder).signed(state)
            old = tree_of(tmp_path, state.size)
            assert old.root() == state.root
            assert state_of(recorder).old_size == state.size


async def test_state_that_never_came_on_record_changes_nothing(tmp_path: Path) -> None:
    async with Recorder(tmp_path, with_tree=True) as recorder:
        await write(recorder, 3)
        lost = state_of(recorder)
        await write(recorder, 3)
        state = state_of(recorder)
        assert (state.old_size, state.path, state.size) == (0, (), 6)
        # And whoever has seen the lost one signed can be shown that the chain grew from there.
        path = tree(recorder).path_from(lost.size, state.size)
        assert roots_of_consistency(3, 6, lost.root, path) == (lost.root, state.root)
        tree(recorder).signed(lost)
        assert state_of(recorder).old_size == 0


async def test_every_path_between_two_sizes_can_be_had_from_the_files(tmp_path: Path) -> None:
    async with Recorder(tmp_path, with_tree=True, rotate_bytes=2000) as recorder:
        await write(recorder, 6)
        state = state_of(recorder)
        await recorder.record(checkpointed(state))
        tree(recorder).signed(state)
        await write(recorder, 6)
        for first in range(1, 14):
            for second in range(first, 14):
                older, newer = tree_of(tmp_path, first).root(), tree_of(tmp_path, second).root()
                path = tree(recorder).path_from(first, second)
                assert roots_of_consistency(first, second, older, path) == (older, newer)
        with pytest.raises(AuditError):
            tree(recorder).path_from(3, 14)
        with pytest.raises(AuditError):
            tree(recorder).path_from(14, 15)


async def test_it_says_once_that_a_checkpoint_is_due(tmp_path: Path) -> None:
    called: list[int] = []
    async with Recorder(tmp_path, with_tree=True) as recorder:
        tree(recorder).call_when_due(4, lambda: called.append(state_of(recorder).size))
        await write(recorder, 3)
        assert not called
        await write(recorder, 4)
        assert called == [4]
        tree(recorder).signed(state_of(recorder))
        await write(recorder, 3)
        assert called == [4]
        await write(recorder, 1)
        assert called == [4, 11]


async def test_checkpoint_that_makes_no_sense_is_not_gone_on_from(tmp_path: Path) -> None:
    async with Recorder(tmp_path, with_tree=True) as recorder:
        await write(recorder, 5)
        members = checkpointed(state_of(recorder)).members()
        members["subtrees"] = ["00" * 32, "11" * 32]

        class Forged:
            kind = "checkpoint"

            def members(self) -> dict[str, object]:
                return dict(members)

        await recorder.record(Forged())  # type: ignore[arg-type]  # Its members are JSON all the same.
    with pytest.raises(AuditError, match="makes no sense"):
        async with Recorder(tmp_path, with_tree=True):
            pass
    async with Recorder(tmp_path) as without:
        await write(without, 1)


async def test_closed_chain_is_left_alone(tmp_path: Path) -> None:
    async with Recorder(tmp_path) as recorder:
        position = await recorder.record(Control("test"))
    async with Recorder(tmp_path, closed={position.chain}, with_tree=True) as recorder:
        assert (await recorder.record(Control("test"))).chain != position.chain
