"""A thread of an anchor's own: what blocks there keeps neither the event loop nor the end of the process."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from vaultsigner.audit.anchors.anchor import AnchorError
from vaultsigner.group_commit import GroupCommit

T = TypeVar("T")
WAIT_SECONDS = 60.0
CLOSE_SECONDS = 5.0


class Calls:
    """Makes blocking calls one after the other.

    Args:
        name: of the thread, and of the anchor in the message when it hangs.
        wait_seconds: how long one may take. The thread is then left to itself; what it was at may still be done later.
    """

    def __init__(self, name: str, wait_seconds: float = WAIT_SECONDS) -> None:
        self._group = GroupCommit[Callable[[], Any], Any](
            _each, failure=AnchorError, name=name, wait_seconds=wait_seconds
        )
        self._started = False

    async def make(self, call: Callable[[], T]) -> T:
        """What the call returns or raises.

        Raises:
            AnchorError: it takes too long.
        """
        if not self._started:
            self._started = True
            self._group.start()
        result: T = await self._group.submit(call)
        return result

    async def close(self) -> None:
        """End the thread; one that hangs ends with the process."""
        with suppress(AnchorError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._group.close()


def _each(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    return [_made(call) for call in calls]


def _made(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - handed to whoever asked, as it is
        return error
