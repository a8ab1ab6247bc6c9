"""Rolling windows, to the millisecond."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from vaultsigner.errors import StateError
from vaultsigner.state import (
    CLOCK_SLACK_MS,
    MOST_UNITS,
    AccountKey,
    Count,
    LimitUse,
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
WINDOW = 60_000
KEY = AccountKey("chain", "address")


@pytest.fixture
async def state(url: str) -> AsyncIterator[State]:
    async with open_state(url) as state:
        await state.remember_account(KEY, 1, 5)
        yield state


def limit(
    units: int = 1, most_units: int = 3, *, key: str = "desk-trades 0 user:sam", window_ms: int = WINDOW
) -> LimitUse:
    return LimitUse(key, window_ms, units, most_units)


async def use(state: State, *uses: LimitUse, now_ms: int = NOW) -> NotCounted | None:
    return await state.count(Count(limits=uses), now_ms=now_ms)


async def used(state: State, key: str = limit().key, *, now_ms: int = NOW) -> int:
    return (await state.limit_usage([key], now_ms=now_ms))[key]


async def remembered(state: State) -> int:
    """How many rows of uses."""
    assert isinstance(state, DatabaseState)
    ((rows,),) = await state._read(lambda session: session.rows("SELECT count(*) FROM limit_uses", {}))
    return int(rows)


def full(retry_after_ms: int | None, left_units: int = 0, key: str = limit().key) -> NotCounted:
    return NotCounted("limit", retry_after_ms, key, left_units)


async def test_a_limit_allows_what_it_says_and_no_more(state: State) -> None:
    assert [await use(state, limit()) for _ in range(3)] == [None] * 3
    assert await use(state, limit()) == full(WINDOW)


async def test_what_does_not_fit_says_what_is_left_and_takes_nothing(state: State) -> None:
    assert await use(state, limit(70, 100)) is None
    assert await use(state, limit(31, 100)) == full(WINDOW, 30)
    assert await use(state, limit(30, 100)) is None
    assert await use(state, limit(0, 100)) is None
    assert await used(state) == 100


async def test_a_use_leaves_its_window_to_the_millisecond(state: State) -> None:
    assert await use(state, limit(1, 1)) is None
    assert await use(state, limit(1, 1), now_ms=NOW + WINDOW - 1) == full(1)
    assert await use(state, limit(1, 1), now_ms=NOW + WINDOW) is None


async def test_a_window_rolls_and_never_begins_anew(state: State) -> None:
    """A fixed window would allow twice its limit around its edge."""
    for second in range(50, 60, 5):
        assert await use(state, limit(1, 2), now_ms=NOW + second * 1_000) is None
    assert await use(state, limit(1, 2), now_ms=NOW + 60_000) == full(50_000)
    assert await use(state, limit(1, 2), now_ms=NOW + 110_000) is None
    assert await use(state, limit(1, 2), now_ms=NOW + 110_000) == full(5_000)


async def test_it_eases_when_enough_has_left_for_this_use(state: State) -> None:
    for n, units in enumerate([10, 20, 30, 40]):
        assert await use(state, limit(units, 100), now_ms=NOW + n) is None
    later = NOW + 1_000
    for units, n in [(1, 0), (10, 0), (11, 1), (30, 1), (31, 2), (60, 2), (61, 3), (100, 3)]:
        refused = await use(state, limit(units, 100), now_ms=later)
        assert refused == full(WINDOW + n - 1_000), units
    assert await use(state, limit(60, 100), now_ms=NOW + WINDOW + 1) == full(1, 30)
    assert await use(state, limit(60, 100), now_ms=NOW + WINDOW + 2) is None


async def test_more_than_the_whole_limit_never_eases(state: State) -> None:
    assert await use(state, limit(2, 3)) is None
    assert await use(state, limit(4, 3)) == full(None, 1)
    assert await use(state, limit(1, 0, key="none")) == full(None, 0, "none")
    assert await use(state, limit(0, 0, key="none")) is None


async def test_limits_with_other_keys_are_other_limits(state: State) -> None:
    assert await use(state, limit(1, 1)) is None
    assert await use(state, limit(1, 1, key="desk-trades 0 user:ann")) is None
    assert await use(state, limit(1, 1)) is not None


async def test_a_limit_that_was_lowered_counts_what_was_used_before(state: State) -> None:
    assert await use(state, limit(80, 100)) is None
    assert await use(state, limit(1, 50)) == full(WINDOW, 0)
    assert await use(state, limit(0, 50)) == full(WINDOW, 0)
    assert await use(state, limit(1, 81)) is None


async def test_a_window_that_was_made_shorter_or_longer_counts_what_lies_in_it(state: State) -> None:
    assert await use(state, limit(1, 1)) is None
    assert await use(state, limit(1, 1, window_ms=1_000), now_ms=NOW + 999) is not None
    assert await use(state, limit(1, 1, window_ms=1_000), now_ms=NOW + 1_000) is None
    assert await use(state, limit(1, 2), now_ms=NOW + 1_000) is not None


@pytest.mark.parametrize("back_ms", [1, WINDOW - 1, WINDOW, 30 * 86_400_000])
async def test_a_clock_that_steps_back_frees_nothing(state: State, back_ms: int) -> None:
    for n in range(3):
        assert await use(state, limit(), now_ms=NOW + n) is None
    assert await use(state, limit(), now_ms=NOW - back_ms) == full(WINDOW + back_ms)
    assert await used(state, now_ms=NOW - back_ms) == 3
    assert await use(state, limit(), now_ms=NOW + WINDOW - 1) == full(1)
    assert await use(state, limit(), now_ms=NOW + WINDOW) is None


async def test_a_use_by_a_clock_that_was_behind_leaves_no_earlier_when_the_clock_is_right_again(
    state: State,
) -> None:
    assert await use(state, limit(1, 2)) is None
    assert await use(state, limit(1, 2), now_ms=NOW - 10_000) is None
    assert await use(state, limit(2, 2), now_ms=NOW + WINDOW - 1) == full(1, 0)


async def test_a_use_of_a_new_limit_by_a_clock_that_was_behind_leaves_no_earlier(state: State) -> None:
    assert await use(state, limit(key="another")) is None
    assert await use(state, limit(1, 1), now_ms=NOW - 10_000) is None
    assert await use(state, limit(1, 1), now_ms=NOW + WINDOW - 1) == full(1)


async def test_what_left_under_a_clock_that_was_ahead_is_not_made_up_for_by_more(state: State) -> None:
    """The time that was seen stays: what is used after the clock stepped back stays for a whole window after that time."""
    assert await use(state, limit(1, 1)) is None
    ahead = NOW + 10 * WINDOW
    assert await use(state, limit(1, 1), now_ms=ahead) is None
    assert await use(state, limit(1, 1), now_ms=NOW + WINDOW) == full(10 * WINDOW)
    assert await use(state, limit(1, 1), now_ms=ahead + WINDOW - 1) == full(1)
    assert await use(state, limit(1, 1), now_ms=ahead + WINDOW) is None


async def test_the_time_that_was_seen_outlives_a_restart(url: str) -> None:
    async with open_state(url) as first:
        assert await use(first, limit(key="another")) is None
    async with open_state(url) as second:
        assert await use(second, limit(1, 1), now_ms=NOW - 10_000) is None
        assert await use(second, limit(1, 1), now_ms=NOW + WINDOW - 1) == full(1)


async def test_uses_outlive_a_restart(url: str) -> None:
    async with open_state(url) as first:
        assert await use(first, limit(3)) is None
    async with open_state(url) as second:
        assert await use(second, limit()) == full(WINDOW)


async def test_of_several_limits_all_are_used_or_none(state: State) -> None:
    small, large = limit(1, 1, key="small"), limit(10, 100, key="large")
    assert await use(state, large, small) is None
    for order in [(large, small), (small, large), (large, small, large)]:
        assert await use(state, *order, now_ms=NOW + 1) == full(WINDOW - 1, 0, "small")
    assert await state.limit_usage(["small", "large", "unused"], now_ms=NOW) == {
        "small": 1,
        "large": 10,
        "unused": 0,
    }
    assert await remembered(state) == 2


async def test_one_limit_twice_in_one_request_counts_twice(state: State) -> None:
    assert await use(state, limit(), limit()) is None
    assert await use(state, limit(), limit()) == full(WINDOW, 0)
    assert await used(state) == 2
    assert await use(state, limit()) is None


async def test_of_many_at_once_as_many_pass_as_fit(state: State) -> None:
    answers = await asyncio.gather(*(use(state, limit(3, 100)) for _ in range(200)))
    assert answers.count(None) == 33
    assert set(answers) == {None, full(WINDOW, 1)}
    assert await used(state) == 99


async def test_what_waits_together_counts_by_the_latest_clock_among_it(state: State) -> None:
    """Else a use by a clock that is right could leave early because one by a clock that is behind shares its transaction."""
    clocks = [NOW - 1_000 * n for n in range(49, -1, -1)]
    await asyncio.gather(*(use(state, limit(1, 100), now_ms=now_ms) for now_ms in clocks))
    assert await used(state, now_ms=NOW + WINDOW - 1) >= 1


async def test_of_several_limits_that_are_full_the_first_is_told(state: State) -> None:
    both = limit(1, 1, key="b"), limit(1, 1, key="a")
    assert await use(state, *both) is None
    assert await use(state, *both) == full(WINDOW, 0, "b")


async def test_a_use_of_nothing_changes_nothing(state: State) -> None:
    assert await use(state, limit(1, 1)) is None
    assert await use(state, limit(0, 1), now_ms=NOW + 10) is None
    assert await use(state, limit(1, 1), now_ms=NOW + 20) == full(WINDOW - 20)
    assert await use(state, limit(1, 1), now_ms=NOW + WINDOW) is None


async def test_those_who_are_refused_by_another_limit_leave_nothing_behind_at_once(state: State) -> None:
    """Sums, of which each is different, and that pass 2^63 on the way."""
    most = MOST_UNITS
    assert await use(state, limit(most - 1_000, most, key="large"), now_ms=NOW - WINDOW) is None
    assert await use(state, limit(900, most, key="large"), now_ms=NOW - 1) is None
    uses = [(limit(n, most, key="large"), limit(1, 5, key="small")) for n in range(1, 101)]
    answers = await asyncio.gather(*(use(state, *each) for each in uses))
    passed = [n for n, answer in enumerate(answers, start=1) if answer is None]
    assert len(passed) == 5
    assert await used(state, "large") == 900 + sum(passed)
    assert await used(state, "small") == 5


async def test_a_flood_over_one_limit_takes_no_room_from_those_beside_it(state: State) -> None:
    """Whatever the order in which a request's limits stand."""
    assert await use(state, limit(1, 1, key="sam")) is None
    flood = [use(state, limit(1, 20, key="wallet"), limit(1, 1, key="sam")) for _ in range(200)]
    good = [use(state, limit(1, 20, key="wallet"), limit(1, 1, key=f"good {n}")) for n in range(20)]
    answers = await asyncio.gather(*flood, *good)
    assert answers[200:] == [None] * 20


async def test_a_sum_may_be_just_2_to_the_63_less_1(state: State) -> None:
    assert await use(state, limit(MOST_UNITS - 5, MOST_UNITS)) is None
    assert await use(state, limit(5, MOST_UNITS)) is None
    assert await used(state) == MOST_UNITS
    assert await use(state, limit(1, MOST_UNITS)) == full(WINDOW)


async def test_sums_beyond_64_bits_stay_exact(state: State) -> None:
    most = MOST_UNITS
    for turn in range(7):
        now_ms = NOW + turn * WINDOW
        assert await use(state, limit(most - 5, most), now_ms=now_ms) is None
        assert await use(state, limit(6, most), now_ms=now_ms + 1) == full(WINDOW - 1, 5)
        assert await use(state, limit(2, most), now_ms=now_ms + 1) is None
        assert await used(state, now_ms=now_ms + 1) == most - 3
        assert await use(state, limit(most - 1, most), now_ms=now_ms + WINDOW) == full(1, most - 2)
        assert await used(state, now_ms=now_ms + WINDOW) == 2


async def test_two_that_fit_alone_and_not_together_where_the_sum_passes_2_to_the_63(state: State) -> None:
    assert await use(state, limit(MOST_UNITS - 5, MOST_UNITS)) is None
    assert await use(state, limit(9, 10), now_ms=NOW + WINDOW) is None
    assert await use(state, limit(1, 10), limit(1, 10), now_ms=NOW + WINDOW) == full(WINDOW, 0)
    assert await used(state, now_ms=NOW + WINDOW) == 9
    answers = await asyncio.gather(*(use(state, limit(1, 10), now_ms=NOW + WINDOW) for _ in range(20)))
    assert answers.count(None) == 1


async def test_uses_that_fill_64_bits_each(state: State) -> None:
    for turn in range(5):
        now_ms = NOW + turn * WINDOW
        assert await use(state, limit(MOST_UNITS, MOST_UNITS), now_ms=now_ms) is None
        assert await use(state, limit(1, MOST_UNITS), now_ms=now_ms + WINDOW - 1) == full(1)


@pytest.mark.parametrize(
    ("window_ms", "units", "most_units"), [(0, 1, 1), (1, -1, 1), (1, 2**63, 1), (1, 1, 2**63), (1, 1, -1)]
)
def test_a_negative_use_would_give_room_and_is_none(window_ms: int, units: int, most_units: int) -> None:
    with pytest.raises(ValueError, match="units from 0"):
        LimitUse("k", window_ms, units, most_units)


async def test_the_longest_window_and_the_shortest(state: State) -> None:
    longest = 366 * 86_400_000
    assert await use(state, limit(1, 1, window_ms=longest)) is None
    assert await use(state, limit(1, 1, window_ms=longest), now_ms=NOW + longest - 1) == full(1)
    assert await use(state, limit(1, 1, key="short", window_ms=1), now_ms=NOW + longest) is None
    assert await use(state, limit(1, 1, key="short", window_ms=1), now_ms=NOW + longest) is not None
    assert await use(state, limit(1, 1, key="short", window_ms=1), now_ms=NOW + longest + 1) is None


async def test_usage_is_what_is_in_the_window_now(state: State) -> None:
    assert await use(state, limit(30, 100)) is None
    assert await use(state, limit(40, 100), now_ms=NOW + 10) is None
    assert await used(state, now_ms=NOW + WINDOW - 1) == 70
    assert await used(state, now_ms=NOW + WINDOW) == 40
    assert await used(state, now_ms=NOW + WINDOW + 10) == 0
    assert await use(state, limit(1, 100), now_ms=NOW + WINDOW) is None
    assert await used(state, now_ms=NOW) == 41, "by a clock that is behind what was seen"


async def test_forgetting_frees_nothing(state: State) -> None:
    assert await use(state, limit(1, 2)) is None
    assert await use(state, limit(1, 2), now_ms=NOW + 10) is None
    await state.forget_expired(now_ms=NOW + CLOCK_SLACK_MS + WINDOW - 1)
    assert await remembered(state) == 2
    await state.forget_expired(now_ms=NOW + CLOCK_SLACK_MS + WINDOW)
    assert await remembered(state) == 1
    assert await use(state, limit(2, 2), now_ms=NOW + WINDOW) == full(10, 1)
    assert await use(state, limit(1, 2), now_ms=NOW + WINDOW) is None
    assert await used(state, now_ms=NOW + WINDOW) == 2


async def test_the_longer_of_two_windows_in_one_millisecond_is_remembered(state: State) -> None:
    short = 1_000
    for key, windows in {"a": (WINDOW, short), "b": (short, WINDOW)}.items():
        for window_ms in windows:
            assert await use(state, limit(key=key, window_ms=window_ms)) is None
    await state.forget_expired(now_ms=NOW + CLOCK_SLACK_MS + WINDOW - 1)
    assert await remembered(state) == 2
    await state.forget_expired(now_ms=NOW + CLOCK_SLACK_MS + WINDOW)
    assert await remembered(state) == 0


async def test_forgetting_by_a_clock_that_is_a_little_ahead_frees_nothing(state: State) -> None:
    assert await use(state, limit(1, 1)) is None
    await state.forget_expired(now_ms=NOW + CLOCK_SLACK_MS + WINDOW - 1)
    assert await use(state, limit(1, 1), now_ms=NOW + 1) is not None


async def test_all_that_has_left_is_removed_however_much_it_is(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting_statements, "FORGET_AT_ONCE", 10)
    for n in range(35):
        assert await use(state, limit(1, 100), now_ms=NOW + n) is None
    assert await remembered(state) == 35
    await state.forget_expired(now_ms=NOW + WINDOW + CLOCK_SLACK_MS + 33)
    assert (await remembered(state), await used(state, now_ms=0)) == (1, 1)
    await state.forget_expired(now_ms=NOW + WINDOW + CLOCK_SLACK_MS + 34)
    assert (await remembered(state), await used(state, now_ms=0)) == (0, 0)
    assert await use(state, limit(100, 100)) is None


async def test_a_full_limit_uses_up_no_nonce_no_rate_and_no_number(state: State) -> None:
    nonce, rate = Nonce(b"n" * 32, NOW + 5_000), Rate("once", 1, 1_000)
    assert await use(state, limit(1, 1)) is None
    count = Count((nonce,), (rate,), (limit(5, 10, key="other"), limit(1, 1)))
    assert await state.count(count, now_ms=NOW) == full(WINDOW)
    assert await state.reserve(KEY, "f", "a", now_ms=NOW, lease_ms=1_000, count=count) == full(WINDOW)
    assert await used(state, "other") == 0
    good = Count((nonce,), (rate,), (limit(5, 10, key="other"),))
    assert await state.reserve(KEY, "f", "b", now_ms=NOW, lease_ms=1_000, count=good) == Reserved(1, 5, None)
    assert await used(state, "other") == 5


async def test_a_replay_and_a_rate_without_room_use_nothing_of_a_limit(state: State) -> None:
    nonce, rate = Nonce(b"n" * 32, NOW + 5_000), Rate("once", 1, 1_000)
    assert await state.count(Count((nonce,), (rate,)), now_ms=NOW) is None
    for count in (Count((nonce,), (), (limit(),)), Count((), (rate,), (limit(),))):
        answers = await asyncio.gather(*(state.count(count, now_ms=NOW) for _ in range(10)))
        assert {answer.why for answer in answers if answer} <= {"replayed", "rate"}
        assert None not in answers
    assert await used(state) == 0


async def test_a_number_that_cannot_be_taken_leaves_nothing_used(state: State) -> None:
    nobody = AccountKey("chain", "nobody")
    with pytest.raises(StateError, match="not known"):
        await state.reserve(nobody, "f", "a", now_ms=NOW, lease_ms=1, count=Count(limits=(limit(),)))
    assert await used(state) == 0


async def test_what_was_used_stays_used_when_the_request_comes_to_nothing(state: State) -> None:
    count = Count(limits=(limit(),))
    assert await state.reserve(KEY, "f", "a", now_ms=NOW, lease_ms=1_000, count=count) == Reserved(1, 5, None)
    await state.release(KEY, "a", 5)
    assert await used(state) == 1


async def test_what_cannot_be_counted_harms_no_other(state: State) -> None:
    uses = [limit(1, 100, key="k\0" if n == 7 else "k", window_ms=WINDOW) for n in range(20)]
    answers = await asyncio.gather(*(use(state, each) for each in uses), return_exceptions=True)
    failed = answers.pop(7)
    assert failed is None or isinstance(failed, StateError)  # SQLite takes the zero; it is another key then.
    assert answers == [None] * 19
    assert await used(state, "k") == 19
