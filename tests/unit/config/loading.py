"""What the tests of this package load, and what comes back."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.marked_text import unmarked
from vaultsigner.config import ConfigProblems, Problem, Settings, load

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo"
BCRYPT = "$2b$12$abcdefghijklmnopqrstuu" + "v" * 31
KEY = "0123456789abcdef" * 4
MNEMONIC = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
VAULT_TOKEN = "hvs.CAESIJ0123456789abcdefghijklmnopqrstuvwxyz"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHQCAQEEICanary\n-----END EC PRIVATE KEY-----\n"


class Loading:
    """Loads texts as config.yml of a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "config.yml"

    def settings(self, text: str, environ: Mapping[str, str] | None = None) -> Settings:
        self.file.write_bytes(text.encode())
        return load(self.file, environ or {})

    def problems(self, text: str, environ: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
        with pytest.raises(ConfigProblems) as caught:
            self.settings(text, environ)
        return caught.value.problems

    def the_problem(self, text: str, environ: Mapping[str, str] | None = None) -> Problem:
        (problem,) = self.problems(text, environ)
        return problem

    def marked_problem(self, marked: str) -> Problem:
        """The only problem of a text, which must be told at the mark."""
        text, line, column = unmarked(marked)
        problem = self.the_problem(text)
        assert (problem.file, problem.line, problem.column) == (str(self.file), line, column)
        assert problem.hint
        return problem
