"""What a YAML word without quotes means: text, `true`, `false`, `null` or a plain whole number, and nothing else.

YAML 1.1 and 1.2 disagree on the rest, and loaders disagree with both; a word that any of them would turn into a number,
a date, a truth value or nothing is refused with what to write instead.
"""

import re
from dataclasses import dataclass

_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_NUMBERS = re.compile(
    r"[-+]?0[xXoObB][0-9a-fA-F_]+"  # 0x1f, 0o7, 0b1
    r"|[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"  # 010, 1_000, 1.5, 1e3
    r"|[-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?"  # .5
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"  # 12:30:45, to the base of 60
    r"|[-+]?\.(?:[iI][nN][fF]|[nN][aA][nN])"
)
_DATES = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?")
_TRUTH_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false"})
_LONGEST_SHOWN = 12
"""Retyped words up to this length are repeated in the hint; a key or a password could hide in longer ones."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a plain word is refused, and what to write instead."""

    message: str
    hint: str


def read_plain(
    word: str, *, quotable: bool, dates: bool = False
) -> tuple[bool | int | str | None, Complaint | None]:
    """The value of a word without quotes, and what is wrong with it.

    Args:
        word: as the parser found it.
        quotable: False where the word may be a secret and must not be repeated in the hint.
        dates: True where a date belongs: it is text then.
    """
    if dates and _DATES.fullmatch(word):
        return word, None
    if word in ("true", "false"):
        return word == "true", None
    if word == "null":
        return None, None
    if _WHOLE_NUMBER.fullmatch(word):
        return int(word), None
    return word, _complaint(word, quotable=quotable)


def _complaint(word: str, *, quotable: bool) -> Complaint | None:
    if not word:
        hint = "write the value, null, or [] for an empty list"
        return Complaint("there is no value, which YAML reads as null", hint)
    shown = f'"{word}"' if quotable and len(word) <= _LONGEST_SHOWN else "it"
    lowered = word.lower()
    found = None
    if word == "~" or lowered == "null":
        found = Complaint("YAML reads this as null", f"write null, or {shown} in quotes for text")
    elif lowered in _TRUTH_WORDS:
        meant = "true" if lowered in ("y", "yes", "on", "true") else "false"
        hint = f"write {meant}, or {shown} in quotes for text"
        found = Complaint("YAML may read this as a truth value", hint)
    elif _NUMBERS.fullmatch(word):
        hint = (
            f"write {shown} in quotes for text; whole numbers are plain digits, no leading zero or underscore"
        )
        found = Complaint("YAML may read this as another number or as text", hint)
    elif _DATES.fullmatch(word):
        found = Complaint("YAML may read this as a date", f"write {shown} in quotes")
    elif word in ("=", "<<"):
        found = Complaint("YAML has a meaning of its own for this", f"write {shown} in quotes")
    return found
