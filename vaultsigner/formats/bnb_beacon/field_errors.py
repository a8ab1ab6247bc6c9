"""What is wrong with one field of a request, in the words of the old signing service where it had any.

Source: wire contract of the signing service v0.0.4, sections 2 to 4 (the texts and types are pydantic's of that time).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vaultsigner.domain.amounts import AmountError
from vaultsigner.domain.names import JsonValue

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of `detail` in a 422 answer. Nothing in it repeats the value that was given.

    Args:
        loc: where: `("body", "signed_order", "msg", "price")`; list positions are numbers.
        msg: what is wrong, and what to write instead where that is not plain.
        type: machine word, `value_error.…` or `type_error.…`.
        ctx: numbers that the text mentions, where the old service had them.
    """

    loc: Location
    msg: str
    type: str
    ctx: Mapping[str, JsonValue] | None = None

    def as_detail(self) -> dict[str, JsonValue]:
        """The JSON object: loc, msg, type, and ctx where there is one."""
        detail: dict[str, JsonValue] = {"loc": [*self.loc], "msg": self.msg, "type": self.type}
        if self.ctx is not None:
            detail["ctx"] = dict(self.ctx)
        return detail


def missing(loc: Location) -> FieldError:
    """The member is not there."""
    return FieldError(loc, "field required", "value_error.missing")


def is_null(loc: Location) -> FieldError:
    """The member is null."""
    return FieldError(loc, "none is not an allowed value", "type_error.none.not_allowed")


def not_an_object(loc: Location) -> FieldError:
    """An object belongs here."""
    return FieldError(loc, "value is not a valid dict", "type_error.dict")


def not_a_list(loc: Location) -> FieldError:
    """A list belongs here."""
    return FieldError(loc, "value is not a valid list", "type_error.list")


def not_text(loc: Location) -> FieldError:
    """A text (or a number) belongs here."""
    return FieldError(loc, "str type expected", "type_error.str")


def not_an_integer(loc: Location) -> FieldError:
    """A whole number belongs here."""
    return FieldError(loc, "value is not a valid integer", "type_error.integer")


def not_an_enumeration_member(loc: Location) -> FieldError:
    """The number or word is not one of those allowed."""
    return FieldError(loc, "value is not a valid enumeration member", "type_error.enum")


def not_positive(loc: Location) -> FieldError:
    """Zero or less."""
    return FieldError(
        loc, "ensure this value is greater than 0", "value_error.number.not_gt", {"limit_value": 0}
    )


def not_a_decimal(loc: Location) -> FieldError:
    """No number at all."""
    return FieldError(loc, "value is not a valid decimal", "type_error.decimal")


def wrong_value(loc: Location, message: str, word: str) -> FieldError:
    """A reason that the old service did not know; `message` says why and what to write instead."""
    return FieldError(loc, message, f"value_error.{word}")


def wrong_amount(loc: Location, error: AmountError) -> FieldError:
    """Why a text is no amount: the old text where there is one, else the reason itself."""
    match error.kind:
        case "not_a_decimal":
            return not_a_decimal(loc)
        case "not_finite":
            return FieldError(loc, "value is not a valid decimal", "value_error.decimal.not_finite")
        case "not_positive":
            return not_positive(loc)
        case kind:
            return wrong_value(loc, str(error), f"decimal.{kind}")
