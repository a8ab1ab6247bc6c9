"""Bodies of exchanges' answers, as a test wants them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from vaultsigner.errors import ExchangeError

CUT = ExchangeError("the exchange's answer ended too early: hung up")


@dataclass
class Pieces:
    """Gives its pieces, then ends, or fails; tells how much of it was taken, and when it was let go of."""

    pieces: tuple[bytes, ...] = ()
    error: Exception | None = None
    taken: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Every piece."""
        try:
            for piece in self.pieces:
                self.taken += 1
                yield piece
            if self.error is not None:
                raise self.error
        finally:
            self.left.set()

    def close(self) -> None:
        """Remembered."""
        self.closed.set()
