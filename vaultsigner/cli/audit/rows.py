"""A record in a line for people."""

import json
from collections.abc import Mapping

import click

from vaultsigner.audit.searching.rows import COLUMNS, csv_lines, row_of
from vaultsigner.cli.policy.words import printable

__all__ = ["COLUMNS", "csv_lines", "json_line", "row_of", "table_line"]

_COLOURS = {"deny": "red", "allow": "green"}


def json_line(line: str) -> str:
    """As it is on record: our own are all ASCII. What would move a terminal's cursor, which only another's has, is escaped."""
    if line.isascii() and line.isprintable():
        return line
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in line)


def table_line(row: Mapping[str, str]) -> str:
    """For a terminal: nothing in it moves the cursor."""
    outcome = row["effect"] or row["code"]
    if row["effect"] and row["rule"]:
        outcome = f"{row['effect']} ({row['rule']})"
    elif row["status"]:
        outcome = f"{row['code']} {row['status']}".strip()
    parts = (
        f"{row['time'][:19]:19}",
        f"{row['kind']:8}",
        f"{row['principal']:16}",
        f"{row['operation']:18}",
        f"{row['target']:18}",
        click.style(f"{printable(outcome):24}", fg=_COLOURS.get(row["effect"])),
        f"{row['amount']:12}",
        row["what"],
    )
    shown = "  ".join(part if index == 5 else printable(part, limit=200) for index, part in enumerate(parts))
    return f"{shown.rstrip()}  {printable(row['chain'])}:{printable(row['seq'])}"
