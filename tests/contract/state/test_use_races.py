"""Limits and approvals over many processes, and over the death of one."""

import asyncio
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.contract.state.use_racers import CAP, KEY, NOW, REQUESTER, digest
from tests.patience import PATIENCE_SECONDS
from vaultsigner.state import Approval, State, open_state
from vaultsigner.state.database_state import DatabaseState

ROOT = Path(__file__).parents[3]
PROCESSES = 8
ATTEMPTS = 100_000
RACE_SECONDS = 10 * PATIENCE_SECONDS
"""One hundred thousand attempts take most of a minute where others are at work, too."""


def race(url: str, way: str, each: int, *, processes: int = PROCESSES) -> list[list[int]]:
    """What was granted to each of so many processes that begin at the same time, with so many attempts each."""
    command = [sys.executable, "-m", "tests.contract.state.use_racers", url, way, str(each)]
    with ExitStack() as stack:
        racers = []
        for _ in range(processes):
            racer = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
            stack.enter_context(racer)
            stack.callback(racer.kill)
            racers.append(racer)
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "open\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        answers = [racer.communicate(timeout=RACE_SECONDS)[0] for racer in racers]
        assert [racer.returncode for racer in racers] == [0] * processes
    return [[int(word) for word in answer.split()] for answer in answers]


async def in_window(url: str) -> int:
    async with open_state(url) as state:
        return (await state.limit_usage([KEY], now_ms=NOW))[KEY]


def test_many_processes_together_get_exactly_what_the_limit_allows(url: str) -> None:
    granted = race(url, "as_it_is", ATTEMPTS // PROCESSES)
    assert sum(map(len, granted)) == CAP
    assert asyncio.run(in_window(url)) == CAP
    assert sum(map(bool, granted)) > 1, "one process got everything: they did not race"


def test_the_race_would_show_a_look_before_the_use(url: str) -> None:
    granted = race(url, "naively", CAP)
    assert sum(map(len, granted)) > CAP
    assert asyncio.run(in_window(url)) > CAP


async def grant(url: str, number: int) -> None:
    async with open_state(url) as state:
        for n in range(number):
            asked = Approval(f"a-{n}", digest(n), "{}", REQUESTER, "r", "p", 1, NOW + 1)
            await state.open_approval(asked, now_ms=NOW)
            await state.vote(asked.id, "user:ann", approve=True, now_ms=NOW)


def test_each_approval_is_used_once_by_two_processes(url: str) -> None:
    asyncio.run(grant(url, 300))
    one, two = race(url, "approval", 300, processes=2)
    assert sorted(one + two) == list(range(300))


USER = """
import asyncio, itertools, os, sys
from vaultsigner.state import Count, LimitUse, Nonce, Rate, open_state

async def main():
    numbers = itertools.count(int(sys.argv[2]))
    async with open_state(sys.argv[1]) as state:
        async def use():
            while True:
                number = next(numbers)
                count = Count(
                    nonces=(Nonce(number.to_bytes(32, "big"), 10**15),),
                    limits=(LimitUse("ones", 10**9, 1, 10**12), LimitUse("threes", 10**9, 3, 10**12)),
                )
                assert await state.count(count, now_ms=number) is None
                os.write(1, b"%d\\n" % number)
        await asyncio.gather(*(use() for _ in range(32)))

asyncio.run(main())
"""


def use_and_die(url: str, first: int, seconds: float) -> int:
    """Run a process that uses two limits and a nonce, 32 times at once, kill it; returns of how many it was told."""
    process = subprocess.Popen([sys.executable, "-c", USER, url, str(first)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    line = process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    told = (line + process.stdout.read()).count(b"\n")
    process.stdout.close()
    process.wait(PATIENCE_SECONDS)
    return told


async def remembered(url: str) -> tuple[int, int, int]:
    """The units of both limits, and how many nonces."""
    async with open_state(url) as state:
        used = await state.limit_usage(["ones", "threes"], now_ms=0)
        return used["ones"], used["threes"], await nonces(state)


async def nonces(state: State) -> int:
    assert isinstance(state, DatabaseState)
    ((number,),) = await state._read(lambda session: session.rows("SELECT count(*) FROM nonces", {}))
    return int(number)


def test_kill_9_in_the_middle_of_a_batch_forgets_no_use_and_leaves_no_half(url: str) -> None:
    told = 0
    for life in range(5):
        told += use_and_die(url, 1 + life * 1_000_000, 0.02 + 0.013 * life)
        ones, threes, nonces = asyncio.run(remembered(url))
        assert ones >= told > 0
        assert threes == 3 * ones
        assert nonces == ones
