"""The exchange stand-in, which judges every signature, in a process of its own. Its first line of input is the account's API key
and HMAC secret; prints its port, serves until its input ends.
"""

import asyncio
import sys

from vaultsigner.dev.exchange.server import ExchangeServer, run_exchange
from vaultsigner.dev.exchange.signatures import Account

FORGET_SECONDS = 0.5
NO_LIMIT = 1 << 40


async def serve(api_key: str, secret: str) -> None:
    """Serve on a free loopback port."""
    async with run_exchange([Account("bench", api_key, "hmac", secret)]) as server:
        server.exchange.limits.weight_per_minute = NO_LIMIT
        print(server.url.rpartition(":")[2], flush=True)
        forgetting = asyncio.create_task(_forget(server))
        await asyncio.to_thread(sys.stdin.read)
        forgetting.cancel()


async def _forget(server: ExchangeServer) -> None:
    """It keeps all that it is asked, for tests; here that would fill the memory."""
    while True:
        await asyncio.sleep(FORGET_SECONDS)
        server.exchange.received.clear()


if __name__ == "__main__":
    asyncio.run(serve(*sys.stdin.readline().split()))
