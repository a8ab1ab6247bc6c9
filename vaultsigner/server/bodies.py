"""Reading request bodies: never more than 64 KiB, never for longer than ten seconds."""

import asyncio

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from vaultsigner.domain.refusals import Refusal
from vaultsigner.server import wiping

MAX_BODY_BYTES = 65536
READ_SECONDS = 10

BODY_TOO_LARGE = Refusal("body_too_large", f"The body is larger than {MAX_BODY_BYTES} bytes")
READ_TOO_SLOW = Refusal("request_timeout", f"The body did not arrive within {READ_SECONDS} seconds")
BROKEN_BODY = Refusal("malformed_request", "The body is not framed as its headers say")


async def read_body(request: web.Request) -> bytes | Refusal:
    """The whole body, or why not."""
    content = request.content
    if (request.content_length or 0) > MAX_BODY_BYTES:
        return BODY_TOO_LARGE
    try:
        if content.is_eof():
            body = content.read_nowait()
        else:
            async with asyncio.timeout(READ_SECONDS):
                body = await _gather(request)
    except TimeoutError:
        return READ_TOO_SLOW
    except (RequestPayloadError, ConnectionError):
        return BROKEN_BODY
    return body if len(body) <= MAX_BODY_BYTES else BODY_TOO_LARGE


async def _gather(request: web.Request) -> bytes:
    pieces = bytearray()
    while len(pieces) <= MAX_BODY_BYTES and not request.content.at_eof():
        pieces += await request.content.readany()
    return bytes(pieces)


async def read_secret_body(request: web.BaseRequest) -> bytearray | Refusal:
    """The whole body, for one that holds a password: whoever gets it wipes it, and no other copy stays behind."""
    declared = request.content_length
    if (declared or 0) > MAX_BODY_BYTES:
        return BODY_TOO_LARGE
    # Made at its full size at once: a bytearray that grows leaves its old memory behind.
    body = bytearray(MAX_BODY_BYTES if declared is None else declared)
    try:
        async with asyncio.timeout(READ_SECONDS):
            size = await wiping.take(request.content, body)
        return bytearray(memoryview(body)[:size]) if size <= len(body) else BODY_TOO_LARGE
    except TimeoutError:
        return READ_TOO_SLOW
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
