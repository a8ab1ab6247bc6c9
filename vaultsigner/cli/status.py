"""`vaultsigner status`: how the service is, at a glance, whatever is down."""

import json
import os
import sys
import time
from pathlib import Path

import click

from vaultsigner import __version__
from vaultsigner.cli.configuration import config_option, load_settings
from vaultsigner.cli.status_probe import look
from vaultsigner.cli.status_report import StatusReport

COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "red", "-": "bright_black"}
_FROM_THE_TOP = "\x1b[H\x1b[2J"


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs; with --watch one document a line.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--every",
    "every_seconds",
    type=click.FloatRange(min=0.2, max=3600),
    default=2.0,
    show_default=True,
    help="Seconds between two looks of --watch.",
)
def status(config_file: Path | None, as_json: bool, watch: bool, every_seconds: float) -> None:
    """See at a glance how the service is: processes, Vault, state, record, anchors, suspensions, approvals and limits.

    Asks the service on its operations port, and Vault for what it tells anybody; reads policies, state and record where they lie.
    What cannot be asked is told with the reason, and the rest all the same: it works with the service, Vault or database down.
    Needs no token and changes nothing. Run it where the service runs, as its user, with its configuration. `vaultsigner check`
    looks closer, and tries every secret.

    Exit status: 0 the service is ready to sign (what is marked warn may still want to be looked at); 1 it is not ready, does not
    run, or the configuration cannot be used; 2 the command line makes no sense. With --watch, that of the last look.

    \b
    Examples:
      vaultsigner status
      vaultsigner status --watch
      vaultsigner status --json | jq '.service.problems'
      vaultsigner status >/dev/null || echo "not signing"
    """
    report = _show(config_file, as_json=as_json, watch=watch)
    try:
        while watch:
            time.sleep(every_seconds)
            report = _show(config_file, as_json=as_json, watch=watch)
    except KeyboardInterrupt:
        click.echo()
    sys.exit(0 if report.ok else 1)


def _show(config_file: Path | None, *, as_json: bool, watch: bool) -> StatusReport:
    report = look(load_settings(config_file))
    if as_json:
        click.echo(in_json(report, indent=None if watch else 2))
        return report
    # All at once: a screen that is half written flickers.
    text = "\n".join(_lines(report)) + "\n"
    on_terminal = sys.stdout.isatty()
    colours = on_terminal and "NO_COLOR" not in os.environ
    click.echo(
        _FROM_THE_TOP * (watch and on_terminal) + (text if colours else click.unstyle(text)), color=True
    )
    return report


def in_json(report: StatusReport, indent: int | None = None) -> str:
    """In ASCII: what others answered may hold signs that a terminal takes for commands, and JSON leaves some as they are."""
    return json.dumps(report.document(), indent=indent)


def _lines(report: StatusReport) -> list[str]:
    head = f"vaultsigner {__version__}  {report.config}  {report.at:%Y-%m-%d %H:%M:%S} UTC"
    return [
        click.style(head, bold=True),
        *(
            f"{click.style(f'{mark:<6}', fg=COLOURS[mark])}{what:<10} {line}"
            for mark, what, line in report.lines()
        ),
    ]
