"""An exchange's clock compared with ours, without asking more often than need be."""

import asyncio
from dataclasses import dataclass, field

import pytest

from vaultsigner.dispatch.exchange_time import FRESH_SECONDS, SORRY_SECONDS, ExchangeTime

SPOT, FUTURES = "/api/v3/time", "/fapi/v1/time"


@dataclass
class World:
    """An exchange's clock and ours, and the ways between them, in seconds."""

    now: float = 1_000.0
    skew_ms: int | None = 120_000
    way_there: float = 0.0
    way_back: float = 0.0
    ways: list[float] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def milliseconds(self) -> int:
        """Our clock."""
        return round(self.now * 1000)

    def monotonic(self) -> float:
        """Another clock of ours."""
        return self.now - 500

    async def ask(self, path: str) -> int | None:
        """A round trip."""
        self.asked.append(path)
        way = self.ways.pop(0) if self.ways else self.way_there
        self.now += way
        told = None if self.skew_ms is None else self.milliseconds() + self.skew_ms
        await asyncio.sleep(0)
        self.now += self.way_back
        return told


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def time(world: World) -> ExchangeTime:
    return ExchangeTime(world.ask, world)


@pytest.mark.parametrize("skew_ms", [0, 120_000, -120_000, 3])
@pytest.mark.parametrize("way", [0.0, 0.01, 0.4])
async def test_the_offset_is_what_it_is_half_way(
    world: World, time: ExchangeTime, skew_ms: int, way: float
) -> None:
    world.skew_ms, world.way_there, world.way_back = skew_ms, way, way
    measured = await time.offset_ms(SPOT, fresh=False)
    assert measured is not None
    assert abs(measured - skew_ms) <= 1


async def test_a_way_that_is_slow_once_does_not_count(world: World, time: ExchangeTime) -> None:
    """Opening a connection takes several ways more, all of them before the exchange looks at its clock."""
    world.ways, world.way_back = [3.0, 0.1], 0.1
    assert await time.offset_ms(SPOT, fresh=False) == 120_000


async def test_it_is_remembered_for_a_while(world: World, time: ExchangeTime) -> None:
    await time.offset_ms(SPOT, fresh=False)
    number = len(world.asked)
    world.skew_ms = 7
    world.now += FRESH_SECONDS - 1
    assert await time.offset_ms(SPOT, fresh=False) == 120_000
    assert len(world.asked) == number
    world.now += 2
    assert await time.offset_ms(SPOT, fresh=False) == 7


async def test_what_has_to_be_fresh_is_not_remembered(world: World, time: ExchangeTime) -> None:
    await time.offset_ms(SPOT, fresh=False)
    world.skew_ms = 7
    assert await time.offset_ms(SPOT, fresh=True) == 7
    assert await time.offset_ms(SPOT, fresh=False) == 7


async def test_each_product_has_its_clock(world: World, time: ExchangeTime) -> None:
    await time.offset_ms(SPOT, fresh=False)
    world.skew_ms = 7
    assert await time.offset_ms(FUTURES, fresh=False) == 7
    assert await time.offset_ms(SPOT, fresh=False) == 120_000
    assert set(world.asked) == {SPOT, FUTURES}


@pytest.mark.parametrize("fresh", [True, False])
async def test_all_who_ask_at_once_ask_once(world: World, time: ExchangeTime, fresh: bool) -> None:
    asked = [time.offset_ms(SPOT, fresh=fresh) for _ in range(50)]
    assert await asyncio.gather(*asked) == [120_000] * 50
    assert len(world.asked) == 2


async def test_one_who_goes_away_takes_nothing_from_the_others(world: World, time: ExchangeTime) -> None:
    first, second = (asyncio.create_task(time.offset_ms(SPOT, fresh=False)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 120_000
    assert first.cancelled()


async def test_who_says_nothing_is_not_asked_each_time(world: World, time: ExchangeTime) -> None:
    world.skew_ms = None
    assert await time.offset_ms(SPOT, fresh=False) is None
    number = len(world.asked)
    assert await time.offset_ms(SPOT, fresh=False) is None
    assert len(world.asked) == number
    world.skew_ms = 7
    assert await time.offset_ms(SPOT, fresh=True) == 7
    world.now += SORRY_SECONDS + 1
    assert await time.offset_ms(SPOT, fresh=False) == 7


async def test_what_was_known_is_better_than_nothing_but_not_fresh(world: World, time: ExchangeTime) -> None:
    await time.offset_ms(SPOT, fresh=False)
    world.skew_ms = None
    world.now += FRESH_SECONDS + 1
    assert await time.offset_ms(SPOT, fresh=False) == 120_000
    assert await time.offset_ms(SPOT, fresh=True) is None
    world.now += SORRY_SECONDS + 1
    assert await time.offset_ms(SPOT, fresh=False) == 120_000
