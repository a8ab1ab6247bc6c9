"""`vaultsigner users`: password hashes."""

import sys

import click

from vaultsigner.authentication.passwords import hash_password
from vaultsigner.cli import terminal
from vaultsigner.cli.command_group import CommandGroup

SHORT_PASSWORD_CHARACTERS = 12


@click.group(cls=CommandGroup)
def users() -> None:
    """Password hashes for the users in config.yml."""


@users.command("hash-password")
def hash_password_command() -> None:
    """Hash a password with Argon2id and print the line for config.yml.

    Asks for the password twice, hidden; or reads one line from standard input. Never from an argument: those are visible to
    every process on the machine.

    \b
    Examples:
      vaultsigner users hash-password
      pass show desk/sam | head -1 | vaultsigner users hash-password
    """
    password = terminal.read_secret("Password (not shown)")
    if not password:
        raise terminal.TerminalError("an empty password is no password")
    if "\n" in password or "\r" in password:
        raise terminal.TerminalError("more than one line on standard input: give the password alone")
    if sys.stdin.isatty() and terminal.ask_hidden("Again") != password:
        raise terminal.TerminalError("the two do not match")
    if len(password) < SHORT_PASSWORD_CHARACTERS:
        click.echo(
            f"warning: fewer than {SHORT_PASSWORD_CHARACTERS} characters; a longer one resists guessing far better",
            err=True,
        )
    click.echo(f'password_hash: "{hash_password(password)}"')
