"""`vaultsigner audit tail`: what happens at this moment?"""

import time
from pathlib import Path

import click

from vaultsigner.audit.files.following import Follower
from vaultsigner.cli.audit.options import directories_or_records, record_directories
from vaultsigner.cli.audit.rows import json_line, row_of, table_line
from vaultsigner.cli.configuration import config_option

LOOKS_EVERY_SECONDS = 0.5


@click.command()
@directories_or_records
@config_option
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(min=0, max=100_000),
    default=10,
    help="How many of the last. Default: 10.",
)
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    help="jsonl: the lines as they are.",
)
def tail(
    *, directories: tuple[Path, ...], config_file: Path | None, lines: int, follow: bool, output: str
) -> None:
    """Show the last records of all chains, and with -f those that come.

    Chains and days that begin meanwhile are found by themselves. Half a line is waited for.

    \b
    Examples:
      vaultsigner audit tail -f
      vaultsigner audit tail -n 100 --format jsonl | jq 'select(.kind == "outcome")'
    """
    followers = [Follower(directory) for directory in record_directories(directories, config_file)]
    for follower in followers:
        _show(follower.last(lines), output)
    while follow:
        for follower in followers:
            _show(follower.new(), output)
        time.sleep(LOOKS_EVERY_SECONDS)


def _show(lines: list[bytes], output: str) -> None:
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\n")
        click.echo(json_line(text) if output == "jsonl" else table_line(row_of(text)))
