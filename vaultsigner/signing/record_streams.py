"""Records on their way to somebody who watches. That they watched, and for how long, is on the record too."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from vaultsigner.audit.searching.live import Watch
from vaultsigner.audit.searching.query_client import QueryError
from vaultsigner.errors import AuditError

SIGN_EVERY_SECONDS = 15.0
LONGEST_SECONDS = 600.0
NOTHING = b"{}\n"


class LiveBody:
    """A line `{"record": …}` for each new record, a line `{}` where nothing comes for a while.

    Args:
        ended: records the end: how many records went out.
    """

    def __init__(self, watch: Watch, ended: Callable[[int], Awaitable[None]]) -> None:
        self._watch = watch
        self._ended = ended

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Every piece.

        Raises:
            QueryError: the end cannot be recorded.
        """
        count = 0
        end = asyncio.get_running_loop().time() + LONGEST_SECONDS
        try:
            yield NOTHING
            async for lines in self._watch.lines(SIGN_EVERY_SECONDS):
                count += len(lines)
                yield b"".join(b'{"record":' + line.rstrip(b"\n") + b"}\n" for line in lines) or NOTHING
                if asyncio.get_running_loop().time() >= end:
                    break
        finally:
            self._watch.close()
            try:
                await self._ended(count)
            except AuditError as error:
                raise QueryError(f"how the stream ended cannot be recorded: {error}") from None

    def close(self) -> None:
        """No more of it is wanted."""
        self._watch.close()
