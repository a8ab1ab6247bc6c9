"""Help that teaches: every command has an example that is right, and every command is under a heading."""

import re

import click
import pytest
from click.testing import CliRunner

from vaultsigner.cli import COMMANDS, EXAMPLES, main


def reached(command: click.Command, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command that does something, by the words that reach it."""
    if not isinstance(command, click.Group):
        return [words]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        sub = command.get_command(context, name)
        assert sub is not None
        found += [] if sub.hidden else reached(sub, (*words, name))
    return found


def command_at(words: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        sub = command.get_command(click.Context(command), word)
        assert sub is not None
        command = sub
    return command


EVERY = reached(main)


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_of_every_command_has_an_example_of_it(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*words, "--help"], terminal_width=200)
    assert shown.exit_code == 0
    examples = shown.output.partition("Examples:")[2]
    leading = words[:1] if words == ("approvals", "list") else words
    assert f"vaultsigner {' '.join(leading)}" in examples


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_options_that_examples_have_exist(words: tuple[str, ...]) -> None:
    command = command_at(words)
    examples = (command.help or "").partition("Examples:")[2].replace("\\\n", " ")
    known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    for line in examples.splitlines():
        own = line.partition(f"vaultsigner {' '.join(words)}")[2].partition(" | ")[0]
        if own:
            typed = set(re.findall(r"(?<=\s)(--?[a-z][a-z-]*)(?![^']*'[^']*$)", own))
            assert typed <= known | {"--help"}, line


def test_the_root_help_names_only_commands_that_exist() -> None:
    for words in re.findall(r"vaultsigner ([a-z][a-z-]*(?: [a-z][a-z-]+)?)", EXAMPLES):
        first, _, second = words.partition(" ")
        command = command_at((first,))
        if isinstance(command, click.Group):
            assert second in command.list_commands(click.Context(command)), words


def test_every_command_stands_under_one_of_the_headings() -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=100).output
    for name, source in COMMANDS.items():
        section = shown.partition(f"{source.section}:\n")[2].partition("\n\n")[0]
        assert re.search(rf"^  {name} ", section, re.MULTILINE), name


def test_a_short_h_is_help_too() -> None:
    assert CliRunner().invoke(main, ["keys", "create", "-h"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["help"], ["--help"]),
        (["help", "keys"], ["keys", "--help"]),
        (["help", "keys", "create"], ["keys", "create", "--help"]),
        (["keys", "help"], ["keys", "--help"]),
        (["keys", "help", "create"], ["keys", "create", "--help"]),
    ],
)
def test_help_as_a_word_is_help_too(words: list[str], same: list[str]) -> None:
    shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0
    assert shown.output == CliRunner().invoke(main, same).output


def test_help_for_what_does_not_exist_says_so() -> None:
    shown = CliRunner().invoke(main, ["help", "kyes"])
    assert shown.exit_code == 2
    assert "did you mean keys?" in shown.output
