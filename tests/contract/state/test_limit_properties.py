"""Whatever is used in whatever order: what is granted and told is what a list of all uses, added up, says."""

import asyncio
import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaultsigner.state import MOST_UNITS, Count, LimitUse, NotCounted, State, open_state
from vaultsigner.state.limit_statements import LimitKeeper

FIRST = 1_700_000_000_000
WINDOWS = {"a": 10, "b": 25}

numbers = itertools.count()

amounts = st.one_of(
    st.integers(0, 12),
    st.integers(MOST_UNITS - 3, MOST_UNITS),
    st.integers(MOST_UNITS // 2 - 2, MOST_UNITS // 2 + 3),
)
uses = st.tuples(st.sampled_from(sorted(WINDOWS)), amounts, st.sampled_from([0, 1, 10, 20, MOST_UNITS]))
steps = st.lists(
    st.tuples(
        st.sampled_from([-5, 0, 0, 0, 1, 1, 2, 5, 10, 30]),
        st.lists(uses, min_size=1, max_size=3),
        st.booleans(),
    ),
    max_size=25,
)
Step = tuple[int, list[tuple[str, int, int]], bool]


@dataclass
class Model:
    """All uses that were ever granted, each with its time, in a list."""

    looks: bool
    clock_ms: int = 0
    uses: list[tuple[str, int, int]] = field(default_factory=list)

    def window(self, key: str) -> list[tuple[int, int]]:
        """What is in it, oldest first."""
        return [
            (at_ms, units)
            for name, at_ms, units in self.uses
            if name == key and at_ms + WINDOWS[key] > self.clock_ms
        ]

    def used(self, key: str) -> int:
        return sum(units for _, units in self.window(key))

    def count(self, wanted: list[LimitUse], names: list[str], now_ms: int) -> NotCounted | None:
        """Each in turn; all or nothing."""
        self.clock_ms = max(self.clock_ms, now_ms)
        if self.looks:
            for use, name in zip(wanted, names, strict=True):
                if refused := self.refusal(use, name, now_ms):
                    return refused
        before = len(self.uses)
        for use, name in zip(wanted, names, strict=True):
            if refused := self.refusal(use, name, now_ms):
                del self.uses[before:]
                return refused
            self.uses.append((name, self.clock_ms, use.units))
        return None

    def refusal(self, use: LimitUse, name: str, now_ms: int) -> NotCounted | None:
        used = self.used(name)
        left = max(0, use.most_units - used)
        if use.units > use.most_units:
            return NotCounted("limit", None, use.key, left)
        if used + use.units <= use.most_units:
            return None
        for at_ms, units in self.window(name):
            used -= units
            if used + use.units <= use.most_units:
                return NotCounted("limit", max(1, at_ms + WINDOWS[name] - now_ms), use.key, left)
        raise AssertionError("an empty window has room")


async def live(state: State, plan: list[Step], looks: bool) -> None:
    """Play a plan in windows of its own, after all that was before it."""
    number = next(numbers)
    model, now_ms = Model(looks), FIRST + number * 10_000
    for advance_ms, wanted, forget in plan:
        now_ms += advance_ms
        limits = [LimitUse(f"{name} {number}", WINDOWS[name], units, most) for name, units, most in wanted]
        answer = await state.count(Count(limits=tuple(limits)), now_ms=now_ms)
        assert answer == model.count(limits, [name for name, _, _ in wanted], now_ms)
        if forget:
            await state.forget_expired(now_ms=now_ms)
        usage = await state.limit_usage([f"{name} {number}" for name in WINDOWS], now_ms=now_ms)
        assert list(usage.values()) == [model.used(name) for name in WINDOWS]


async def live_in(url: str, plan: list[Step], looks: bool) -> None:
    async with open_state(url) as state:
        await live(state, plan, looks)


# One database serves all examples, each with limits of its own. Without the look that spares others, the statement decides alone.
@pytest.mark.parametrize("looks", [True, False])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=steps)
def test_a_window_holds_what_was_used_in_it(url: str, looks: bool, plan: list[Step]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if not looks:
            patch.setattr(LimitKeeper, "refuse_hopeless", lambda *_: None)
        asyncio.run(live_in(url, plan, looks))
