"""Exact amounts: decimal text to units of 10^-8 and back, with nothing rounded and nothing cut off."""

import re
from typing import Literal

from vaultsigner.errors import VaultsignerError

PLACES = 8
UNITS_PER_ONE = 10**PLACES
MAX_UNITS = 2**63 - 1
MAX_CHARACTERS = 30

AmountProblem = Literal["not_a_decimal", "not_finite", "not_positive", "too_precise", "too_large", "too_long"]

_BLANKS = " \t\n\r\f\v"
# ASCII digits only: `int` and `Decimal` would also take underscores and the digits of other scripts.
_DECIMAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")
_NOT_FINITE = re.compile(r"[+-]?(?:inf(?:inity)?|s?nan[0-9]*)", re.IGNORECASE | re.ASCII)


class AmountError(VaultsignerError, ValueError):
    """The text is no amount. `kind` says why in a word, the message in a sentence that says what to write."""

    def __init__(self, kind: AmountProblem, message: str) -> None:
        super().__init__(message)
        self.kind: AmountProblem = kind


def parse_units(text: str) -> int:
    """Read a decimal, plain or with an exponent, as units of 10^-8: `"1.5"` is 150000000, `"1e-08"` is 1.

    Zeros at the end do not count as places: `"1.000000000"` is exact and so it is good.

    Args:
        text: at most 30 characters, blanks around it included.

    Raises:
        AmountError: anything but an exact amount from 1 to 2^63-1 units.
    """
    if len(text) > MAX_CHARACTERS:
        raise AmountError(
            "too_long", f"the amount has more than {MAX_CHARACTERS} characters: write it shorter"
        )
    stripped = text.strip(_BLANKS)
    match = _DECIMAL.fullmatch(stripped)
    if match is None or not (match[2] or match[3]):
        if _NOT_FINITE.fullmatch(stripped):
            raise AmountError("not_finite", "the amount must be a finite number")
        raise AmountError("not_a_decimal", "the amount is not a decimal: write it like 12.5 or 1e-08")
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", match[4]
    digits = (whole + fraction).lstrip("0")
    if sign == "-" or not digits:
        raise AmountError("not_positive", "the amount must be greater than 0")
    significant = digits.rstrip("0")
    shift = int(exponent or 0) - len(fraction) + len(digits) - len(significant) + PLACES
    return _units(significant, shift)


def _units(significant: str, shift: int) -> int:
    """The value of `significant` x 10^`shift`; the power is taken only once it is known to be small (1e999999999)."""
    if shift < 0:
        raise AmountError(
            "too_precise",
            f"the amount has more than {PLACES} decimal places: write at most {PLACES}, nothing is rounded here",
        )
    if len(significant) + shift <= len(str(MAX_UNITS)):
        units = int(significant + "0" * shift)
        if units <= MAX_UNITS:
            return units
    raise AmountError(
        "too_large", f"the amount is larger than {format_units(MAX_UNITS)}, the most the chain can hold"
    )


def format_units(units: int) -> str:
    """Units of 10^-8 as decimal text with eight places: 150000000 is `"1.50000000"`. Not for negative numbers."""
    if units < 0:
        raise ValueError("units are never negative")
    return f"{units // UNITS_PER_ONE}.{units % UNITS_PER_ONE:0{PLACES}d}"
