"""`vaultsigner serve`."""

import os
import sys
from pathlib import Path

import click

from vaultsigner.cli.configuration import DEFAULT_CONFIG, config_option, load_with_policies
from vaultsigner.cli.launcher import Launcher, runtime_directory
from vaultsigner.custody.process_edge import log_to_stderr


@click.command()
@config_option
def serve(config_file: Path | None) -> None:
    """Run the signing service: the server and the custody process.

    Stays in the foreground and logs to standard error. Ends with status 0 after SIGTERM or Ctrl-C. Custody is restarted when it
    dies; when the server ends, everything does. config.yml is read at start only; policies are read anew after SIGHUP and when
    their files change.

    \b
    Examples:
      vaultsigner serve
      vaultsigner serve --config /etc/vaultsigner/config.yml
    """
    # Custody and the server read both files too; told here, a mistake has a person to read it.
    settings, _ = load_with_policies(config_file)
    log_to_stderr()
    with runtime_directory() as directory:
        launcher = Launcher(config_file or DEFAULT_CONFIG, settings, os.environ, directory)
        status = launcher.run()
    sys.exit(status)
