"""What an address has done: what state knows of it, and what its chain shows of the rest."""

import asyncio
from collections.abc import Mapping

from vaultsigner.dispatch.beacon_node import BeaconNode
from vaultsigner.errors import NodeError
from vaultsigner.state import Pending, State

LOOKED_UP = 8
"""How many transactions of an address are looked up for one question; the newest."""
PATIENCE_SECONDS = 5.0
"""For all of them together."""


class Confirmations:
    """A node that takes a transaction without a look at it says nothing of its fate; only a block does.

    Args:
        nodes: by chain id.
    """

    def __init__(self, state: State, nodes: Mapping[str, BeaconNode]) -> None:
        self._state = state
        self._nodes = nodes

    async def performed(self, address: str) -> frozenset[tuple[str, str]]:
        """In which operations the address has had which role, as far as nodes and state can tell it now.

        Raises:
            StateError: state cannot tell it.
        """
        pending = await self._state.pending(address, LOOKED_UP)
        for transaction in await self._seen(pending):
            await self._state.confirm(transaction)
        return await self._state.performed(address)

    async def _seen(self, pending: tuple[Pending, ...]) -> list[Pending]:
        """Those that stand in a block. Whatever a node does not tell in time stays pending."""
        looking = [asyncio.ensure_future(self._is_seen(each)) for each in pending]
        if not looking:
            return []
        try:
            await asyncio.wait(looking, timeout=PATIENCE_SECONDS)
        finally:
            for each in looking:
                each.cancel()
        return [
            transaction
            for transaction, each in zip(pending, looking, strict=True)
            if each.done() and not each.cancelled() and each.result()
        ]

    async def _is_seen(self, transaction: Pending) -> bool:
        node = self._nodes.get(transaction.chain_id)
        try:
            return node is not None and await node.executed(transaction.transaction_hash)
        except NodeError:
            return False
