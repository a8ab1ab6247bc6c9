"""How far the record had come, as the state knows it."""

from vaultsigner.state import NotedCheckpoint, open_state

FIRST = NotedCheckpoint("00000000000000aa", 1000, "1" * 64)
LATER = NotedCheckpoint("00000000000000aa", 2000, "2" * 64)
OTHER = NotedCheckpoint("00000000000000bb", 7, "3" * 64)


async def test_the_furthest_of_each_chain_is_known_after_a_restart(url: str) -> None:
    async with open_state(url) as state:
        assert await state.noted_checkpoints() == ()
        for noted in (FIRST, OTHER, LATER):
            await state.note_checkpoint(noted)
    async with open_state(url) as state:
        assert await state.noted_checkpoints() == (LATER, OTHER)


async def test_an_earlier_one_that_comes_late_changes_nothing(url: str) -> None:
    async with open_state(url) as state:
        for noted in (LATER, FIRST, NotedCheckpoint(LATER.chain, LATER.size, "4" * 64)):
            await state.note_checkpoint(noted)
        assert await state.noted_checkpoints() == (LATER,)
