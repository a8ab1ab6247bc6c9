"""The body of an exchange's answer: its beginning is here, the rest is read only as fast as somebody wants it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import aiohttp

from vaultsigner.dispatch.troubles import trouble
from vaultsigner.dispatch.unpacking import Unpacker
from vaultsigner.errors import ExchangeError

FIRST_BYTES = 1 << 16
"""Enough for what exchanges say of an order; listings of all markets are longer."""
ANSWER_LIMIT_BYTES = 64 << 20
"""Of the answer as it comes and as unpacked: a few kilobytes of gzip can unpack to gigabytes, and gigabytes to nothing."""
PACKED_BYTES = 1 << 14
_TOO_LARGE = f"the exchange's answer is larger than {ANSWER_LIMIT_BYTES} bytes"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds.

    Args:
        connect: for a connection, a free one included.
        first_byte: from there to the answer's first byte, and for its head.
        between: for the next piece of the body.
        whole: from asking to the last byte.
    """

    connect: float = 5
    first_byte: float = 30
    between: float = 15
    whole: float = 120


class ExchangeCutError(ExchangeError):
    """The answer ended too early, stalled, took too long, or is too large."""


class _Reading:
    """Reads an answer's body, unpacked, while there is time."""

    def __init__(self, response: aiohttp.ClientResponse, patience: Patience, deadline: float) -> None:
        self._response = response
        self._patience = patience
        self._deadline = deadline
        self._packed = response.headers.get("Content-Encoding", "identity").strip().lower()
        self._unpacker = None if self._packed == "identity" else Unpacker()
        self._packed_bytes = 0

    @property
    def at_end(self) -> bool:
        """Whether everything was read, as far as is known."""
        return self._response.content.at_eof() and (self._unpacker is None or self._unpacker.finished)

    async def read(self, at_most: int) -> bytes:
        """Whatever has come, or the next that comes; nothing at the end.

        Raises:
            ExchangeCutError: nothing came in time, it makes no sense or is too large, or the connection broke, which is given up.
        """
        soon = asyncio.get_running_loop().time() + self._patience.between
        try:
            async with asyncio.timeout_at(min(soon, self._deadline)):
                return await self._read(at_most)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.close()
            raise ExchangeCutError(f"the exchange's answer ended too early: {trouble(error)}") from None
        except ValueError:
            self.close()
            raise ExchangeCutError("the exchange's answer cannot be unpacked") from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection up, unless the body was read to its end: then it is in use again already."""
        self._response.close()

    async def _read(self, at_most: int) -> bytes:
        content = self._response.content
        if self._unpacker is None:
            return await content.read(at_most)
        if self._packed not in ("gzip", "x-gzip"):
            raise ValueError("packed otherwise than asked for")
        while not (piece := self._unpacker.take(at_most)):
            packed = await content.read(PACKED_BYTES)
            if not packed and not self._unpacker.finished:
                raise aiohttp.ClientPayloadError
            if not packed:
                return b""
            self._packed_bytes += len(packed)
            if self._packed_bytes > ANSWER_LIMIT_BYTES:
                raise ExchangeCutError(_TOO_LARGE)
            self._unpacker.feed(packed)
        return piece


class ExchangeBody:
    """A body, which whoever has it closes. It can be gone through once.

    Args:
        first: what was read already, at most 64 KiB.
    """

    def __init__(self, reading: _Reading, first: bytes) -> None:
        self._reading = reading
        self.first = first
        self.complete = reading.at_end

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Every piece, those read already first.

        Raises:
            ExchangeCutError: the rest does not come.
        """
        if self.first:
            yield self.first
        size = len(self.first)
        while piece := await self._reading.read(FIRST_BYTES):
            size += len(piece)
            if size > ANSWER_LIMIT_BYTES:
                self.close()
                raise ExchangeCutError(_TOO_LARGE)
            yield piece

    def close(self) -> None:
        """No more of it is wanted. Does nothing where it was read to its end, or was closed before."""
        self._reading.close()


async def read_first(response: aiohttp.ClientResponse, patience: Patience, deadline: float) -> ExchangeBody:
    """Read the beginning of a body, which is all of it for most.

    Args:
        deadline: on the event loop's clock, when the whole has to be there.

    Raises:
        ExchangeCutError: it ends too early; the connection is given up.
    """
    reading = _Reading(response, patience, deadline)
    first = bytearray()
    while len(first) < FIRST_BYTES and (piece := await reading.read(FIRST_BYTES - len(first))):
        first += piece
    return ExchangeBody(reading, bytes(first))
