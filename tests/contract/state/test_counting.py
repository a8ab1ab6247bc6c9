"""What counts once, and what not too often."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from vaultsigner.errors import StateError
from vaultsigner.state import (
    CLOCK_SLACK_MS,
    AccountKey,
    Count,
    HeldByOther,
    Nonce,
    NotCounted,
    Rate,
    Reserved,
    State,
    counting_statements,
    open_state,
)
from vaultsigner.state.database_state import DatabaseState

NOW = 1_700_000_000_000
"""In the past: a database with a clock of its own forgets nothing before its time."""
KEY = AccountKey("chain", "address")
EXPIRY = NOW + 5_000
NONCE = Nonce(b"n" * 32, EXPIRY)
OTHER = Nonce(b"m" * 32, EXPIRY)
REPLAYED = NotCounted("replayed")
CLOCK = NotCounted("clock")
RATE = Rate("client bot-1", 3, 1_000)
ONCE = Rate("once", 1, 1_000)


@pytest.fixture
async def state(url: str) -> AsyncIterator[State]:
    async with open_state(url) as state:
        await state.remember_account(KEY, 1, 5)
        yield state


async def use(state: State, *nonces: Nonce) -> NotCounted | None:
    return await state.count(Count(nonces=nonces), now_ms=NOW)


async def take(state: State, *rates: Rate, now_ms: int = NOW) -> NotCounted | None:
    return await state.count(Count(rates=rates), now_ms=now_ms)


async def reserve(state: State, owner: str, *nonces: Nonce) -> Reserved | HeldByOther | NotCounted:
    count = Count(nonces=nonces)
    return await state.reserve(KEY, "f", owner, now_ms=NOW, lease_ms=1_000, count=count)


async def remembered(state: State) -> tuple[int, int]:
    """How many nonces and rates."""
    assert isinstance(state, DatabaseState)
    statement = "SELECT (SELECT count(*) FROM nonces), (SELECT count(*) FROM rates)"
    ((nonces, rates),) = await state._read(lambda session: session.rows(statement, {}))
    return nonces, rates


async def test_nothing_is_counted_at_will(state: State) -> None:
    assert [await state.count(Count(), now_ms=NOW) for _ in range(3)] == [None] * 3


async def test_replayed_nonce_is_refused(state: State) -> None:
    assert await use(state, NONCE) is None
    assert await use(state, NONCE) == REPLAYED
    assert await use(state, OTHER) is None


async def test_replayed_nonce_with_a_later_expiry_is_refused(state: State) -> None:
    assert await use(state, NONCE) is None
    assert await use(state, Nonce(NONCE.digest, EXPIRY + 60_000)) == REPLAYED


async def test_replayed_nonce_in_the_same_breath_is_refused(state: State) -> None:
    assert await use(state, NONCE, NONCE) == REPLAYED
    answers = await asyncio.gather(*(use(state, OTHER) for _ in range(50)))
    assert sorted(map(str, answers)) == ["None", *[str(REPLAYED)] * 49]


async def test_replayed_nonce_is_refused_after_opening_again(url: str) -> None:
    async with open_state(url) as first:
        assert await use(first, NONCE) is None
    async with open_state(url) as second:
        assert await use(second, NONCE) == REPLAYED


async def test_of_two_nonces_both_are_used_or_none(state: State) -> None:
    assert await use(state, NONCE) is None
    assert await use(state, OTHER, NONCE) == REPLAYED
    assert await use(state, OTHER) is None


@pytest.mark.parametrize("late_ms", [-1, 0])
async def test_an_expired_nonce_is_remembered_until_every_clock_agrees(state: State, late_ms: int) -> None:
    assert await use(state, NONCE) is None
    await state.forget_expired(now_ms=EXPIRY + CLOCK_SLACK_MS + late_ms)
    # What is forgotten is refused as well: nobody can know any more.
    assert await use(state, NONCE) == (REPLAYED if late_ms < 0 else CLOCK)


async def test_a_clock_that_steps_back_refuses_rather_than_forgets(state: State) -> None:
    assert await use(state, NONCE) is None
    await state.forget_expired(now_ms=NOW + 3_600_000)
    await state.forget_expired(now_ms=NOW)
    assert await use(state, NONCE) == CLOCK
    assert await use(state, OTHER) == CLOCK


async def test_one_replica_whose_clock_is_ahead_locks_nobody_out(state: State) -> None:
    """It forgets what is there, and nothing more is refused than what could have been that."""
    assert await use(state, NONCE) is None
    await state.forget_expired(now_ms=NOW + 365 * 86_400_000)
    assert await use(state, Nonce(OTHER.digest, EXPIRY + 1)) is None


async def test_a_clock_ahead_refuses_nobody_where_nothing_was_used(state: State) -> None:
    await state.forget_expired(now_ms=NOW + 365 * 86_400_000)
    assert await use(state, NONCE) is None


async def test_the_horizon_never_goes_back(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left over from before it is forgotten first, one at a time; nobody waits for the end of that."""
    monkeypatch.setattr(counting_statements, "FORGET_AT_ONCE", 1)
    assert isinstance(state, DatabaseState)
    assert await use(state, NONCE) is None
    await state.forget_expired(now_ms=EXPIRY + CLOCK_SLACK_MS)
    left_over = "INSERT INTO nonces (digest, expires_at_ms) VALUES (:digest, 1)"
    await state._write(lambda session: session.execute(left_over, {"digest": b"left over"}))
    assert await use(state, Nonce(OTHER.digest, EXPIRY + 1)) is None
    now_ms = EXPIRY + CLOCK_SLACK_MS + 1
    assert await state._write(lambda session: counting_statements.forget_expired(session, now_ms))
    assert await use(state, NONCE) == CLOCK
    await state.forget_expired(now_ms=now_ms)
    assert await remembered(state) == (0, 0)


async def test_the_horizon_outlives_a_restart(url: str) -> None:
    async with open_state(url) as first:
        assert await use(first, NONCE) is None
        await first.forget_expired(now_ms=EXPIRY + CLOCK_SLACK_MS)
    async with open_state(url) as second:
        assert await use(second, NONCE) == CLOCK


async def test_forgetting_leaves_what_is_still_to_come(state: State) -> None:
    await use(state, NONCE, Nonce(OTHER.digest, EXPIRY + 1))
    await state.forget_expired(now_ms=EXPIRY + CLOCK_SLACK_MS)
    assert await use(state, Nonce(OTHER.digest, EXPIRY + 1)) == REPLAYED


async def test_all_that_is_expired_is_removed_however_much_it_is(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting_statements, "FORGET_AT_ONCE", 10)
    for n in range(35):
        await state.count(Count((Nonce(bytes([n]), EXPIRY),), (Rate(f"r{n}", 1, 1),)), now_ms=NOW)
    assert await remembered(state) == (35, 35)
    await state.forget_expired(now_ms=EXPIRY + CLOCK_SLACK_MS)
    assert await remembered(state) == (0, 0)


async def test_a_rate_allows_its_count_at_once_and_then_evenly(state: State) -> None:
    assert [await take(state, RATE) for _ in range(3)] == [None] * 3
    assert await take(state, RATE) == NotCounted("rate", 334, RATE.key)
    assert await take(state, RATE, now_ms=NOW + 333) == NotCounted("rate", 1, RATE.key)
    assert await take(state, RATE, now_ms=NOW + 334) is None
    assert await take(state, RATE, now_ms=NOW + 334) == NotCounted("rate", 333, RATE.key)


async def test_what_is_told_to_wait_may_come_after_that_wait_and_not_before(state: State) -> None:
    rate = Rate("seven", 7, 60_000)
    for _ in range(7):
        await take(state, rate)
    refused = await take(state, rate)
    assert refused is not None
    assert refused.retry_after_ms is not None
    assert await take(state, rate, now_ms=NOW + refused.retry_after_ms - 1) is not None
    assert await take(state, rate, now_ms=NOW + refused.retry_after_ms) is None


@pytest.mark.parametrize("count", [1, 3, 7, 1_000])
async def test_a_rate_that_rested_long_allows_no_more_than_its_count(state: State, count: int) -> None:
    rate = Rate("rested", count, 1_000)
    await take(state, rate)
    later = NOW + 10**9
    answers = await asyncio.gather(*(take(state, rate, now_ms=later) for _ in range(count + 5)))
    assert sum(answer is None for answer in answers) == count


async def test_in_the_long_run_a_rate_allows_what_it_says(state: State) -> None:
    passed = [await take(state, RATE, now_ms=NOW + ms) is None for ms in range(0, 10_000, 50)]
    assert 30 <= sum(passed) <= 30 + RATE.count


async def test_rates_with_other_keys_are_other_rates(state: State) -> None:
    assert await take(state, ONCE) is None
    assert await take(state, Rate("another", 1, 1_000)) is None
    assert await take(state, ONCE) is not None


async def test_what_is_given_back_may_be_taken_again_once(state: State) -> None:
    for _ in range(3):
        await take(state, RATE)
    await state.refund(RATE, now_ms=NOW)
    assert await take(state, RATE) is None
    assert await take(state, RATE) is not None


async def test_nothing_is_given_back_beyond_an_unused_rate(state: State) -> None:
    await state.refund(RATE, now_ms=NOW)
    await take(state, RATE)
    for _ in range(10):
        await state.refund(RATE, now_ms=NOW)
    answers = [await take(state, RATE) for _ in range(4)]
    assert [answer is None for answer in answers] == [True, True, True, False]


async def test_a_clock_that_was_far_ahead_locks_nobody_out_for_longer_than_the_rate(state: State) -> None:
    for _ in range(3):
        assert await take(state, RATE, now_ms=NOW + 10**12) is None
    assert await take(state, RATE) == NotCounted("rate", 334, RATE.key)
    assert await take(state, RATE, now_ms=NOW + 334) is None
    assert [await take(state, RATE, now_ms=NOW + 2_000) is None for _ in range(4)] == [
        True,
        True,
        True,
        False,
    ]


async def test_a_clock_that_steps_back_gives_no_more_than_before(state: State) -> None:
    for _ in range(3):
        await take(state, RATE)
    assert await take(state, RATE, now_ms=NOW - 500) is not None


async def test_forgetting_changes_no_rate(state: State) -> None:
    for _ in range(3):
        await take(state, RATE)
    await state.forget_expired(now_ms=NOW + CLOCK_SLACK_MS)
    assert await take(state, RATE) is not None
    await state.forget_expired(now_ms=NOW + CLOCK_SLACK_MS + 10**6)
    assert await take(state, RATE, now_ms=NOW + 10**6) is None


async def test_a_rate_without_room_uses_up_no_nonce_and_no_other_rate(state: State) -> None:
    assert await take(state, ONCE) is None
    count = Count(nonces=(NONCE,), rates=(RATE, ONCE))
    for _ in range(5):
        assert await state.count(count, now_ms=NOW) == NotCounted("rate", 1_000, "once")
    assert [await take(state, RATE) is None for _ in range(4)] == [True, True, True, False]
    assert await use(state, NONCE) is None


async def test_a_replay_takes_no_room_from_a_rate(state: State) -> None:
    assert await use(state, NONCE) is None
    count = Count(nonces=(NONCE,), rates=(ONCE,))
    assert set(await asyncio.gather(*(state.count(count, now_ms=NOW) for _ in range(20)))) == {REPLAYED}
    assert await take(state, ONCE) is None


async def test_a_flood_over_one_rate_takes_no_room_from_those_beside_it(state: State) -> None:
    """Both clients come from one address, at the same time."""
    address = Rate("address", 20, 60_000)
    flood = [Count(rates=(ONCE, address))] * 200
    good = [Count(rates=(Rate(f"good {n}", 1, 1_000), address)) for n in range(19)]
    answers = await asyncio.gather(*(state.count(each, now_ms=NOW) for each in [*flood, *good]))
    assert answers[200:] == [None] * 19
    assert sum(answer is None for answer in answers) == 20


async def test_a_number_is_counted_together_with_its_nonce(state: State) -> None:
    assert await reserve(state, "a", NONCE) == Reserved(1, 5, None)
    assert await use(state, NONCE) == REPLAYED


async def test_replayed_request_takes_no_number(state: State) -> None:
    assert await use(state, NONCE) is None
    assert await reserve(state, "a", NONCE) == REPLAYED
    assert await reserve(state, "b", OTHER) == Reserved(1, 5, None)


async def test_a_rate_without_room_takes_no_number(state: State) -> None:
    assert await take(state, ONCE) is None
    count = Count(nonces=(NONCE,), rates=(ONCE,))
    refused = await state.reserve(KEY, "f", "a", now_ms=NOW, lease_ms=1_000, count=count)
    assert refused == NotCounted("rate", 1_000, "once")
    assert await reserve(state, "b", NONCE) == Reserved(1, 5, None)


async def test_a_number_that_is_not_to_be_had_leaves_the_request_counted(state: State) -> None:
    await reserve(state, "a")
    assert isinstance(await reserve(state, "b", NONCE), HeldByOther)
    assert await reserve(state, "b", NONCE) == REPLAYED


async def test_a_number_that_cannot_be_taken_leaves_nothing_counted(state: State) -> None:
    count = Count(nonces=(NONCE,), rates=(ONCE,))
    with pytest.raises(StateError, match="not known"):
        await state.reserve(AccountKey("chain", "nobody"), "f", "a", now_ms=NOW, lease_ms=1, count=count)
    assert await state.count(count, now_ms=NOW) is None


@pytest.mark.parametrize("expires_at_ms", [2**63, 10**5000], ids=["64 bits", "absurd"])
async def test_what_cannot_be_counted_harms_no_other(state: State, expires_at_ms: int) -> None:
    nonces = [Nonce(bytes([n]) * 32, expires_at_ms if n == 7 else EXPIRY) for n in range(20)]
    answers = await asyncio.gather(*(use(state, nonce) for nonce in nonces), return_exceptions=True)
    assert isinstance(answers.pop(7), StateError)
    assert answers == [None] * 19
    assert await use(state, nonces[3]) == REPLAYED
