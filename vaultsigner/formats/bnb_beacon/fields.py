"""Reads the members of one JSON object and collects everything that is wrong with them, to be told at once."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from vaultsigner.domain.amounts import MAX_UNITS, AmountError, parse_units
from vaultsigner.formats.bnb_beacon.address import decode_address
from vaultsigner.formats.bnb_beacon.errors import AddressError
from vaultsigner.formats.bnb_beacon.field_errors import (
    FieldError,
    Location,
    is_null,
    missing,
    not_a_decimal,
    not_an_enumeration_member,
    not_an_integer,
    not_positive,
    not_text,
    wrong_amount,
    wrong_value,
)
from vaultsigner.formats.bnb_beacon.message_types import is_order_id, is_pair, is_token
from vaultsigner.strict_json import JsonDocument

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_MAX_INTEGER_CHARACTERS = 20


class Fields:
    """The members of one object. Each reading method answers the value, or None after noting what is wrong.

    Args:
        members: the object.
        loc: where the object stands in the body.
        errors: where to note; shared by all objects of one body.
    """

    __slots__ = ("_errors", "_known", "_members", "loc")

    def __init__(self, members: Mapping[str, JsonDocument], loc: Location, errors: list[FieldError]) -> None:
        self._members = members
        self._errors = errors
        self._known: set[str] = set()
        self.loc: Final = loc

    def note(self, error: FieldError) -> None:
        """Add an error that the caller found."""
        self._errors.append(error)

    def unknown(self) -> list[str]:
        """The names of members that nothing has asked for."""
        return [name for name in self._members if name not in self._known]

    def has(self, name: str) -> bool:
        """Whether this member is there, null or not."""
        return name in self._members

    def given(self, *names: str) -> list[str]:
        """Those of these members that are there, null or not."""
        self._known.update(names)
        return [name for name in names if name in self._members]

    def inside(self, members: Mapping[str, JsonDocument], loc: Location) -> "Fields":
        """A reader for an object inside this one, noting its errors in the same place."""
        return Fields(members, loc, self._errors)

    def value(self, *names: str) -> tuple[Location, JsonDocument] | None:
        """The value of a member that goes by several names, and where it stands: required, and not null."""
        given = self.given(*names)
        if not given:
            self.note(missing((*self.loc, names[0])))
            return None
        for name in given:
            if self._members[name] is None:
                self.note(is_null((*self.loc, name)))
                return None
        first = given[0]
        for name in given[1:]:
            if self._members[name] != self._members[first]:
                text = f"{first} and {name} are given with different values: write one of them"
                self.note(wrong_value((*self.loc, name), text, "ambiguous"))
                return None
        return (*self.loc, first), self._members[first]

    def text(self, *names: str) -> tuple[Location, str] | None:
        """A text; a number counts as its own characters."""
        found = self.value(*names)
        if found is None:
            return None
        loc, value = found
        if not isinstance(value, str):
            self.note(not_text(loc))
            return None
        return loc, str(value)

    def token(self) -> str | None:
        """A token's full name, as `symbol` or `denom`."""
        return self._word(
            ("symbol", "denom"), is_token, "not a token: write its full name, like BNB or BUSD-BD1"
        )

    def pair(self) -> str | None:
        """A trading pair, as `symbol`."""
        text = "not a trading pair: write two tokens joined by an underscore, like ANN-457_BNB"
        return self._word(("symbol",), is_pair, text)

    def order_id(self) -> str | None:
        """The id of an order, as `order_id` or `refid`."""
        text = "not an order id: write the letters, digits and hyphens that the order was given, at most 128"
        return self._word(("order_id", "refid"), is_order_id, text)

    def _word(self, names: tuple[str, ...], fits: Callable[[str], bool], otherwise: str) -> str | None:
        found = self.text(*names)
        if found is None:
            return None
        loc, text = found
        if not fits(text):
            self.note(wrong_value(loc, otherwise, names[0]))
            return None
        return text

    def amount(self, *names: str) -> int | None:
        """An exact amount in units of 10^-8, from a JSON number or a text."""
        found = self.value(*names)
        if found is None:
            return None
        loc, value = found
        if not isinstance(value, str):
            self.note(not_a_decimal(loc))
            return None
        try:
            return parse_units(value)
        except AmountError as error:
            self.note(wrong_amount(loc, error))
            return None

    def choice(self, name: str, choices: Mapping[int, str]) -> int | None:
        """A member of an enumeration: its number, or its word in any letter case."""
        found = self.value(name)
        if found is None:
            return None
        loc, value = found
        # By exact characters: 1.0, 1e0 and true are no enumeration members, whatever Python thinks they equal.
        if isinstance(value, str):
            for number, word in choices.items():
                if value == str(number) or value.lower() == word.lower():
                    return number
        self.note(not_an_enumeration_member(loc))
        return None

    def positive_integer(self, name: str) -> int | None:
        """A whole number from 1 to 2^63-1, as a JSON number or a text."""
        found = self.value(name)
        if found is None:
            return None
        loc, value = found
        if not isinstance(value, str) or not _INTEGER.fullmatch(value):
            self.note(not_an_integer(loc))
        elif value.startswith("-") or value == "0":
            self.note(not_positive(loc))
        elif len(value) > _MAX_INTEGER_CHARACTERS or int(value) > MAX_UNITS:
            self.note(
                wrong_value(loc, f"larger than {MAX_UNITS}, the most the chain can hold", "number.too_large")
            )
        else:
            return int(value)
        return None

    def address(self, name: str, prefix: str) -> bytes | None:
        """An address of the network with this prefix, as its 20 bytes."""
        found = self.text(name)
        if found is None:
            return None
        loc, text = found
        try:
            return decode_address(text, prefix)
        except AddressError as error:
            self.note(wrong_value(loc, str(error), "address"))
            return None

    def optional_text(self, name: str) -> tuple[Location, str] | None:
        """A text that may be left out or null; None then, and after an error."""
        self._known.add(name)
        return None if self._members.get(name) is None else self.text(name)
