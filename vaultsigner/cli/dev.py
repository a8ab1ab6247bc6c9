"""`vaultsigner dev`."""

import asyncio
import sys

import click

from vaultsigner.dev.demo import demonstrate
from vaultsigner.dev.showing import Show, make_console


@click.command()
@click.option("--once", is_flag=True, help="End after the demonstration instead of staying up.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Where the API listens on 127.0.0.1. Default: a free port.",
)
def dev(once: bool, port: int | None) -> None:
    """A complete local world: OpenBao, fresh keys, stand-ins of a node and an exchange.

    Signs and broadcasts one message of every kind, forwards an order to the exchange, shows what was asked, signed, checked
    and recorded, and stays up for you to try things until Ctrl-C. Everything is on loopback and in a temporary directory; the
    keys are new and worth nothing.

    In a checkout `./run demo` does the same and brings what it needs.

    Ends with status 0 when everything was as it should be.

    \b
    Examples:
      vaultsigner dev
      vaultsigner dev --once
    """
    sys.exit(asyncio.run(demonstrate(Show(make_console()), once=once, port=port or 0)))
