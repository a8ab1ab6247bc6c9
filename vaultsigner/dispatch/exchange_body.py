"""The body of an exchange's answer: its beginning is here, the rest is read only as fast as somebody wants it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp

from vaultsigner.dispatch.troubles import trouble
from vaultsigner.errors import ExchangeError

FIRST_BYTES = 1 << 16
"""Enough for what exchanges say of an order; listings of all markets are longer."""
ANSWER_LIMIT_BYTES = 64 << 20
"""Of the answer as unpacked: a few kilobytes of gzip can unpack to gigabytes."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds.

    Args:
        connect: for a connection, a free one included.
        first_byte: from there to the end of the answer's head.
        between: for the next piece of the body.
        whole: from asking to the last byte.
    """

    connect: float = 5
    first_byte: float = 30
    between: float = 15
    whole: float = 120


class ExchangeCutError(ExchangeError):
    """The answer ended too early, stalled, took too long, or is too large."""


class ExchangeBody:
    """A body, which whoever has it closes. It can be gone through once.

    Args:
        response: the rest of it.
        first: what was read already, at most 64 KiB.
        deadline: on the event loop's clock, when it has to be there.
    """

    def __init__(
        self, response: aiohttp.ClientResponse, first: bytes, patience: Patience, deadline: float
    ) -> None:
        self._response = response
        self._patience = patience
        self._deadline = deadline
        self.first = first
        self.complete = response.content.at_eof()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Every piece, those read already first.

        Raises:
            ExchangeCutError: the rest does not come.
        """
        if self.first:
            yield self.first
        size = len(self.first)
        while piece := await read_piece(self._response, self._patience, self._deadline):
            size += len(piece)
            if size > ANSWER_LIMIT_BYTES:
                self.close()
                raise ExchangeCutError(f"the exchange's answer is larger than {ANSWER_LIMIT_BYTES} bytes")
            yield piece

    def close(self) -> None:
        """Give the connection up, unless the body was read to its end: then it is in use again already."""
        self._response.close()


async def read_first(response: aiohttp.ClientResponse, patience: Patience, deadline: float) -> ExchangeBody:
    """Read the beginning of a body, which is all of it for most.

    Raises:
        ExchangeCutError: it ends too early; the connection is given up.
    """
    first = bytearray()
    while len(first) < FIRST_BYTES and (
        piece := await read_piece(response, patience, deadline, FIRST_BYTES - len(first))
    ):
        first += piece
    return ExchangeBody(response, bytes(first), patience, deadline)


async def read_piece(
    response: aiohttp.ClientResponse, patience: Patience, deadline: float, at_most: int = FIRST_BYTES
) -> bytes:
    """Whatever has come, or the next that comes; nothing at the end.

    Raises:
        ExchangeCutError: nothing came in time, or the connection broke, which is given up.
    """
    soon = asyncio.get_running_loop().time() + patience.between
    try:
        async with asyncio.timeout_at(min(soon, deadline)):
            return await response.content.read(at_most)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        response.close()
        raise ExchangeCutError(f"the exchange's answer ended too early: {trouble(error)}") from None
    except BaseException:
        response.close()
        raise
