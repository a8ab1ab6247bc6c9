"""`python -m vaultsigner.server --config F --custody-socket PATH`: the HTTP process."""

import argparse
import asyncio
import errno
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from vaultsigner.config import load
from vaultsigner.config.directories import directory_problems
from vaultsigner.config.settings import ListenAddress, Settings
from vaultsigner.errors import ConfigError, VaultsignerError
from vaultsigner.operational_log import configure_log
from vaultsigner.policy import load as load_policies
from vaultsigner.policy import unknown_names
from vaultsigner.server.app import create_app
from vaultsigner.server.connections import ConnectionRunner
from vaultsigner.server.edge import PIPELINE
from vaultsigner.server.measuring import METER
from vaultsigner.server.ops import create_ops_app
from vaultsigner.server.pipeline import OpenPipeline
from vaultsigner.server.process import log_loop_trouble, protect_memory, raise_file_limit, until_told_to_stop
from vaultsigner.server.statuses import status_of
from vaultsigner.server.tracing import tracing
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
    # It means something only once there is a policy set to read anew.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        protect_memory()
        raise_file_limit()
        settings = load(chosen.config, os.environ)
        _look_over(settings)
        asyncio.run(serve(settings, partial(assembled, settings, chosen.custody_socket, status_of)))
    except (VaultsignerError, OSError) as error:
        log.critical("cannot serve", problem=str(error))
        return 1
    return 0


def _look_over(settings: Settings) -> None:
    """What is better told with the setting's name than met later. Rules that name nobody are logged only: deny stays the default.

    Raises:
        ConfigError: the record or the state cannot be written, or there is no usable policy.
    """
    for name in unknown_names(load_policies(settings.policies), settings):
        log.warning("rule names nobody", rule=name.rule, problem=name.text, denies=name.opens)
    problems = directory_problems(settings)
    if problems:
        raise ConfigError("; ".join(problems))


async def serve(settings: Settings, open_pipeline: OpenPipeline) -> None:
    """Serve the API and the operations application until SIGTERM or SIGINT; then stop accepting and finish what is in flight."""
    asyncio.get_running_loop().set_exception_handler(log_loop_trouble)
    async with tracing(settings.traces) as followed:
        app = create_app(settings.server, open_pipeline, settings.partner, tracing=followed)
        runner = ConnectionRunner(app, shutdown_timeout=STOP_SECONDS / AIOHTTP_STOP_PHASES)
        async with _serving(runner, settings.server.listen, "server.listen") as url:
            ops_runner = web.AppRunner(
                create_ops_app(app[PIPELINE], app[METER]), access_log=None, shutdown_timeout=1.0
            )
            async with _serving(ops_runner, settings.server.ops_listen, "server.ops_listen") as ops_url:
                log.info("listening", url=url, ops_url=ops_url)
                await until_told_to_stop()
                log.info("stopping")


@asynccontextmanager
async def _serving(runner: web.AppRunner, listen: ListenAddress, setting: str) -> AsyncIterator[str]:
    """Run an application on an address; yields the URL it can be reached at.

    Raises:
        ConfigError: the address cannot be listened on; names the setting.
    """
    try:
        await runner.setup()
        site = web.TCPSite(runner, listen.host, listen.port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(_why_not(error, f"{setting} {listen}")) from None
        yield site.name
    finally:
        await runner.cleanup()


def _why_not(error: OSError, address: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{address} is taken: is vaultsigner running already? Else choose another port"
    return f"{address} cannot be listened on: {os.strerror(error.errno) if error.errno else error}"


if __name__ == "__main__":
    sys.exit(main())
