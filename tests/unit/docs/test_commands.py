"""Whatever the texts say to type exists: commands, and their options."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vaultsigner.cli import main

REPOSITORY = Path(__file__).parents[3]
TEXTS = sorted(
    [
        REPOSITORY / "README.md",
        REPOSITORY / "SECURITY.md",
        *(REPOSITORY / "docs").glob("*.md"),
        REPOSITORY / "config/config.yml",
    ]
)
_FENCE = re.compile(r"^ *```(sh|bash|console|shell)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(vaultsigner [^`]+)`")
_TYPED = re.compile(r"(?:^|[\s;|&(\"'])vaultsigner ((?:[^\n;|&#)`]|\\\n)+)")
_WORD = re.compile(r"[a-z][a-z0-9-]*\Z")
_OPTION = re.compile(r"(?:(?<=\s)|^)(--[a-z][a-z0-9-]*)")


def typed(text: str) -> Iterator[str]:
    """What follows `vaultsigner` wherever somebody is told to type it."""
    for _, block in _FENCE.findall(text):
        yield from (found.replace("\\\n", " ") for found in _TYPED.findall(block))
    for inline in _INLINE.findall(text):
        yield inline.removeprefix("vaultsigner ")


def why_not(words: str) -> str | None:
    """What is wrong with a command line, as far as its commands and options go."""
    command: click.Command = main
    rest = re.sub(r"'[^']*'|\"[^\"]*\"", "''", words).split()
    while isinstance(command, click.Group) and rest and _WORD.match(rest[0]) and rest[0] != "help":
        sub = command.get_command(click.Context(command), rest[0])
        if sub is None:
            # `approvals` lists by itself, and several commands are told in one word: `clients create|list`.
            return f"no command {rest[0]}" if type(command).__name__ != "ListingGroup" else None
        command, rest = sub, rest[1:]
    known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    unknown = [
        name for name in _OPTION.findall(" ".join(rest)) if name not in known | {"--help", "--version"}
    ]
    return f"no option {', '.join(unknown)}" if unknown and not isinstance(command, click.Group) else None


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_what_is_to_be_typed_exists(path: Path) -> None:
    wrong = [(words, why) for words in typed(path.read_text()) if (why := why_not(words))]
    assert wrong == []


@pytest.mark.parametrize(
    "words", ["kyes create x", "keys destroy x", "status --wathc", "policy explain --as a --nothing"]
)
def test_what_does_not_exist_is_found(words: str) -> None:
    assert why_not(words)


def test_something_is_looked_at() -> None:
    assert sum(len(list(typed(path.read_text()))) for path in TEXTS) > 80
