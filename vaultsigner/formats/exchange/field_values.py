"""Values of fields in one spelling, or none where an exchange might read another one than policy compares.

Policy compares letter by letter (symbols, coins, sides, types without regard to ASCII case). What an exchange's framework trims,
folds or takes for a boolean would walk around a rule that denies: such values are not read at all.
"""

import re
from collections.abc import Mapping
from string import ascii_lowercase, ascii_uppercase

LONGEST = 512

_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)
_PLAIN = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")
_ANY_SCRIPT = frozenset({"symbol", "coin"})
"""Binance lists assets whose names are not ASCII (Spot API changelog, 2025-12-15)."""
_WORDS: Mapping[str, Mapping[str, str]] = {
    "position_side": {word: word for word in ("BOTH", "LONG", "SHORT")},
    "margin_type": {word: word for word in ("ISOLATED", "CROSSED", "CROSS")},
    "reduce_only": {"TRUE": "true", "FALSE": "false"},
}


def one_spelling(field: str, value: str) -> str | None:
    """The value as policy compares it; None where it is blank at an end, too long, or of letters that may count as others."""
    if len(value) > LONGEST:
        return None
    if field in _WORDS:
        return _WORDS[field].get(value.translate(_CAPITALS))
    if _PLAIN.fullmatch(value):
        return value
    return value if field in _ANY_SCRIPT and _is_one_word_only(value) else None


def _is_one_word_only(value: str) -> bool:
    """Printable, without blanks, and no letter of another script that becomes one of ours in capitals or small letters."""
    foreign = [character for character in value if not character.isascii()]
    folded = "".join((*(c.upper() for c in foreign), *(c.lower() for c in foreign)))
    return value.isprintable() and not re.search(r"\s", value) and not re.search(r"[A-Za-z]", folded)
