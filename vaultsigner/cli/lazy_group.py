"""A command group that imports a command's module only when that command is typed."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.errors import VaultsignerError

COMPLETE_VARIABLE = "_VAULTSIGNER_COMPLETE"
"""Set by the scripts of `vaultsigner completion` while they ask what could come next."""


@dataclass(frozen=True, slots=True)
class CommandSource:
    """Where a command lives.

    Args:
        module: the module to import; the command in it has the name that people type, with `_` for `-`.
        summary: the line for `--help`, kept here so that help needs no import.
        needs: what to install, said where an import outside vaultsigner fails; None where everything needed is required anyway.
        section: the heading under which help has it.
    """

    module: str
    summary: str
    needs: str | None = None
    section: str = "Commands"


class LazyGroup(CommandGroup):
    """Shows help without importing any command, and turns our own exceptions into one line and status 1."""

    def __init__(self, *args: Any, sources: Mapping[str, CommandSource], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sources = sources

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; `python -m vaultsigner` calls itself vaultsigner too."""
        kwargs.setdefault("prog_name", "vaultsigner")
        kwargs.setdefault("complete_var", COMPLETE_VARIABLE)
        if COMPLETE_VARIABLE not in os.environ:
            return super().main(*args, **kwargs)
        try:
            import_module("vaultsigner.cli.completion")  # which has a way for each shell to ask
            return super().main(*args, **kwargs)
        except Exception:  # noqa: BLE001 - the process's edge: whatever is wrong, it is not told in the middle of a line that is typed
            sys.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table rather than of the alphabet."""
        return list(self._sources)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None for a name that is none of ours."""
        source = self._sources.get(cmd_name)
        if source is None:
            return None
        try:
            command = getattr(import_module(source.module), cmd_name.replace("-", "_"))
        except ModuleNotFoundError as error:
            if source.needs is None or (error.name or "").startswith("vaultsigner"):
                raise
            raise click.ClickException(
                f"`vaultsigner {cmd_name}` needs the Python package {error.name}, which is not installed: {source.needs}"
            ) from None
        if not isinstance(command, click.Command):
            raise TypeError(f"{source.module}.{cmd_name} is no click command")
        return command

    def summaries(self, ctx: click.Context) -> list[tuple[str, str]]:
        """From the table: help imports nothing."""
        return [(name, source.summary) for name, source in self._sources.items()]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The tables of commands, one a section, all as wide as the widest."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, source in self._sources.items():
            sections.setdefault(source.section, []).append((name, source.summary))
        width = max(map(len, self._sources), default=0)
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), summary) for name, summary in rows])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Names from the table; options as every command completes them."""
        found = [
            CompletionItem(name, help=source.summary)
            for name, source in self._sources.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What could not be done is told in a line; a traceback is for defects alone."""
        try:
            return super().invoke(ctx)
        except VaultsignerError as error:
            # `from None`: the exceptions behind it may hold what the command was working on.
            raise click.ClickException(str(error)) from None
