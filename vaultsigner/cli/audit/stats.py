"""`vaultsigner audit stats`: how many of what?"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.table import Table
from rich.text import Text

from vaultsigner.cli.audit.filters import filter_options, open_engine
from vaultsigner.cli.audit.options import chains_in, directories_or_records, record_directories, tell_unusable
from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.explanation import make_console
from vaultsigner.cli.policy.options import json_option
from vaultsigner.cli.policy.words import counted, printable

if TYPE_CHECKING:
    from vaultsigner.audit.searching.queries import Counts, Filters


@click.command()
@directories_or_records
@config_option
@filter_options
@json_option
def stats(
    *, directories: tuple[Path, ...], config_file: Path | None, filters: "Filters", as_json: bool
) -> None:
    """Count the records that fit all filters given: by day, kind, operation, principal, target, decision, rule and code.

    Of each the most frequent 50.

    Exit status: 0 done; 1 it could not be done, or there were lines that are no records, or files that are none.

    \b
    Examples:
      vaultsigner audit stats --since 7d
      vaultsigner audit stats --effect deny --json | jq .by.rule
    """
    chains = chains_in(record_directories(directories, config_file))
    with open_engine(chains) as engine:
        counts = engine.count(filters)
    if as_json:
        click.echo(json.dumps(asdict(counts), indent=2))
    else:
        _show(counts, len(chains))
    unusable = tell_unusable(chains)
    sys.exit(1 if counts.unreadable or unusable else 0)


def _show(counts: "Counts", chains: int) -> None:
    console = make_console()
    for name, values in counts.by.items():
        if values:
            table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
            table.add_column("Records", justify="right")
            table.add_column(f"By {name}", overflow="fold")
            for value, count in values.items():
                table.add_row(f"{count:,}", Text(printable(value)))
            console.print(table)
            console.print()
    between = f", {counts.first} to {counts.last}" if counts.records else ""
    console.print(f"{counts.records:,} records in {counted(chains, 'chain')}{between}", soft_wrap=True)
    if counts.unreadable:
        console.print(
            f"{counted(counts.unreadable, 'line')} could not be read: vaultsigner audit verify",
            style="red",
            soft_wrap=True,
        )
