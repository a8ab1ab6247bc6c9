"""What is wrong in a file, said so that a person can mend it at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from vaultsigner.errors import ConfigError, VaultsignerError
from vaultsigner.strict_yaml import YamlPath, is_plain_name, names_secret

_MANY = 200
_LONGEST_LIST = 600
"""In characters: enough for every field that rules can ask about."""
_PUNCTUATION = str.maketrans("", "", "-_. ")


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
    """A file cannot be used; `problems` has everything that was found, in the order of the file.

    `policies` is the directory that an unusable config.yml names all the same, for those who want to tell its problems too.
    """

    def __init__(self, problems: Sequence[Problem], policies: Path | None = None) -> None:
        self.policies = policies
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


class KnownWords:
    """The words that are right in some place, to suggest the nearest from. Words that look like secrets are left out."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = [word for word in dict.fromkeys(words) if is_plain_name(word)]
        self._folded = {_fold(word): word for word in self._words}

    def nearest(self, word: str) -> str | None:
        """The word that was probably meant, or None. Among very many, only letter case and punctuation may differ."""
        exact = self._folded.get(_fold(word))
        if exact is not None or len(self._words) > _MANY:
            return exact
        found = get_close_matches(_fold(word[:64]), self._folded, n=1, cutoff=0.7)
        return self._folded[found[0]] if found else None

    def hint(self, word: str) -> str:
        """What to write instead of a word that is not known: the nearest, or all of them, or of very many a few."""
        near = self.nearest(word)
        if near is not None:
            return f"did you mean {near}?"
        if not self._words:
            return "there is none yet"
        listed = ", ".join(self._words)
        if len(listed) > _LONGEST_LIST:
            listed = ", ".join((*self._words[:8], "..."))
        return f"known here: {listed}"


def suggestion(word: str, known: Iterable[str]) -> str:
    """The hint of `KnownWords` for a single question."""
    return KnownWords(known).hint(word)


def _fold(word: str) -> str:
    return word.lower().translate(_PUNCTUATION)
