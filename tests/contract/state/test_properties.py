"""Whatever happens in whatever order: a number carries one transaction until its fate is settled."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaultsigner.state import (
    Account,
    AccountKey,
    Performed,
    Reserved,
    Resynchronised,
    State,
    open_state,
)

LEASE_MS = 10

accounts = itertools.count()

owners = st.sampled_from(["a", "b", "c"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), owners, st.sampled_from(["f1", "f2"])),
        st.tuples(st.sampled_from(["send", "unknown", "release", "accepted", "refused", "look"]), owners),
        st.tuples(st.just("resync"), owners, st.booleans(), st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 12)),
        st.tuples(st.just("restart")),
    ),
    max_size=40,
)


@dataclass
class World:
    """Callers who act on what they were once told, however old, and a list of what went out and of what was done.

    Each transaction is the doing of an address of its own, so that the ledger shows which of them it counts.
    """

    key: AccountKey
    state: State = field(init=False)
    now_ms: int = 0
    told: dict[str, Reserved] = field(default_factory=dict)
    seen: dict[str, Account | None] = field(default_factory=dict)
    out: dict[int, bytes] = field(default_factory=dict)
    attempts: int = 0
    addresses: dict[bytes, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    async def reserve(self, owner: str, fingerprint: str) -> None:
        answer = await self.state.reserve(self.key, fingerprint, owner, now_ms=self.now_ms, lease_ms=LEASE_MS)
        if isinstance(answer, Reserved):
            assert answer.transaction == self.out.get(answer.sequence)
            self.told[owner] = answer

    async def send(self, owner: str) -> None:
        if (told := self.told.get(owner)) is None:
            return
        self.attempts += 1
        transaction = told.transaction or f"{owner} {self.attempts}".encode()
        address = self.addresses.setdefault(transaction, f"{self.key.address} {transaction.decode()}")
        if await self.state.mark_sent(
            self.key,
            owner,
            told.sequence,
            transaction,
            transaction.hex(),
            now_ms=self.now_ms,
            lease_ms=LEASE_MS,
            performed=(Performed("order", "sender", address),),
        ):
            assert self.out.setdefault(told.sequence, transaction) == transaction

    async def unknown(self, owner: str) -> None:
        if owner in self.told:
            await self.state.mark_unknown(self.key, owner, self.told[owner].sequence)

    async def release(self, owner: str) -> None:
        if owner in self.told:
            await self.state.release(self.key, owner, self.told[owner].sequence)

    async def accepted(self, owner: str) -> None:
        if owner in self.told:
            number = self.told[owner].sequence
            if await self.state.settle(self.key, owner, number, number + 1, done=True):
                self.done.add(self.addresses[self.out[number]])

    async def refused(self, owner: str) -> None:
        """The node did not take the transaction: what went out on the number is void."""
        if owner in self.told and await self.state.settle(
            self.key, owner, self.told[owner].sequence, self.told[owner].sequence, done=False
        ):
            del self.out[self.told[owner].sequence]

    async def look(self, owner: str) -> None:
        self.seen[owner] = await self.state.account(self.key)

    async def resync(self, owner: str, settled: bool, arrived: bool) -> None:
        """The node tells what became of the held transaction, or, with nothing held, says what state says."""
        if (seen := self.seen.get(owner)) is None:
            return
        done = await self.state.resynchronise(
            self.key,
            1,
            seen.sequence + (arrived and seen.held is not None),
            settled=settled,
            arrived=arrived,
            now_ms=self.now_ms,
            seen=seen,
        )
        if done is not Resynchronised.SETTLED:
            return
        if arrived:
            self.done.add(self.addresses[self.out[seen.sequence]])
        else:
            del self.out[seen.sequence]

    async def check_the_ledger(self) -> None:
        """All that arrived is done, and nothing else."""
        for address in self.addresses.values():
            assert bool(await self.state.performed(address)) is (address in self.done)

    async def wait(self, milliseconds: int) -> None:
        self.now_ms += milliseconds


async def live(url: str, key: AccountKey, plan: list[tuple[Any, ...]]) -> None:
    """Play a plan; `restart` closes the database and opens it again, while the callers live on."""
    world, rest = World(key), iter(plan)
    going = True
    while going:
        async with open_state(url) as world.state:
            await world.state.remember_account(key, 1, 0)
            going = await play(world, rest)
            await world.check_the_ledger()


async def play(world: World, rest: Iterator[tuple[Any, ...]]) -> bool:
    """Play until the next restart; False at the end of the plan."""
    for name, *arguments in rest:
        if name == "restart":
            return True
        await getattr(world, name)(*arguments)
    return False


# One database serves all examples, each with an account of its own.
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=steps)
def test_a_number_carries_one_transaction_until_it_is_settled(url: str, plan: list[tuple[Any, ...]]) -> None:
    asyncio.run(live(url, AccountKey("chain", f"address {next(accounts)}"), plan))
