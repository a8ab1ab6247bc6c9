"""A process that races others for a limit or for approvals: `python -m tests.contract.state.use_racers URL WAY NUMBER`.

It says `open` once the database is, waits for a line on standard input, does NUMBER attempts, and answers which of them were
granted.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from tests.contract.state.patient_state import patient_state
from vaultsigner.state import MOST_UNITS, ApprovalUse, Count, LimitUse, State

NOW = 1_700_000_000_000
WINDOW_MS = 86_400_000
CAP = 1_000
KEY = "desk-trades 0 user:sam"
IN_FLIGHT = 50
REQUESTER = "user:sam"

Attempt = Callable[[State, int], Awaitable[bool]]


def digest(number: int) -> bytes:
    """Of what the approval of this number is for."""
    return number.to_bytes(32, "big")


async def as_it_is(state: State, number: int) -> bool:
    """True: granted."""
    use = LimitUse(KEY, WINDOW_MS, 1, CAP)
    return await state.count(Count(limits=(use,)), now_ms=NOW + number) is None


async def naively(state: State, number: int) -> bool:
    """Looks first, and uses what has room: what must not be done."""
    if (await state.limit_usage([KEY], now_ms=NOW))[KEY] >= CAP:
        return False
    use = LimitUse(KEY, WINDOW_MS, 1, MOST_UNITS)
    return await state.count(Count(limits=(use,)), now_ms=NOW + number) is None


async def approval(state: State, number: int) -> bool:
    """Uses the approval of this number."""
    use = ApprovalUse(f"a-{number}", digest(number), REQUESTER)
    return await state.count(Count(approval=use), now_ms=NOW) is None


WAYS: dict[str, Attempt] = {"as_it_is": as_it_is, "naively": naively, "approval": approval}


async def race(url: str, attempt: Attempt, number: int) -> None:
    """One race."""
    numbers, granted = iter(range(number)), list[int]()

    async def run(state: State) -> None:
        for each in numbers:
            if await attempt(state, each):
                granted.append(each)

    async with patient_state(url) as state:
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(run(state) for _ in range(IN_FLIGHT)))
    print(*granted, flush=True)


if __name__ == "__main__":
    asyncio.run(race(sys.argv[1], WAYS[sys.argv[2]], int(sys.argv[3])))
