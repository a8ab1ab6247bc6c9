"""Many at once, over two connections to one database, and over the death of a process."""

import asyncio
import subprocess
import sys
import time

from tests.patience import PATIENCE_SECONDS
from vaultsigner.state import AccountKey, Count, Nonce, NotCounted, Reserved, State, open_state

KEY = AccountKey("chain", "address")
LEASE_MS = 30_000


async def broadcast(state: State, owner: str, numbers: list[int]) -> None:
    """One broadcast as the pipeline makes it, tried until the number is to be had."""
    while True:
        reserved = await state.reserve(KEY, owner, owner, now_ms=0, lease_ms=LEASE_MS)
        if isinstance(reserved, Reserved):
            break
        await asyncio.sleep(0.001)
    number = reserved.sequence
    assert await state.mark_sent(KEY, owner, number, owner.encode(), owner, now_ms=0, lease_ms=LEASE_MS)
    numbers.append(number)
    assert await state.settle(KEY, owner, number, number + 1)


async def test_of_many_that_ask_at_once_one_gets_the_number(url: str) -> None:
    async with open_state(url) as one, open_state(url) as two:
        await one.remember_account(KEY, 1, 5)
        asked = [
            state.reserve(KEY, f"f{n}", f"owner-{n}", now_ms=0, lease_ms=LEASE_MS)
            for n, state in enumerate([one, two] * 64)
        ]
        answers = await asyncio.gather(*asked)
    assert sum(isinstance(answer, Reserved) for answer in answers) == 1


async def test_no_number_is_used_twice_by_two_processes_under_load(url: str) -> None:
    numbers: list[int] = []
    async with open_state(url) as one, open_state(url) as two:
        await one.remember_account(KEY, 1, 0)
        await asyncio.gather(
            *(broadcast(state, f"owner-{n}", numbers) for n, state in enumerate([one, two] * 10))
        )
        account = await one.account(KEY)
    assert sorted(numbers) == list(range(20))
    assert account is not None
    assert (account.sequence, account.held) == (20, None)


async def test_two_that_take_over_the_same_abandoned_number_do_not_both_get_it(url: str) -> None:
    async with open_state(url) as one, open_state(url) as two:
        await one.remember_account(KEY, 1, 5)
        await one.reserve(KEY, "f", "dead", now_ms=0, lease_ms=LEASE_MS)
        answers = await asyncio.gather(
            *(
                state.reserve(KEY, "f", f"owner-{n}", now_ms=LEASE_MS, lease_ms=LEASE_MS)
                for n, state in enumerate([one, two] * 16)
            )
        )
    assert sum(isinstance(answer, Reserved) for answer in answers) == 1


SENDER = """
import asyncio, os, sys
from vaultsigner.state import AccountKey, Reserved, open_state

async def main():
    async with open_state(sys.argv[1]) as state:
        key = AccountKey("chain", "address")
        await state.remember_account(key, 1, 0)
        while True:
            reserved = await state.reserve(key, "f", "owner", now_ms=0, lease_ms=0)
            assert isinstance(reserved, Reserved)
            transaction = reserved.transaction or os.urandom(8)
            assert await state.mark_sent(key, "owner", reserved.sequence, transaction, "H", now_ms=0, lease_ms=0)
            os.write(1, b"%d %s\\n" % (reserved.sequence, transaction.hex().encode()))
            assert await state.settle(key, "owner", reserved.sequence, reserved.sequence + 1)

asyncio.run(main())
"""


def live_and_die(url: str, seconds: float) -> list[tuple[int, str]]:
    """Run a sender, kill it, and return each number with the bytes that went out on it."""
    process = subprocess.Popen([sys.executable, "-c", SENDER, url], stdout=subprocess.PIPE)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    lines = [first, *process.stdout.read().splitlines(keepends=True)]
    process.stdout.close()
    process.wait(PATIENCE_SECONDS)
    return [
        (int(number), sent.decode())
        for number, sent in (line.split() for line in lines if line.endswith(b"\n"))
    ]


def test_kill_9_uses_no_number_for_two_transactions(url: str) -> None:
    sent: dict[int, str] = {}
    for life in range(5):
        for number, transaction in live_and_die(url, 0.02 + 0.017 * life):
            assert sent.setdefault(number, transaction) == transaction
    assert sorted(sent) == list(range(len(sent)))


COUNTER = """
import asyncio, itertools, os, sys
from vaultsigner.state import Count, Nonce, Rate, open_state

async def main():
    numbers = itertools.count(int(sys.argv[2]))
    async with open_state(sys.argv[1]) as state:
        async def use():
            while True:
                number = next(numbers)
                count = Count((Nonce(number.to_bytes(32, "big"), 1_000),), (Rate("all", 1_000_000, 1_000),))
                assert await state.count(count, now_ms=0) is None
                os.write(1, b"%d\\n" % number)
        await asyncio.gather(*(use() for _ in range(32)))

asyncio.run(main())
"""


def count_and_die(url: str, first: int, seconds: float) -> list[int]:
    """Run a process that uses nonces, 32 at a time, kill it, and return those that it was told were accepted."""
    process = subprocess.Popen([sys.executable, "-c", COUNTER, url, str(first)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    line = process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    lines = [line, *process.stdout.read().splitlines(keepends=True)]
    process.stdout.close()
    process.wait(PATIENCE_SECONDS)
    return [int(line) for line in lines if line.endswith(b"\n")]


async def replayed(url: str, numbers: list[int]) -> list[bool]:
    async with open_state(url) as state:
        nonces = [Nonce(number.to_bytes(32, "big"), 1_000) for number in numbers]
        answers = await asyncio.gather(*(state.count(Count((nonce,)), now_ms=0) for nonce in nonces))
    return [answer == NotCounted("replayed") for answer in answers]


def test_kill_9_in_the_middle_of_a_batch_forgets_no_nonce(url: str) -> None:
    for life in range(5):
        accepted = count_and_die(url, life * 1_000_000, 0.02 + 0.013 * life)
        assert accepted
        assert all(asyncio.run(replayed(url, accepted)))
