"""A deliberately naive store of nonces: each server process remembers what it has seen itself, and nothing is shared.

Tests run it to see that they would notice.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from vaultsigner.signing import assemble
from vaultsigner.state import NotCounted, open_state


class OwnMemory:
    """The real state, but for nonces."""

    def __init__(self, state: Any) -> None:
        self._state = state
        self._seen: set[bytes] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    async def count(self, count: Any, *, now_ms: int) -> Any:
        """Nonces that this process has not seen are new, whatever another has."""
        digests = {nonce.digest for nonce in count.nonces}
        replayed = bool(digests & self._seen)
        self._seen |= digests
        if replayed:
            return NotCounted("replayed")
        return await self._state.count(replace(count, nonces=()), now_ms=now_ms)


def forget_what_others_saw() -> None:
    """Have the pipeline open this state instead of the real one."""

    @asynccontextmanager
    async def opened(url: str, *_: object, **__: object) -> AsyncIterator[OwnMemory]:
        async with open_state(url) as state:
            yield OwnMemory(state)

    vars(assemble)["open_state"] = opened
