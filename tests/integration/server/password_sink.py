"""`python -m tests.integration.server.password_sink`: a server alone in its process, whose pipeline hashes log-in bodies.

It stands for the HTTP process where its memory is searched. It prints its port, then the hash of each body it was given.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.integration.server.conftest import NO_PROXY
from tests.integration.server.recording_pipeline import RecordingPipeline
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.app import create_app
from vaultsigner.server.connections import ConnectionRunner
from vaultsigner.server.wiping import wipe
from vaultsigner.signing.calls import Answer, Call


class Sink(RecordingPipeline):
    """Keeps nothing of a log-in but its hash."""

    async def log_in(self, call: Call, body: bytearray) -> Answer | Refusal:
        """Good and bad in turn."""
        await asyncio.sleep(0)
        print(hashlib.sha256(body).hexdigest(), flush=True)
        wipe(body)
        self.problems += ("counted",)
        if len(self.problems) % 2:
            return Refusal("bad_credentials", "Incorrect email or password")
        return Answer({"access_token": "t", "token_type": "bearer"})


@asynccontextmanager
async def _open() -> AsyncIterator[Sink]:
    yield Sink()


async def main() -> None:
    """Serve until killed."""
    runner = ConnectionRunner(create_app(NO_PROXY, _open), shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
