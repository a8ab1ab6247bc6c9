"""An answer, of an exchange or from the record, on its way to the caller: no faster than it is taken, never half for a whole."""

import socket
import struct
from contextlib import aclosing

import structlog
from aiohttp import web
from multidict import CIMultiDict

from vaultsigner.domain.names import RequestId
from vaultsigner.errors import VaultsignerError
from vaultsigner.server.answers import private_headers, tell_decision
from vaultsigner.signing.calls import Streamed

_NO_LINGERING = struct.pack("ii", 1, 0)
"""Lingering, for no time at all: what close(2) then does is a reset (socket(7), SO_LINGER)."""
log = structlog.get_logger(__name__)


async def streamed_response(
    request: web.Request, streamed: Streamed, request_id: RequestId
) -> web.StreamResponse:
    """Hand an answer on, and close its body whatever happens.

    Returns:
        A response that is sent already, or, where the body is known as a whole, one that is to be sent.
    """
    try:
        if streamed.whole is not None:
            return web.Response(
                body=streamed.whole, status=streamed.status, headers=_headers(streamed, request_id)
            )
        return await _send(request, streamed, request_id)
    finally:
        streamed.body.close()


async def _send(request: web.Request, streamed: Streamed, request_id: RequestId) -> web.StreamResponse:
    response = web.StreamResponse(status=streamed.status, headers=_headers(streamed, request_id))
    try:
        await response.prepare(request)
        async with aclosing(aiter(streamed.body)) as pieces:
            async for piece in pieces:
                await response.write(piece)
        await response.write_eof()
    except VaultsignerError as error:
        log.warning("an answer was cut", request_id=request_id, problem=str(error))
        _cut(request)
    except ConnectionError:
        log.info("the caller has gone before the end of an answer", request_id=request_id)
    except BaseException:
        # Half an answer may be on its way: nothing else can follow it.
        _cut(request)
        raise
    return response


def _cut(request: web.Request) -> None:
    """End the connection without the answer's end: by a reset, since an older client takes a mere close for the end."""
    transport = request.transport
    if transport is None:
        return
    connected = transport.get_extra_info("socket")
    if connected is not None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
    transport.abort()


def _headers(streamed: Streamed, request_id: RequestId) -> CIMultiDict[str]:
    """The exchange's, and over them ours. What it is not said to be is not said to be JSON."""
    headers = private_headers(request_id)
    del headers["Content-Type"]
    headers.extend(streamed.headers)
    tell_decision(headers, streamed)
    if not streamed.outcome_known:
        headers["X-Vaultsigner-Outcome"] = "unknown"
    return headers
