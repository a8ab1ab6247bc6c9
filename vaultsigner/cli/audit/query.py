"""`vaultsigner audit query`: which records say so?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaultsigner.cli.audit.filters import filter_options, open_engine
from vaultsigner.cli.audit.options import chains_in, directories_or_records, record_directories, tell_unusable
from vaultsigner.cli.audit.rows import csv_lines, json_line, row_of, table_line
from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.words import counted

if TYPE_CHECKING:
    from vaultsigner.audit.searching.queries import Filters

LATEST = 200


@click.command()
@directories_or_records
@config_option
@filter_options
@click.option(
    "--latest",
    type=click.IntRange(min=1, max=100_000),
    help=f"The latest so many of them. Default: {LATEST} in a table; all in other formats.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "jsonl", "csv"]),
    default="table",
    help="jsonl: the lines as they are on record.",
)
def query(
    *,
    directories: tuple[Path, ...],
    config_file: Path | None,
    filters: "Filters",
    latest: int | None,
    output: str,
) -> None:
    """Show the records that fit all filters given, in the order of their times, over all chains.

    Nothing is proved by it: `audit verify` does that.

    Exit status: 0 done, also where nothing fits; 1 it could not be done, or there were lines that are no records, or files that
    are none.

    \b
    Examples:
      vaultsigner audit query --effect deny --since 7d
      vaultsigner audit query --principal client:bot-1 --operation 'transfer.*' --amount-above 100 --since 2026-11-01
      vaultsigner audit query --request-id 01JD… --format jsonl | jq
      vaultsigner audit query --rule large-transfers --format csv > large.csv
    """
    chains = chains_in(record_directories(directories, config_file))
    shown = latest if latest is not None or output != "table" else LATEST
    count = 0
    with open_engine(chains) as engine:
        found = engine.find(filters, shown)
        if output == "csv":
            for text in csv_lines(found.lines):
                click.echo(text, nl=False)
        else:
            for line in found.lines:
                count += 1
                click.echo(json_line(line) if output == "jsonl" else table_line(row_of(line)))
    if output == "table":
        more = f", the latest; --latest {shown * 5} shows more" if shown == count else ""
        click.echo(f"{counted(count, 'record')}{more}", err=True)
    if found.unreadable:
        click.echo(
            f"{counted(found.unreadable, 'line')} could not be read and may be missing here: vaultsigner audit verify",
            err=True,
        )
    unusable = tell_unusable(chains)
    sys.exit(1 if found.unreadable or unusable else 0)
