"""Finds secrets that lie in a configuration file as they are, so that they can be refused by kind and place.

A key in a comment is a key at rest too, so the text is searched as well as the values.
"""

import re
from collections.abc import Iterator

from vaultsigner.strict_yaml import Position

# A fingerprint of a certificate says that it is one: sha256:...
_PATTERNS = (
    ("a private key", re.compile(r"(?<![0-9A-Za-z])(?:0[xX]|(?<!sha256:))[0-9a-fA-F]{64}(?![0-9A-Za-z])")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a Vault token", re.compile(r"(?<![\w./-])(?:hv[sbr]\.[\w-]{20,}|[sbr]\.[A-Za-z0-9]{24}(?![\w.-]))")),
)
_MNEMONIC_LENGTHS = (12, 15, 18, 21, 24)
_LONGEST_WORD = 12


def kind_of_secret(value: str) -> str | None:
    """What kind of secret a value holds: `a private key`, `a mnemonic`, `a Vault token`; None for none known."""
    for kind, pattern in _PATTERNS:
        if pattern.search(value):
            return kind
    words = value.split()
    if len(words) in _MNEMONIC_LENGTHS and all(
        word.isalpha() and len(word) <= _LONGEST_WORD for word in words
    ):
        return "a mnemonic"
    return None


def secrets_in(text: str) -> Iterator[tuple[str, Position]]:
    """Kind and place of each private key or token anywhere in a file's text, comments included."""
    for number, line in enumerate(text.split("\n"), start=1):
        for kind, pattern in _PATTERNS:
            for match in pattern.finditer(line):
                yield kind, Position(number, match.start() + 1)
