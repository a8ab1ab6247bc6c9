"""What is stopped, and how everybody learns of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from vaultsigner.errors import StateError
from vaultsigner.state import State, Suspension, Suspensions, open_state

NOW = 1_700_000_000_000
WALLET = Suspension("wallet", "wallet_1", "key may have leaked", "user:ann", NOW)
ALL = Suspension("all", "", "drill", "user:bob", NOW + 1)


@pytest.fixture
async def state(url: str) -> AsyncIterator[State]:
    async with open_state(url) as state:
        yield state


async def test_nothing_is_stopped_at_first(state: State) -> None:
    assert await state.suspensions() == Suspensions(await state.suspension_version())


async def test_what_is_stopped_is_told_with_who_and_why_until_it_is_resumed(state: State) -> None:
    assert await state.suspend(ALL)
    assert await state.suspend(WALLET)
    assert (await state.suspensions()).suspended == (WALLET, ALL)
    assert await state.resume("all", "")
    assert (await state.suspensions()).suspended == (WALLET,)
    assert await state.resume("wallet", "wallet_1")
    assert (await state.suspensions()).suspended == ()


async def test_stopping_twice_keeps_the_first_reason_and_one_resume_ends_it(state: State) -> None:
    assert await state.suspend(WALLET)
    assert not await state.suspend(replace(WALLET, reason="another", by="user:bob", at_ms=NOW + 9))
    assert (await state.suspensions()).suspended == (WALLET,)
    assert await state.resume("wallet", "wallet_1")
    assert not await state.resume("wallet", "wallet_1")


async def test_the_version_is_another_after_each_change_and_after_nothing_else(state: State) -> None:
    versions = [await state.suspension_version()]
    for change in (
        state.suspend(WALLET),
        state.suspend(ALL),
        state.resume("all", ""),
        state.suspend(ALL),
        state.resume("all", ""),
        state.resume("wallet", "wallet_1"),
    ):
        assert await change
        versions.append(await state.suspension_version())
        assert (await state.suspensions()).version == versions[-1]
    assert len(set(versions)) == 7
    assert not await state.resume("wallet", "wallet_1")
    assert await state.suspension_version() == versions[-1]
    await state.suspend(WALLET)
    now = await state.suspension_version()
    await state.suspend(WALLET)
    assert await state.suspension_version() == now


async def test_one_name_of_several_kinds_is_several_things(state: State) -> None:
    both = Suspension("client", "bot-1", "r", "b", NOW), Suspension("user", "bot-1", "r", "b", NOW)
    for each in both:
        assert await state.suspend(each)
    assert await state.resume("user", "bot-1")
    assert (await state.suspensions()).suspended == both[:1]


@pytest.mark.parametrize("wrong", [replace(ALL, name="wallet_1"), replace(WALLET, name="")])
async def test_all_has_no_name_and_everything_else_has_one(state: State, wrong: Suspension) -> None:
    """Else a stop of `all` under a name could be missed by whoever looks for the stop of all."""
    with pytest.raises(StateError):
        await state.suspend(wrong)
    assert (await state.suspensions()).suspended == ()


async def test_another_replica_sees_it_at_once_and_after_a_restart(url: str) -> None:
    async with open_state(url) as one, open_state(url) as two:
        before = await two.suspension_version()
        await one.suspend(WALLET)
        assert await two.suspension_version() != before
        assert (await two.suspensions()).suspended == (WALLET,)
    async with open_state(url) as three:
        assert (await three.suspensions()).suspended == (WALLET,)


async def test_of_many_that_stop_the_same_one_did(url: str) -> None:
    async with open_state(url) as one, open_state(url) as two:
        answers = await asyncio.gather(
            *([one, two][n % 2].suspend(replace(WALLET, by=str(n))) for n in range(40))
        )
        assert answers.count(True) == 1
        assert await one.suspension_version() == 1
