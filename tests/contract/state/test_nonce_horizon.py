"""However clocks jump: no nonce counts twice, and none is refused for its age unless it might have been forgotten."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaultsigner.state import (
    CLOCK_SLACK_MS,
    Count,
    Nonce,
    NotCounted,
    State,
    counting_statements,
    open_state,
)

START_MS = 1_000_000_000_000
EXAMPLE_MS = 10 * 86_400_000
"""Each example has days of its own, later than those before it, as the horizon only goes up."""

examples = itertools.count()
offsets = st.sampled_from(
    [0, 1, 1_000, 5_000, 60_000, CLOCK_SLACK_MS, CLOCK_SLACK_MS + 5_000, 3_600_000, 86_400_000]
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("use"), st.integers(0, 9), offsets),
        st.tuples(st.just("forget"), offsets),
        st.tuples(st.just("restart")),
    ),
    min_size=5,
    max_size=25,
)


@dataclass
class Witness:
    """Remembers for ever what state may forget."""

    example: int
    used: dict[bytes, int] = field(default_factory=dict)

    @property
    def start_ms(self) -> int:
        return START_MS + self.example * EXAMPLE_MS

    async def use(self, state: State, number: int, offset_ms: int) -> None:
        """The digest decides the expiry, as a signature covers its timestamp."""
        expires_at_ms = self.start_ms + offset_ms + number
        nonce = Nonce(b"%d %d" % (self.example, expires_at_ms), expires_at_ms)
        answer = await state.count(Count(nonces=(nonce,)), now_ms=self.start_ms)
        if nonce.digest in self.used:
            assert answer in (NotCounted("replayed"), NotCounted("clock"))
        elif answer is None:
            self.used[nonce.digest] = expires_at_ms
        else:
            assert answer == NotCounted("clock")
            assert expires_at_ms <= max(self.used.values()), "refused, though nothing that late was ever used"

    async def forget(self, state: State, offset_ms: int) -> None:
        await state.forget_expired(now_ms=self.start_ms + offset_ms)
        await self.try_all_again(state)

    async def try_all_again(self, state: State) -> None:
        for digest, expires_at_ms in self.used.items():
            nonce = Nonce(digest, expires_at_ms)
            assert await state.count(Count(nonces=(nonce,)), now_ms=self.start_ms) is not None


async def live(url: str, plan: list[tuple[Any, ...]]) -> None:
    witness, rest = Witness(next(examples)), iter(plan)
    going = True
    while going:
        going = False
        async with open_state(url) as state:
            for name, *arguments in rest:
                if name == "restart":
                    going = True
                    break
                await getattr(witness, name)(state, *arguments)


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting_statements, "FORGET_AT_ONCE", 3)


# One database serves all examples.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=steps)
def test_no_nonce_counts_twice_and_no_clock_locks_anybody_out(url: str, plan: list[tuple[Any, ...]]) -> None:
    asyncio.run(live(url, plan))
