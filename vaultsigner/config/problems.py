"""What is wrong in a file, said so that a person can mend it at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from vaultsigner.errors import ConfigError, VaultsignerError
from vaultsigner.strict_yaml import YamlPath, is_plain_name, names_secret


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Args:
        file: the file, or `environment variable NAME`.
        line, column: counted from 1; None where the problem has no place in a file.
        where: dotted path, e.g. `wallets[0].env_name`; empty for the file as a whole.
        message: what is wrong. Never holds a value that may be a secret.
        hint: what to write or do instead.
    """

    file: str
    line: int | None
    column: int | None
    where: str
    message: str
    hint: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        where = f"{self.where}: " if self.where else ""
        return f"{place}: {where}{self.message}; {self.hint}"


class UnusableValueError(VaultsignerError, ValueError):
    """A single value cannot be used. Neither text ever holds the value: it may be a secret in the wrong place."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigProblems(ConfigError):  # noqa: N818 - the plural says what it is: every problem, not the first
    """A file cannot be used; `problems` has everything that was found, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line or 0, p.column or 0)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def dotted(path: YamlPath) -> str:
    """`("wallets", 0, "name")` as `wallets[0].name`; keys that might be misplaced secrets become a question mark."""
    text = ""
    for depth, step in enumerate(path):
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            shown = "?" if names_secret(path[:depth]) or not is_plain_name(step) else step
            text += f".{shown}" if text else shown
    return text


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant, or None."""
    lowered = {name.lower(): name for name in known}
    found = get_close_matches(word[:64].lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def suggestion(word: str, known: Sequence[str]) -> str:
    """A hint for a word that is none of `known`: the nearest, or a few of them."""
    near = nearest(word, known)
    if near is not None:
        return f"did you mean {near}?"
    if not known:
        return "there is none yet"
    some = ", ".join(sorted(known)[:8])
    return f"known here: {some}" + (", ..." if len(known) > 8 else "")
