"""What is asked for, before it is known who asks and when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Generic, TypeVar
from urllib.parse import quote

from vaultsigner.client.reply import Reply

T = TypeVar("T")

Value = str | int | bool | Decimal
Parameters = Mapping[str, Value] | Sequence[tuple[str, Value]]


class Effect(Enum):
    """What becomes of the world when a request is done twice."""

    REPEATABLE = "nothing: it reads, or signs without sending"
    ACTS = "something happens twice"


class Proof(Enum):
    """How much a request shows of who asks."""

    FULL = "signed, or with a token"
    API_KEY = "the API key alone, as exchanges want it for listen keys"
    NONE = "nothing"
    PARTNER = "the partner's signature"


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """A request in our own words, and how its answer is read.

    Args:
        path: as it goes out, percent-encoded.
        read: from the reply to the answer. Only called with what is no error.
        parameters: of the query, or of a form.
        body: a JSON document as it goes out; None where there is none.
        operation: what the service calls it: signatures are made for this operation alone.
        form: the parameters go as a form in the body.
        approval: the id of the approval that it uses.
        foreign: errors may be an exchange's, which `read` sees to.
        enveloped: errors come in the partner family's envelope, which `read` sees to.
    """

    method: str
    path: str
    read: Callable[[Reply], T] = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    operation: str | None = None
    effect: Effect = Effect.REPEATABLE
    proof: Proof = Proof.FULL
    form: bool = False
    approval: str | None = None
    foreign: bool = False
    enveloped: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be asked again when nobody knows whether it was done. An approval is good once."""
        return self.effect is Effect.REPEATABLE and self.approval is None


@dataclass(frozen=True, slots=True)
class Request:
    """A request, whole, as it goes out: what is signed is these very bytes."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


def spelled(parameters: Sequence[tuple[str, str]]) -> str:
    """name=value pairs. All but letters, digits and `_.-~` is percent-encoded, so that it can be read in one way."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters)


def pairs(parameters: Parameters | None) -> tuple[tuple[str, str], ...]:
    """Names and values as texts, in their order.

    Raises:
        TypeError: a value is no text, whole number, Decimal, True or False. A float is none of these: it would be rounded.
    """
    given = parameters.items() if isinstance(parameters, Mapping) else parameters or ()
    return tuple((name, as_text(value, name)) for name, value in given)


def as_text(value: Value, name: str) -> str:
    """A value as exchanges and vaultsigner read it.

    Raises:
        TypeError: see `pairs`.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str | int):
        return str(value)
    raise TypeError(f"{name} is a {type(value).__name__}: write a text, a whole number or a Decimal")


def segment(name: str) -> str:
    """A name as a part of a path.

    Raises:
        ValueError: it could be no part of its own.
    """
    if name in ("", ".", ".."):
        raise ValueError(f"{name!r} is no name")
    return quote(name, safe="")
