"""A bare aiohttp server: the floor under every aiohttp service. Prints its port, serves until its input ends."""

import asyncio
import sys

from aiohttp import web


async def answer(_: web.Request) -> web.Response:
    """The smallest JSON answer."""
    return web.Response(body=b'{"signed_msg": ""}', content_type="application/json")


async def serve() -> None:
    """Serve on a free loopback port."""
    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
