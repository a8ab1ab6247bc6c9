"""A bare aiohttp server: the floor under every aiohttp service. Prints its port, serves until its input ends."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from benchmarks.child_servers import run_child_server


async def answer(_: web.Request) -> web.Response:
    """The smallest JSON answer."""
    return web.Response(body=b'{"signed_msg": ""}', content_type="application/json")


async def serve() -> None:
    """Serve on a free loopback port."""
    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


@asynccontextmanager
async def run_bare_server() -> AsyncIterator[int]:
    """One in a process of its own, for as long as the block lasts: its port."""
    async with run_child_server("benchmarks.bare_answer") as child:
        yield child.port


if __name__ == "__main__":
    asyncio.run(serve())
