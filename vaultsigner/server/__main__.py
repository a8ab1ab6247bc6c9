"""`python -m vaultsigner.server --config F --custody-socket PATH`: the HTTP process."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from vaultsigner.config import load
from vaultsigner.config.settings import ListenAddress, Settings
from vaultsigner.errors import VaultsignerError
from vaultsigner.operational_log import configure_log
from vaultsigner.server.app import create_app
from vaultsigner.server.connections import ConnectionRunner
from vaultsigner.server.edge import PIPELINE
from vaultsigner.server.ops import create_ops_app
from vaultsigner.server.pipeline import OpenPipeline
from vaultsigner.server.process import log_loop_trouble, protect_memory, until_told_to_stop
from vaultsigner.server.statuses import status_of
from vaultsigner.signing.assemble import assembled

STOP_SECONDS = 10.0
"""How long requests in flight may take to finish once the process is told to stop."""
AIOHTTP_STOP_PHASES = 2
"""aiohttp waits its shutdown timeout twice: once for the request, once more for the connection's task."""

log = structlog.get_logger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop.

    Returns:
        0 after an orderly end, 1 when the server could not start.
    """
    parser = argparse.ArgumentParser(prog="python -m vaultsigner.server", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the configuration, config.yml")
    parser.add_argument(
        "--custody-socket", type=Path, required=True, help="where the custody process listens"
    )
    chosen = parser.parse_args(arguments)
    configure_log()
    try:
        protect_memory()
        settings = load(chosen.config, os.environ)
        asyncio.run(serve(settings, partial(assembled, settings, chosen.custody_socket, status_of)))
    except (VaultsignerError, OSError) as error:
        log.critical("cannot serve", problem=str(error))
        return 1
    return 0


async def serve(settings: Settings, open_pipeline: OpenPipeline) -> None:
    """Serve the API and the operations application until SIGTERM or SIGINT; then stop accepting and finish what is in flight."""
    asyncio.get_running_loop().set_exception_handler(log_loop_trouble)
    app = create_app(settings.server, open_pipeline)
    runner = ConnectionRunner(app, shutdown_timeout=STOP_SECONDS / AIOHTTP_STOP_PHASES)
    async with _serving(runner, settings.server.listen) as url:
        ops_runner = web.AppRunner(create_ops_app(app[PIPELINE]), access_log=None, shutdown_timeout=1.0)
        async with _serving(ops_runner, settings.server.ops_listen) as ops_url:
            log.info("listening", url=url, ops_url=ops_url)
            await until_told_to_stop()
            log.info("stopping")


@asynccontextmanager
async def _serving(runner: web.AppRunner, listen: ListenAddress) -> AsyncIterator[str]:
    """Run an application on an address; yields the URL it can be reached at."""
    try:
        await runner.setup()
        site = web.TCPSite(runner, listen.host, listen.port)
        await site.start()
        yield site.name
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
