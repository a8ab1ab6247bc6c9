"""The root of the command line: help without imports, missing parts named, errors in a line."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from vaultsigner.cli import COMMANDS, main
from vaultsigner.cli.lazy_group import CommandSource, LazyGroup
from vaultsigner.errors import VaultsignerError

HERE = __name__


@click.command()
def works() -> None:
    """Says so."""
    click.echo("done")


@click.command()
def fails() -> None:
    """Cannot."""
    try:
        int("inner-detail")
    except ValueError as error:
        raise VaultsignerError("it could not be done: do this instead") from error


@click.command()
def breaks() -> None:
    """A defect."""
    raise ZeroDivisionError


group = LazyGroup(
    sources={
        "works": CommandSource(HERE, "Says so."),
        "fails": CommandSource(HERE, "Cannot."),
        "breaks": CommandSource(HERE, "A defect."),
        "bare": CommandSource("tests.unit.cli.needs_a_package", "Needs more.", needs="pip install more"),
        "lost": CommandSource("vaultsigner.cli.nowhere", "Not there."),
    }
)


def test_the_command_runs() -> None:
    assert CliRunner().invoke(group, ["works"]).output == "done\n"


def test_an_error_of_ours_is_one_line_and_status_1() -> None:
    result = CliRunner().invoke(group, ["fails"])
    assert result.exit_code == 1
    assert result.output == "Error: it could not be done: do this instead\n"
    assert result.exception is None or result.exception.__cause__ is None


def test_a_defect_keeps_its_traceback() -> None:
    assert isinstance(CliRunner().invoke(group, ["breaks"]).exception, ZeroDivisionError)


def test_a_missing_package_is_named_with_the_remedy() -> None:
    result = CliRunner().invoke(group, ["bare"])
    assert result.exit_code == 1
    assert result.output == (
        "Error: `vaultsigner bare` needs the Python package not_a_package, which is not installed: pip install more\n"
    )


def test_a_missing_module_of_ours_is_a_defect() -> None:
    assert isinstance(CliRunner().invoke(group, ["lost"]).exception, ModuleNotFoundError)


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(group, ["nonsense"]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chek"], "no such command 'chek': did you mean check?"),
        (["Serve"], "did you mean serve?"),
        (["keys", "impot"], "did you mean import?"),
        (["zzz"], "there are serve, status, "),
    ],
)
def test_a_mistyped_command_is_told_with_the_one_that_was_meant(words: list[str], said: str) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize("words", [[], ["keys"], ["vault"], ["users"]])
def test_help_cuts_nothing_off(words: list[str]) -> None:
    shown = CliRunner().invoke(main, [*words, "--help"], terminal_width=60).output
    assert "..." not in shown.replace("[ARGS]...", "")


def test_the_first_steps_are_in_the_help() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output.partition("A first setup")[2]
    steps = ["hash-password", "edit config/config.yml", "vault setup", "keys create", "check  ", "serve"]
    assert [shown.index(step) for step in steps] == sorted(shown.index(step) for step in steps)


def test_help_lists_every_command_in_the_order_of_use() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output.partition("Options:")[2]
    positions = [shown.index(f"  {name} ") for name in COMMANDS]
    assert positions == sorted(positions)


def test_help_imports_no_command() -> None:
    code = (
        "import sys\nfrom vaultsigner.cli import main\nmain(['--help'], standalone_mode=False)\n"
        "heavy = {'hvac', 'aiohttp', 'pydantic', 'coincurve', 'argon2', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 0, done.stderr


def commands_of(
    command: click.Command, words: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that reach it."""
    if not isinstance(command, click.Group):
        return [(words, command)]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        sub = command.get_command(context, name)
        assert sub is not None
        found += commands_of(sub, (*words, name))
    return found


@pytest.mark.parametrize("name", ["serve", "check", "keys", "policy", "users", "vault"])
def test_every_command_teaches_by_example(name: str) -> None:
    root = main.get_command(click.Context(main), name)
    assert root is not None
    for words, command in commands_of(root, (name,)):
        assert f"vaultsigner {' '.join(words)}" in (command.help or ""), words
