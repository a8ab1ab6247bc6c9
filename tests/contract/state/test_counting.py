"""What counts once, and what not too often."""

from collections.abc import AsyncIterator

import pytest

from vaultsigner.state import (
    AccountKey,
    Count,
    Nonce,
    NotCounted,
    Rate,
    Reserved,
    State,
    open_state,
)

NOW = 1_795_262_400_000
KEY = AccountKey("chain", "address")
NONCE = Nonce(b"n" * 32, NOW + 5_000)
RATE = Rate("client bot-1", 3, 1_000)
REPLAYED = NotCounted("replayed")


@pytest.fixture
async def state(url: str) -> AsyncIterator[State]:
    async with open_state(url) as state:
        yield state


async def use(state: State, *nonces: Nonce, now_ms: int = NOW) -> NotCounted | None:
    return await state.count(Count(nonces=nonces), now_ms=now_ms)


async def take(state: State, *rates: Rate, now_ms: int = NOW) -> NotCounted | None:
    return await state.count(Count(rates=rates), now_ms=now_ms)


async def test_nothing_is_counted_at_will(state: State) -> None:
    assert await state.count(Count(), now_ms=NOW) is None


async def test_replayed_nonce_is_refused(state: State) -> None:
    assert await use(state, NONCE) is None
    assert await use(state, NONCE) == REPLAYED
    assert await use(state, Nonce(b"m" * 32, NOW + 5_000)) is None


async def test_replayed_nonce_with_another_expiry_is_refused(state: State) -> None:
    assert await use(state, NONCE) is None
    assert await use(state, Nonce(NONCE.digest, NOW + 60_000)) == REPLAYED


async def test_a_rate_allows_its_count_at_once_and_then_evenly(state: State) -> None:
    assert [await take(state, RATE) for _ in range(3)] == [None] * 3
    assert await take(state, RATE) == NotCounted("rate", 334, RATE.key)
    assert await take(state, RATE, now_ms=NOW + 333) == NotCounted("rate", 1, RATE.key)
    assert await take(state, RATE, now_ms=NOW + 334) is None
    assert await take(state, RATE, now_ms=NOW + 334) == NotCounted("rate", 333, RATE.key)


async def test_a_rate_without_room_uses_no_nonce_up_and_takes_no_number(state: State) -> None:
    await state.remember_account(KEY, 1, 5)
    once = Rate("once", 1, 1_000)
    assert await take(state, once) is None
    count = Count(nonces=(NONCE,), rates=(once,))
    refused = await state.reserve(KEY, "f", "a", now_ms=NOW, lease_ms=1_000, count=count)
    assert refused == NotCounted("rate", 1_000, "once")
    assert await state.reserve(KEY, "f", "a", now_ms=NOW, lease_ms=1_000) == Reserved(1, 5, None)
    assert await use(state, NONCE) is None
