"""Replicas whose clocks differ share one count: one that is ahead must not see the others' windows as over."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.postgres import PostgresServer
from vaultsigner.state import Count, LimitUse, NotCounted, Rate
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.postgres_session import CLOCK_TOLERANCE_MS

HOUR_MS = 3_600_000
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
    assert (refused.retry_after_ms or 0) <= HOUR_MS + CLOCK_TOLERANCE_MS


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
