"""What the chain shows of what a node took unseen: no more questions than allowed, and none that keeps the partner waiting."""

import asyncio
from typing import Any, cast

import pytest

from tests.patience import PATIENCE_SECONDS
from vaultsigner.dispatch.beacon_node import BeaconNode
from vaultsigner.errors import NodeError
from vaultsigner.signing import confirmations
from vaultsigner.signing.confirmations import LOOKED_UP, Confirmations
from vaultsigner.state import Pending, State

ADDRESS = "tbnb1recipient"


class Ledger:
    """State, as far as it is asked here: each pending transaction has a doing of its own."""

    def __init__(self, *pending: Pending) -> None:
        self.waiting = pending
        self.confirmed: list[Pending] = []

    async def pending(self, address: str, at_most: int) -> tuple[Pending, ...]:
        assert address == ADDRESS
        return self.waiting[:at_most]

    async def confirm(self, transaction: Pending) -> None:
        self.confirmed.append(transaction)

    async def performed(self, address: str) -> frozenset[tuple[str, str]]:
        assert address == ADDRESS
        return frozenset({("transfer", each.transaction_hash) for each in self.confirmed})


class Node:
    """Knows some transactions, stumbles over others, and says nothing of the rest."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.asked: list[str] = []

    async def executed(self, transaction_hash: str) -> bool:
        self.asked.append(transaction_hash)
        if transaction_hash == "broken":
            raise NodeError("node: no")
        if transaction_hash == "silent":
            await asyncio.Event().wait()
        return transaction_hash in self.known


def confirming(ledger: Ledger, **nodes: Node) -> Confirmations:
    return Confirmations(cast(State, cast(Any, ledger)), cast(dict[str, BeaconNode], cast(Any, nodes)))


async def test_only_what_stands_in_a_block_is_confirmed() -> None:
    ledger = Ledger(*(Pending("chain", name) for name in ("broken", "good", "unknown")))
    told = await confirming(ledger, chain=Node("good")).performed(ADDRESS)
    assert told == {("transfer", "good")}
    assert ledger.confirmed == [Pending("chain", "good")]


async def test_each_transaction_is_looked_up_on_its_own_chain() -> None:
    ledger = Ledger(Pending("chain", "good"), Pending("another", "good"), Pending("gone", "good"))
    here, there = Node(), Node("good")
    await confirming(ledger, chain=here, another=there).performed(ADDRESS)
    assert ledger.confirmed == [Pending("another", "good")]
    assert (here.asked, there.asked) == (["good"], ["good"])


async def test_a_flood_of_pending_transactions_costs_no_more_than_a_few_questions() -> None:
    node = Node()
    await confirming(Ledger(*(Pending("chain", str(n)) for n in range(100))), chain=node).performed(ADDRESS)
    assert node.asked == [str(n) for n in range(LOOKED_UP)]


async def test_a_silent_node_keeps_nobody_waiting_and_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmations, "PATIENCE_SECONDS", 0.2)
    ledger = Ledger(Pending("chain", "silent"), Pending("chain", "good"), Pending("chain", "silent"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        told = await confirming(ledger, chain=Node("good")).performed(ADDRESS)
    assert told == {("transfer", "good")}


async def test_where_nothing_is_pending_no_node_is_asked() -> None:
    node = Node()
    assert await confirming(Ledger(), chain=node).performed(ADDRESS) == frozenset()
    assert node.asked == []
