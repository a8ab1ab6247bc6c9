"""Watching the record: what comes reaches everybody who watches, and nobody who watches is in the way of the others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.patience import wait_until
from tests.unit.audit.long_log import CHAIN, OTHER_CHAIN, days_of, long_log, write_days
from vaultsigner.audit.searching.live import MOST_HELD, MOST_WATCHING, LiveRecords, Watch
from vaultsigner.audit.searching.query_client import QueryBusyError, QueryError

LINES, OTHERS = long_log(CHAIN).lines, long_log(OTHER_CHAIN, 300).lines
[DAY, *_] = [day for day, _ in days_of(LINES)]


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveRecords]:
    """Of a chain with 100 records."""
    write_days(tmp_path, [(DAY, LINES[:100])])
    live = LiveRecords(tmp_path, every_seconds=0.01)
    yield live
    await live.close()


def append(directory: Path, *lines: bytes, chain: str = CHAIN) -> None:
    path = directory / chain / f"{DAY}.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.writelines(lines)


async def taken(watch: Watch, count: int) -> list[bytes]:
    """The next so many lines."""
    found: list[bytes] = []
    async with aclosing(watch.lines(0.05)) as batches:
        async for lines in batches:
            found += lines
            if len(found) >= count:
                return found
    raise AssertionError("the stream ended")


async def until(done: Callable[[], bool]) -> None:
    """Wait until something is so, here in the event loop."""
    await asyncio.to_thread(wait_until, done, "it is so")


async def test_what_comes_reaches_everybody_and_what_was_there_nobody(
    live: LiveRecords, tmp_path: Path
) -> None:
    watches = [await live.watch() for _ in range(3)]
    append(tmp_path, *LINES[100:103])
    for watch in watches:
        assert await taken(watch, 3) == [*LINES[100:103]]
    append(tmp_path, *OTHERS[:2], chain=OTHER_CHAIN)
    for watch in watches:
        assert await taken(watch, 2) == [*OTHERS[:2]]
        watch.close()


async def test_where_nothing_comes_a_sign_says_so(live: LiveRecords) -> None:
    watch = await live.watch()
    async with aclosing(watch.lines(0.01)) as batches:
        assert await anext(batches) == []
    watch.close()


async def test_so_many_watch_and_no_more_until_one_goes(live: LiveRecords) -> None:
    watches = [await live.watch() for _ in range(MOST_WATCHING)]
    with pytest.raises(QueryBusyError):
        await live.watch()
    watches[0].close()
    watches[0].close()
    (await live.watch()).close()
    for watch in watches:
        watch.close()


async def test_who_takes_nothing_is_cut_off_and_the_others_see_all(live: LiveRecords, tmp_path: Path) -> None:
    slow, quick = await live.watch(), await live.watch()
    seen: list[bytes] = []
    for line in LINES[100 : 100 + MOST_HELD + 2]:
        append(tmp_path, line)
        seen += await taken(quick, 1)
    assert seen == [*LINES[100 : 100 + MOST_HELD + 2]]
    async with aclosing(slow.lines(5.0)) as batches:
        held = [lines async for lines in batches]
    assert len(held) == MOST_HELD - 1
    quick.close()


async def test_all_streams_end_when_the_service_stops(live: LiveRecords) -> None:
    watches = [await live.watch() for _ in range(3)]
    live.hang_up()
    for watch in watches:
        async with aclosing(watch.lines(5.0)) as batches:
            assert [lines async for lines in batches] == []


async def test_nobody_looks_where_nobody_watches_and_the_next_sees_what_is_new_then(
    live: LiveRecords, tmp_path: Path
) -> None:
    for number in range(3):
        watch = await live.watch()
        looking = live._looking
        assert looking is not None
        append(tmp_path, LINES[100 + 2 * number])
        assert await taken(watch, 1) == [LINES[100 + 2 * number]]
        watch.close()
        await until(looking.done)
        append(tmp_path, LINES[101 + 2 * number])


async def test_where_the_files_cannot_be_read_nobody_waits(tmp_path: Path) -> None:
    live = LiveRecords(tmp_path / "nothing", every_seconds=0.01)
    for _ in range(2):
        with pytest.raises(QueryError):
            await live.watch()
    await live.close()
