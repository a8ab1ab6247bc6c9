"""The chain account behind each wallet: its number and its sequence, learnt from the node, kept in state, used one at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from vaultsigner.config.settings import Wallet
from vaultsigner.dispatch.beacon_node import BeaconNode, NodeAccount
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.clock import Clock
from vaultsigner.state import Account, AccountKey, Held, Resynchronised, State

CATCH_UP_SECONDS = 3.0
"""How long to wait for the chain to show a transaction that it may just have taken; blocks come several times a second."""
POLL_SECONDS = 0.2
TURN_SECONDS = 30.0
WAITING_LIMIT = 256

Sleep = Callable[[float], Awaitable[None]]


class Turns:
    """One broadcast at a time an account, in the order of asking, with a bound on how many wait and for how long."""

    def __init__(self) -> None:
        self._locks: dict[AccountKey, asyncio.Lock] = {}
        self._waiting: dict[AccountKey, int] = {}

    @asynccontextmanager
    async def turn(self, key: AccountKey) -> AsyncIterator[bool]:
        """Yields True when it is this caller's turn, False when too many wait or it took too long."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        if self._waiting.get(key, 0) >= WAITING_LIMIT or not await self._acquire(key, lock):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    async def idle(self, key: AccountKey) -> bool:
        """Wait until no broadcast is under way; False when that took too long."""
        lock = self._locks.get(key)
        if lock is None or not lock.locked():
            return True
        async with self.turn(key) as mine:
            return mine

    async def _acquire(self, key: AccountKey, lock: asyncio.Lock) -> bool:
        self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            async with asyncio.timeout(TURN_SECONDS):
                return await lock.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting[key] -= 1


class Accounts:
    """Account numbers and sequences, from state where known, else from the node that the configuration names."""

    def __init__(
        self, state: State, nodes: Mapping[str, BeaconNode], clock: Clock, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._state = state
        self._nodes = nodes
        self._clock = clock
        self._sleep = sleep
        self._started_at = clock.monotonic()
        self._accepted_at: dict[AccountKey, float] = {}
        self.turns = Turns()

    def key(self, wallet: Wallet, address: str) -> AccountKey:
        """Two wallets that hold the same key share one account, and so one sequence."""
        return AccountKey(wallet.environment.chain_id, address)

    def node(self, wallet: Wallet) -> BeaconNode:
        """The node of the wallet's chain."""
        return self._nodes[wallet.environment.name]

    async def current(self, wallet: Wallet, key: AccountKey) -> Account | Refusal:
        """The account as state knows it; on first use, as the node tells it.

        Raises:
            StateError, NodeError: one of them cannot be asked.
        """
        account = await self._state.account(key)
        if account is not None:
            return account
        seen = await self.node(wallet).account(key.address)
        if seen is None:
            return no_account(key)
        return await self._state.remember_account(key, seen.account_number, seen.sequence)

    async def resynchronise(self, wallet: Wallet, key: AccountKey, now_ms: int) -> str | Refusal:
        """Set the sequence to what the node says, and settle what is held by asking the node for it.

        A held transaction is settled when the chain has moved past its number, or when the chain has had several blocks'
        time and still knows neither the transaction nor a use of its number; then the number is free again.

        Returns:
            What was found, for the record; or why nothing could be settled.

        Raises:
            StateError, NodeError: one of them cannot be asked; everything stays as it was.
        """
        known = await self._state.account(key)
        held = known.held if known else None
        if held is not None and held.in_flight(now_ms):
            return in_flight(key)
        at_least = (
            0 if known is None else known.sequence + (held is not None and held.transaction is not None)
        )
        seen = await self.catch_up(wallet, key, at_least, unsure=held is not None)
        if seen is None:
            return no_account(key)
        if known is None:
            await self._state.remember_account(key, seen.account_number, seen.sequence)
            return f"sequence {seen.sequence}"
        arrived = held is not None and await self._is_on_chain(wallet, held)
        if held is not None and seen.sequence <= held.sequence and arrived:
            return Refusal(
                "outcome_unknown",
                "the node knows the held transaction but has not raised the sequence yet; try again",
            )
        became = await self._state.resynchronise(
            key,
            seen.account_number,
            seen.sequence,
            settled=True,
            now_ms=now_ms,
            seen=known,
            arrived=arrived,
        )
        if became not in (Resynchronised.UPDATED, Resynchronised.SETTLED):
            return in_flight(key)
        return f"sequence {seen.sequence}" + ("" if held is None else _fate(held, seen.sequence))

    def accepted(self, key: AccountKey) -> None:
        """The node has just taken a transaction, which its account query need not show yet."""
        self._accepted_at[key] = self._clock.monotonic()

    async def catch_up(
        self, wallet: Wallet, key: AccountKey, at_least: int, *, unsure: bool = False
    ) -> NodeAccount | None:
        """The node's view once its sequence is `at_least` that high, or whatever it is after a few blocks' time.

        A node shows a transaction in the sequence only once it is in a block, so it may lag behind what was just sent.

        Args:
            unsure: something may have been sent at any time; otherwise blocks are waited for only after an acceptance.
        """
        since = self._clock.monotonic() if unsure else self._accepted_at.get(key, self._started_at)
        while True:
            seen = await self.node(wallet).account(key.address)
            late = self._clock.monotonic() >= since + CATCH_UP_SECONDS
            if seen is None or seen.sequence >= at_least or late:
                return seen
            await self._sleep(POLL_SECONDS)

    async def _is_on_chain(self, wallet: Wallet, held: Held) -> bool:
        return held.transaction_hash is not None and await self.node(wallet).knows_transaction(
            held.transaction_hash
        )


def _fate(held: Held, sequence: int) -> str:
    return f"; held number {held.sequence} was {'used' if sequence > held.sequence else 'not used'}"


def no_account(key: AccountKey) -> Refusal:
    """The chain has no account for the address: there is no number to sign with."""
    return Refusal(
        "account_not_found", f"the chain has no account for {key.address} yet; send it some coins first"
    )


def in_flight(key: AccountKey) -> Refusal:
    """Another request is between signing and the node's answer."""
    return Refusal(
        "wallet_busy", f"a broadcast for {key.address} is under way; try again", retry_after_seconds=1
    )


def held_by_another(held: Held) -> Refusal:
    """The number is bound to other bytes whose outcome is unknown."""
    return Refusal(
        "sequence_held",
        f"sequence {held.sequence} is held by transaction {held.transaction_hash} whose outcome is not known; "
        "send the same request again, or ask POST /api/wallet/resync to settle it",
    )
