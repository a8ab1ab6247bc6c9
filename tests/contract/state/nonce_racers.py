"""A process that submits nonces, many copies of each at the same time: `python -m tests.contract.state.nonce_racers URL WAY`.

For each line on standard input, a first nonce and a number of nonces, it submits all copies of them at once, and answers how
often each was accepted.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from tests.contract.state.patient_state import patient_state
from vaultsigner.state import Count, Nonce, State
from vaultsigner.state.database_state import DatabaseState
from vaultsigner.state.sessions import Session

COPIES = 64
NOW = 1_700_000_000_000

Submit = Callable[[State, Nonce], Awaitable[bool]]

_LOOK = "SELECT digest FROM nonces WHERE digest = :digest"
_INSERT = """
INSERT INTO nonces (digest, expires_at_ms) VALUES (:digest, :expires_at_ms) ON CONFLICT DO NOTHING
"""


def nonce(number: int) -> Nonce:
    """The same in every process."""
    return Nonce(number.to_bytes(32, "big"), NOW + 5_000)


async def as_it_is(state: State, nonce: Nonce) -> bool:
    """True: accepted."""
    return await state.count(Count(nonces=(nonce,)), now_ms=NOW) is None


async def naively(state: State, nonce: Nonce) -> bool:
    """Looks first, and inserts what it has not found: what must not be done."""
    assert isinstance(state, DatabaseState)

    def look(session: Session) -> bool:
        return bool(session.rows(_LOOK, {"digest": nonce.digest}))

    def insert(session: Session) -> None:
        session.execute(_INSERT, {"digest": nonce.digest, "expires_at_ms": nonce.expires_at_ms})

    if await state._read(look):
        return False
    await state._write(insert)
    return True


WAYS: dict[str, Submit] = {"as_it_is": as_it_is, "naively": naively}


async def race(url: str, submit: Submit) -> None:
    """Answers until standard input ends."""
    async with patient_state(url) as state:
        print("open", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            first, number = map(int, line.split())
            numbers = range(first, first + number)
            answers = await asyncio.gather(
                *(submit(state, nonce(each)) for _ in range(COPIES) for each in numbers)
            )
            print(*(sum(answers[place::number]) for place in range(number)), flush=True)


if __name__ == "__main__":
    asyncio.run(race(sys.argv[1], WAYS[sys.argv[2]]))
