"""Sending what is large in pieces, to few at a time: a client that does not read keeps two or three in memory, not the whole."""

from aiohttp import web

from vaultsigner.domain.refusals import Refusal

PIECE_BYTES = 65536
MAX_DOWNLOADS = 32
BUSY = Refusal("documents_busy", "Too many downloads of the documents at once: try again in a moment")


class Downloads:
    """Counts what is being sent. How long a client may leave a piece unread is the connection's business."""

    def __init__(self) -> None:
        self._under_way = 0

    def full(self) -> bool:
        """Whether another download has to wait."""
        return self._under_way >= MAX_DOWNLOADS

    async def send(self, request: web.Request, response: web.StreamResponse, body: bytes) -> None:
        """Send a body on a response that has its headers; a client that goes away ends it."""
        self._under_way += 1
        try:
            response.content_length = len(body)
            await response.prepare(request)
            for start in range(0, len(body), PIECE_BYTES):
                await response.write(body[start : start + PIECE_BYTES])
        except ConnectionError:
            response.force_close()
        finally:
            self._under_way -= 1
