"""A secret from where the operator has it: typed, piped in, or in a file that is to be deleted afterwards."""

import sys
from pathlib import Path

import click

from vaultsigner.cli import terminal

LIMIT_BYTES = 16 * 1024
"""More than any key in PEM that we take."""


def read_line(file: Path | None, question: str) -> str:
    """A secret of one line: from the file, from standard input where that is a pipe, or from a hidden prompt.

    Raises:
        TerminalError: nothing came, too much came, or it is not text.
    """
    return _in_file(file) if file else terminal.read_secret(question)


def read_lines(file: Path | None, what: str) -> str:
    """A secret of several lines, such as a key in PEM: from the file, or from standard input.

    Raises:
        click.UsageError: there is neither, and nobody types a key in PEM unseen.
        TerminalError: as for `read_line`.
    """
    if file is not None:
        return _in_file(file)
    if sys.stdin.isatty():
        raise click.UsageError(f"{what} has several lines: give --from-file private.pem, or pipe it in")
    return terminal.read_secret(what, limit_bytes=LIMIT_BYTES)


def tell_to_delete(*files: Path | None) -> None:
    """What came from a file is still there."""
    for file in files:
        if file is not None:
            click.echo(f"{file} still holds it: delete that file, and its copies.", err=True)


def _in_file(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise terminal.TerminalError(f"{file} cannot be read: {error.strerror}") from None
    return terminal.secret_text(data, str(file), limit_bytes=LIMIT_BYTES)
