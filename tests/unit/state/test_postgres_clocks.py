"""Replicas whose clocks differ share one count: one that is ahead must not see the others' windows as over."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.postgres import PostgresServer
from vaultsigner.state import (
    Account,
    AccountKey,
    Count,
    Held,
    HeldByOther,
    LimitUse,
    NotCounted,
    Rate,
    Reserved,
    Resynchronised,
)
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.postgres_session import CLOCK_TOLERANCE_MS

HOUR_MS = 3_600_000
LEASE_MS = HOUR_MS // 2
LITTLE_MS = 60_000
"""More than the tolerance, and than a question for the time takes; far less than how far ahead a clock is here."""
KEY = AccountKey("chain", "address")
HOURLY = LimitUse("an hour", HOUR_MS, 10, 10)
GUESSES = Rate("log-in address 10.0.0.7", 5, HOUR_MS)


@pytest.fixture
async def state(postgres: PostgresServer) -> AsyncIterator[PostgresState]:
    with postgres.database() as url:
        async with PostgresState(url) as state:
            yield state


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def use(state: PostgresState, *, ahead_ms: int = 0) -> NotCounted | None:
    return await state.count(Count(limits=(HOURLY,)), now_ms=now_ms() + ahead_ms)


async def guess(state: PostgresState, *, ahead_ms: int = 0) -> NotCounted | None:
    return await state.count(Count(rates=(GUESSES,)), now_ms=now_ms() + ahead_ms)


async def test_a_clock_that_is_ahead_empties_no_window(state: PostgresState) -> None:
    assert await use(state) is None
    for ahead_ms in (HOUR_MS, 2 * HOUR_MS, 48 * HOUR_MS):
        refused = await use(state, ahead_ms=ahead_ms)
        assert refused is not None
        assert (refused.why, refused.left_units) == ("limit", 0)
        assert 0 < (refused.retry_after_ms or 0) <= HOUR_MS


async def test_what_was_used_by_a_clock_that_is_ahead_leaves_its_window_in_time(state: PostgresState) -> None:
    assert await use(state, ahead_ms=48 * HOUR_MS) is None
    refused = await use(state)
    assert refused is not None
    assert (refused.retry_after_ms or 0) <= HOUR_MS + LITTLE_MS


async def test_forgetting_by_a_clock_that_is_ahead_empties_no_window(state: PostgresState) -> None:
    assert await use(state) is None
    await state.forget_expired(now_ms=now_ms() + 48 * HOUR_MS)
    refused = await use(state)
    assert refused is not None
    assert refused.why == "limit"


async def test_a_rate_is_one_rate_for_clocks_that_differ(state: PostgresState) -> None:
    """In turns: the one that is behind would cut what the other has used, which then sees an empty rate again."""
    granted = [await guess(state, ahead_ms=ahead_ms) is None for ahead_ms in (0, 10 * HOUR_MS) * 20]
    assert sum(granted) == GUESSES.count


async def test_a_clock_that_is_ahead_a_little_counts(state: PostgresState) -> None:
    """Nobody's clock is quite the database's: where it is nearly so, windows are exact by the caller's."""
    moment = now_ms() + CLOCK_TOLERANCE_MS // 2
    short = LimitUse("a little while", 100, 1, 1)
    assert await state.count(Count(limits=(short,)), now_ms=moment) is None
    refused = await state.count(Count(limits=(short,)), now_ms=moment + 99)
    assert refused == NotCounted("limit", 1, short.key, 0)
    assert await state.count(Count(limits=(short,)), now_ms=moment + 100) is None


async def test_a_clock_that_is_ahead_takes_no_number_from_who_is_about_to_send(state: PostgresState) -> None:
    await state.remember_account(KEY, 1, 7)
    assert isinstance(await reserve(state, "first"), Reserved)
    assert isinstance(await reserve(state, "second", ahead_ms=HOUR_MS), HeldByOther)
    assert await mark_sent(state, "first")


async def test_a_clock_that_is_ahead_settles_nothing_that_is_being_sent(state: PostgresState) -> None:
    await state.remember_account(KEY, 1, 7)
    await reserve(state, "first", ahead_ms=HOUR_MS)
    assert await mark_sent(state, "first")
    seen = await known(state)
    became = await state.resynchronise(KEY, 1, 7, settled=True, now_ms=now_ms() + HOUR_MS, seen=seen)
    assert became is Resynchronised.IN_FLIGHT
    assert await known(state) == seen


async def test_a_lease_by_a_clock_that_is_ahead_ends_in_time(state: PostgresState) -> None:
    await state.remember_account(KEY, 1, 7)
    await reserve(state, "first", ahead_ms=HOUR_MS)
    assert (await held(state)).lease_until_ms <= now_ms() + LEASE_MS + LITTLE_MS
    await mark_sent(state, "first", ahead_ms=HOUR_MS)
    assert (await held(state)).lease_until_ms <= now_ms() + LEASE_MS + LITTLE_MS


async def reserve(
    state: PostgresState, owner: str, *, ahead_ms: int = 0
) -> Reserved | HeldByOther | NotCounted:
    return await state.reserve(KEY, owner, owner, now_ms=now_ms() + ahead_ms, lease_ms=LEASE_MS)


async def mark_sent(state: PostgresState, owner: str, *, ahead_ms: int = 0) -> bool:
    return await state.mark_sent(KEY, owner, 7, b"bytes", "AB", now_ms=now_ms() + ahead_ms, lease_ms=LEASE_MS)


async def known(state: PostgresState) -> Account:
    account = await state.account(KEY)
    assert account is not None
    return account


async def held(state: PostgresState) -> Held:
    found = (await known(state)).held
    assert found is not None
    return found
