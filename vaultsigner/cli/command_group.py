"""A command group whose help cuts nothing off, and that knows what a mistyped command was meant to be."""

from difflib import get_close_matches

import click


class CommandGroup(click.Group):
    """Lists each command with the whole first sentence of its help."""

    def summaries(self, ctx: click.Context) -> list[tuple[str, str]]:
        """Each command's name and what it does, in a line."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=1000)))
        return rows

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands; long lines are wrapped."""
        with formatter.section("Commands"):
            formatter.write_dl(self.summaries(ctx))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own, except that a command that is none of ours is told with the nearest that is; `help` is `--help`."""
        names = self.list_commands(ctx)
        if args[0] == "help" and "help" not in names and not ctx.resilient_parsing:
            if len(args) == 1:
                click.echo(ctx.get_help())
                ctx.exit()
            args = [*args[1:], "--help"]
        if args[0] not in names and not args[0].startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(args[0].lower(), names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            ctx.fail(f"no such command '{args[0][:64]}': {hint}")
        return super().resolve_command(ctx, args)
