"""`vaultsigner healthcheck`: for containers, whose image has no other program to ask with."""

import sys
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path

import click

from vaultsigner.cli.configuration import config_option, load_settings
from vaultsigner.config.settings import ListenAddress

TIMEOUT_SECONDS = 2.0
UNHEALTHY = 1


@click.command()
@config_option
@click.option(
    "--ready", is_flag=True, help="Ask whether signatures can be made now, not only whether it runs."
)
def healthcheck(config_file: Path | None, *, ready: bool) -> None:
    """Ask the running service how it is, once.

    Asks /healthz, or with --ready /readyz, where config.yml has the operations port. Status 0: it is well; 1: it is not, or does
    not answer within two seconds.

    \b
    Examples:
      vaultsigner healthcheck
      vaultsigner healthcheck --ready && echo "signs"
    """
    problem = ask(load_settings(config_file).server.ops_listen, "/readyz" if ready else "/healthz")
    if problem is not None:
        click.echo(problem, err=True)
        sys.exit(UNHEALTHY)


def ask(listen: ListenAddress, path: str) -> str | None:
    """Why the answer is not 200; None where it is."""
    where = f"http://{listen}{path}"
    with closing(HTTPConnection(_reachable(listen.host), listen.port, timeout=TIMEOUT_SECONDS)) as connection:
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            return f"{where} does not answer: {error}"
    return None if status == HTTPStatus.OK else f"{where} answers {status}"


def _reachable(host: str) -> str:
    """Whoever listens on every address is asked on loopback."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"
