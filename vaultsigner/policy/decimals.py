"""Decimals that are compared and added without ever being rounded."""

import re
from collections.abc import Iterable
from decimal import Context, Decimal, Inexact
from functools import lru_cache

MAX_CHARACTERS = 30

# ASCII digits only: `Decimal` would also take underscores, blanks and the digits of other scripts. No sign: every field that
# rules compare is a magnitude, and a negative one would slip under a maximum and give back what a limit has counted.
PATTERN = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?0*[0-9]{1,2})?"
_DECIMAL = re.compile(PATTERN)
_EXACT = Context(prec=1000, Emin=-10_000, Emax=10_000, traps=[Inexact])
"""Wide enough for sums of products of what `read_decimal` lets in; should it ever not be, it raises."""


def read_decimal(text: str) -> Decimal | None:
    """An exact decimal from 0 up, plain or with an exponent of one or two digits; None for any other text.

    `"1"`, `"1.0"` and `"1e0"` are equal, and equal keys of a mapping.
    """
    return _read(text) if len(text) <= MAX_CHARACTERS else None


@lru_cache(maxsize=4096)
def _read(text: str) -> Decimal | None:
    return Decimal(text) if _DECIMAL.fullmatch(text) is not None else None


def product(one: Decimal, other: Decimal) -> Decimal:
    """Exactly."""
    return _EXACT.multiply(one, other)


def total(values: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    result = Decimal(0)
    for value in values:
        result = _EXACT.add(result, value)
    return result


def shown_decimal(value: Decimal) -> str:
    """Plain digits, for messages."""
    return f"{value:f}"
