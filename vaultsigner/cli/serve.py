"""`vaultsigner serve`."""

import os
import sys
from pathlib import Path

import click

from vaultsigner import config, policy
from vaultsigner.cli.launcher import Launcher, runtime_directory
from vaultsigner.custody.process_edge import log_to_stderr


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=Path("config/config.yml"),
    show_default=True,
    help="The configuration.",
)
def serve(config_file: Path) -> None:
    """Run the signing service: the server and the custody process.

    Ends with status 0 after SIGTERM or Ctrl-C. Custody is restarted when it dies; when the server ends, everything does.
    """
    settings = config.load(config_file, os.environ)
    policy.load(
        settings.policies
    )  # custody and server load it too; told here, a mistake has a person to read it
    log_to_stderr()
    with runtime_directory() as directory:
        status = Launcher(config_file, settings, os.environ, directory).run()
    sys.exit(status)
