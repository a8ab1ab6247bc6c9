"""Reading request bodies: never more than 64 KiB, never for longer than ten seconds."""

import asyncio

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server import wiping

MAX_BODY_BYTES = 65536
READ_SECONDS = 10
MAX_CHUNK_PIECES = 1024
"""Far more than a client needs that sends its 64 KiB as it makes them, and few enough to cost nothing."""

BODY_TOO_LARGE = Refusal("body_too_large", f"The body is larger than {MAX_BODY_BYTES} bytes")
READ_TOO_SLOW = Refusal("request_timeout", f"The body did not arrive within {READ_SECONDS} seconds")
BROKEN_BODY = Refusal("malformed_request", "The body is not framed as its headers say")
IN_CRUMBS = Refusal(
    "malformed_request",
    f"The body came in more than {MAX_CHUNK_PIECES} chunks or pieces of chunks: send larger ones",
)


async def read_body(request: web.Request) -> bytes | Refusal:
    """The whole body, or why not."""
    content = request.content
    if content.at_eof():
        return b""
    # What is not chunked and has arrived already is most of what comes: it is read without the care that passwords get.
    if content.is_eof() and request.content_length is not None and request.content_length <= MAX_BODY_BYTES:
        return content.read_nowait()
    body = await read_secret_body(request)
    return body if isinstance(body, Refusal) else bytes(body)


async def read_secret_body(request: web.BaseRequest) -> bytearray | Refusal:
    """The whole body, for one that holds a password: whoever gets it wipes it, and no other copy stays behind."""
    declared = request.content_length
    if (declared or 0) > MAX_BODY_BYTES:
        return BODY_TOO_LARGE
    # Made at its full size at once: a bytearray that grows leaves its old memory behind.
    body = bytearray(MAX_BODY_BYTES if declared is None else declared)
    try:
        with memoryview(body) as room:
            async with asyncio.timeout(READ_SECONDS):
                size = await wiping.take(request.content, room, max_chunk_pieces=MAX_CHUNK_PIECES)
            return bytearray(room[:size]) if size <= len(room) else BODY_TOO_LARGE
    except TimeoutError:
        return READ_TOO_SLOW
    except wiping.TooManyPiecesError:
        return IN_CRUMBS
    except (RequestPayloadError, ConnectionError):
        return BROKEN_BODY
    finally:
        wiping.wipe(body)


async def discard_body(request: web.BaseRequest) -> None:
    """Read and wipe what nobody will look at: a password that was sent to a wrong path must not stay in memory, either."""
    if not request.content.at_eof():
        body = await read_secret_body(request)
        if isinstance(body, bytearray):
            wiping.wipe(body)
