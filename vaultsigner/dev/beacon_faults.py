"""What can go wrong between a signer and a node, on demand."""

import asyncio
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

_LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; made by the class methods.

    Args:
        status: HTTP status of the bad answer; None gives no answer at all.
        body: what stands in it.
        executes: whether the chain judges and executes the transaction all the same.
        delay_seconds: how long nothing happens before the answer.
        drops: close the connection instead of answering.
    """

    status: int | None = None
    body: str = ""
    executes: bool = False
    delay_seconds: float = 0.0
    drops: bool = False

    @classmethod
    def refuses(cls, message: str) -> "Fault":
        """A clear no from the node itself, for a reason of its own."""
        body = web.json_response({"code": 400, "failed_tx_index": 0, "message": message}).text
        return cls(status=HTTPStatus.BAD_REQUEST, body=body or "")

    @classmethod
    def answers(cls, status: int, body: str, *, executes: bool = False) -> "Fault":
        """Anything else: 503 from a gateway, a page of HTML, half a document."""
        return cls(status=status, body=body, executes=executes)

    @classmethod
    def keeps_silent(cls, *, executes: bool = False) -> "Fault":
        """The connection stays open and nothing comes."""
        return cls(executes=executes)

    @classmethod
    def drops_connection(cls, *, executes: bool = False) -> "Fault":
        """The connection is cut without an answer."""
        return cls(executes=executes, drops=True)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Does to the caller what this fault means."""
        await asyncio.sleep(self.delay_seconds)
        if self.drops and request.transport is not None:
            request.transport.abort()
        elif self.status is None:
            await asyncio.Event().wait()  # until the caller gives up or the node stops
        return web.Response(status=self.status or 500, text=self.body, content_type="application/json")


class Faults:
    """Which faults are armed."""

    def __init__(self) -> None:
        self._next: deque[Fault] = deque()
        self.every_broadcast: Fault | None = None
        self.every_query: Fault | None = None
        self.broadcast_delay_seconds = 0.0
        """How long good answers to broadcasts keep their senders waiting; those that wait go on when it is lowered."""

    def arm(self, *faults: Fault) -> None:
        """The coming broadcasts fail, one fault each, in this order."""
        self._next.extend(faults)

    async def delay_broadcast(self) -> None:
        """Wait as long as that."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (left := began + self.broadcast_delay_seconds - loop.time()) > 0:  # noqa: ASYNC110 (tests lower it)
            await asyncio.sleep(min(left, _LOOK_SECONDS))

    def next_broadcast(self) -> Fault | None:
        """The fault of the broadcast that has just come in."""
        return self._next.popleft() if self._next else self.every_broadcast
