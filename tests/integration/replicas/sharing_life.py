"""A small replica, to be killed at any moment: it shares accounts, nonces and a limit with others over one database.

`python -m tests.integration.replicas.sharing_life URL DIRECTORY NODE_PORT` lives one life for each line of its input, in a
process forked so that nothing has to be imported again. A life says on standard output:

    life PID          it begins
    paid PAYMENT      its caller has the answer now
    nonce NUMBER      accepted
    used NUMBER       taken of the limit
    ended STATUS      the process is gone (from the parent)

It goes on until it is killed, or ends in order after SIGTERM.
"""

import asyncio
import os
import random
import signal
import sys
import time
from itertools import count
from pathlib import Path

from vaultsigner.audit import Recorder
from vaultsigner.audit.entries import Control
from vaultsigner.errors import StateError
from vaultsigner.state import (
    AccountKey,
    Count,
    Held,
    HeldStatus,
    LimitUse,
    Nonce,
    Reserved,
    State,
    open_state,
)

CHAIN = "Binance-Chain-Ganges"
ACCOUNTS = tuple(AccountKey(CHAIN, f"desk-{number}") for number in range(2))
WORKERS, LEASE_MS = 4, 400
NONCES, MOST_USES = 4_000, 1_500
DAY_MS = 86_400_000


def say(words: str) -> None:
    """One line, in one system call."""
    os.write(1, f"{words}\n".encode())


def now_ms() -> int:
    """By the machine's clock."""
    return time.time_ns() // 1_000_000


class Node:
    """The chain node, over one connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = asyncio.Lock()

    async def connect(self) -> None:
        """Once, before `send`."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def send(self, account: str, sequence: int, transaction: bytes) -> str:
        """`taken`, `known`, or what is wrong."""
        async with self._lock:
            self._writer.write(b"%s %d %s\n" % (account.encode(), sequence, transaction))
            return (await self._reader.readline()).decode().strip()


class Replica:
    """One life's."""

    def __init__(self, state: State, recorder: Recorder, node: Node) -> None:
        self._state = state
        self._recorder = recorder
        self._node = node

    async def pay(self, account: AccountKey, payment: str, *, again: bool) -> bool:
        """Reserve, record, store, send, record, settle; False where the number is somebody else's.

        Args:
            again: it has been paid, perhaps: only what is stored for it is sent.
        """
        owner = os.urandom(8).hex()
        reserved = await self._state.reserve(account, payment, owner, now_ms=now_ms(), lease_ms=LEASE_MS)
        if not isinstance(reserved, Reserved):
            return False
        sequence = reserved.sequence
        if again and reserved.transaction is None:
            # Somebody else has finished it in the meantime, and this would be another payment.
            await self._state.release(account, owner, sequence)
            return False
        transaction = reserved.transaction or payment.encode()
        await self._recorder.record(Control("wanted", {"payment": payment, "sequence": sequence}))
        stored = await self._state.mark_sent(
            account, owner, sequence, transaction, payment, now_ms=now_ms(), lease_ms=LEASE_MS
        )
        if not stored:
            return False
        said = await self._node.send(account.address, sequence, transaction)
        if said not in ("taken", "known"):
            raise StateError(said)
        await self._recorder.record(Control("paid", {"payment": payment, "sequence": sequence}))
        return await self._state.settle(account, owner, sequence, sequence + 1, done=True)

    async def left(self, account: AccountKey) -> Held | None:
        """What somebody who is gone has left on the account's number, with its bytes stored."""
        known = await self._state.account(account)
        held = known.held if known is not None else None
        if held is None or held.status is HeldStatus.RESERVED or held.in_flight(now_ms()):
            return None
        return held

    async def count(self, chance: random.Random) -> None:
        """A nonce that others try as well, and one of a limit that is everybody's."""
        number, moment = chance.randrange(NONCES), now_ms()
        nonce = Nonce(number.to_bytes(32, "big"), moment + DAY_MS)
        if await self._state.count(Count(nonces=(nonce,)), now_ms=moment) is None:
            say(f"nonce {number}")
        limit = LimitUse("shared", DAY_MS, 1, MOST_USES)
        if await self._state.count(Count(limits=(limit,)), now_ms=now_ms()) is None:
            say("used 1")


async def work(replica: Replica, worker: int, ending: asyncio.Event) -> None:
    """One caller after the other, until the end."""
    chance = random.Random(os.urandom(8))  # noqa: S311 - which nonce is tried is no secret
    for number in count():
        if ending.is_set():
            return
        account = ACCOUNTS[(worker + number) % len(ACCOUNTS)]
        payment = f"{os.getpid()}.{worker}.{number}"
        try:
            await replica.count(chance)
            held = await replica.left(account)
            # As the caller of whoever is gone would, at another replica.
            wanted = held.fingerprint if held is not None else payment
            if await replica.pay(account, wanted, again=held is not None):
                say(f"paid {wanted}")
        except StateError as error:
            say(f"refused {error}".replace("\n", " "))
        await asyncio.sleep(0.002)


async def live(url: str, directory: Path, port: int) -> None:
    """A life, until it is told to end."""
    ending, node = asyncio.Event(), Node(port)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    await node.connect()
    async with open_state(url) as state, Recorder(directory, compress_retry_seconds=0.01) as recorder:
        for account in ACCOUNTS:
            await state.remember_account(account, 7, 0)
        replica = Replica(state, recorder, node)
        await asyncio.gather(*(work(replica, number, ending) for number in range(WORKERS)))


def main(url: str, directory: Path, port: int) -> None:
    """A life for each line."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                say(f"life {os.getpid()}")
                asyncio.run(live(url, directory, port))
                status = 0
            finally:
                os._exit(status)
        say(f"ended {os.waitpid(child, 0)[1]}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
