"""Files that pages are made of, as they are sent: hashed, compressed, and kept by browsers for as long as they like."""

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from aiohttp import web

from vaultsigner.server import statuses
from vaultsigner.server.answers import refusal_response
from vaultsigner.server.downloads import BUSY, PIECE_BYTES, Downloads
from vaultsigner.server.edge import REQUEST_ID

T = TypeVar("T")

JAVASCRIPT = "text/javascript; charset=utf-8"
STYLE = "text/css; charset=utf-8"
HTML = "text/html; charset=utf-8"
FOR_EVER = "public, max-age=31536000, immutable"
"""For addresses with the content's hash in them."""
ASK_EACH_TIME = "no-cache"
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Server": "vaultsigner",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent.

    Args:
        path: with the content's hash in it, so that it may be kept for ever.
        compressed: the same in gzip.
    """

    path: str
    content_type: str
    body: bytes
    compressed: bytes
    etag: str


class LoadedOnce(Generic[T]):
    """What is read when it is first wanted, off the event loop, and once; tried again after a failure."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._loading: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """What was loaded; or raise what loading raised."""
        if self._loading is None or (self._loading.done() and self._loading.exception() is not None):
            self._loading = asyncio.create_task(asyncio.to_thread(self._load))
        return await asyncio.shield(self._loading)


def version_of(*bodies: bytes) -> str:
    """What stands in addresses for what these files hold."""
    digest = hashlib.sha256()
    for body in bodies:
        digest.update(len(body).to_bytes(8, "big") + body)
    return digest.hexdigest()[:16]


def make_asset(folder: str, name: str, content_type: str, body: bytes, version: str | None = None) -> Asset:
    """Hash and compress one file.

    Args:
        folder: the beginning of its address.
        version: of the set that it belongs to, where files name each other by relative addresses; None: its own.
    """
    own = version_of(body)
    return Asset(
        path=f"{folder}/{version or own}/{name}",
        content_type=content_type,
        body=body,
        compressed=gzip.compress(body, mtime=0),
        etag=f'"{own}"',
    )


async def send_asset(
    downloads: Downloads, request: web.Request, asset: Asset, *, policy: str, cache: str
) -> web.StreamResponse:
    """Answer with a file, compressed for those who take that, or with 304 where the browser has it.

    Args:
        policy: the Content-Security-Policy of the page that it is or belongs to.
        cache: the Cache-Control.
    """
    headers = {
        **_HEADERS,
        "Content-Security-Policy": policy,
        "Cache-Control": cache,
        "ETag": asset.etag,
        "X-Request-Id": request[REQUEST_ID],
    }
    if asset.etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=statuses.NOT_MODIFIED, headers=headers)
    headers["Content-Type"] = asset.content_type
    body = asset.body
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = asset.compressed
    if len(body) <= PIECE_BYTES:
        return web.Response(body=body, headers=headers)
    if downloads.full():
        return refusal_response(BUSY, request[REQUEST_ID])
    response = web.StreamResponse(headers=headers)
    await downloads.send(request, response, body)
    return response
