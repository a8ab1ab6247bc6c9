"""Conditions of rules: small objects that say whether they hold for one item of a request, or why not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from string import ascii_lowercase, ascii_uppercase
from typing import Literal, Protocol

from vaultsigner.policy.addresses import comparable
from vaultsigner.policy.decimals import shown_decimal
from vaultsigner.policy.facts import Facts, Unmet, shown
from vaultsigner.policy.fields import ADDRESS_FIELDS

Network = IPv4Network | IPv6Network
BoundKind = Literal["max", "min", "above", "below"]
_FEW = 4


class Condition(Protocol):
    """What all of them are. `field` is what they ask about: a field of the request, `ip` or `time`."""

    @property
    def field(self) -> str:
        """What it is about."""

    def unmet(self, facts: Facts) -> Unmet | None:
        """Why it does not hold; None where it does."""


CASELESS = frozenset({"symbol", "coin", "side", "type", "order_type", "time_in_force", "option"})
"""Fields that mean the same in capitals: the Beacon Chain puts symbols into capitals itself (bnb-chain/node, plugins/tokens and
plugins/dex), so a rule against BNB must not be walked around by asking for bnb."""


@dataclass(frozen=True, slots=True)
class TextIn:
    """The text is one of these, letter by letter; or, negated, none of them. `equals` is this with one text.

    Args:
        field: what it is about.
        values: as they are written.
        compared: the same in the one spelling that stands for all that mean the same.
    """

    field: str
    values: frozenset[str]
    negated: bool = False
    compared: frozenset[str] = dataclass_field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """See the class."""
        compared = frozenset(one_spelling(self.field, value) for value in self.values)
        object.__setattr__(self, "compared", compared)

    def unmet(self, facts: Facts) -> Unmet | None:
        """See `Condition`."""
        text = facts.text(self.field)
        if isinstance(text, Unmet):
            return text
        named = text in self.values or one_spelling(self.field, text) in self.compared
        if named is not self.negated:
            return None
        if self.negated:
            return Unmet(lambda: f"{self.field} is {shown(text)}, which is excluded")
        return Unmet(lambda: f"{self.field} is {shown(text)}, not {_listed(self.values)}")


@dataclass(frozen=True, slots=True)
class DecimalIn:
    """The decimal is one of these, however it is spelled; or, negated, none of them."""

    field: str
    values: frozenset[Decimal]
    negated: bool = False

    def unmet(self, facts: Facts) -> Unmet | None:
        """See `Condition`."""
        value = facts.decimal(self.field)
        if isinstance(value, Unmet):
            return value
        if (value in self.values) is not self.negated:
            return None
        if self.negated:
            return Unmet(lambda: f"{self.field} is {shown_decimal(value)}, which is excluded")
        return Unmet(
            lambda: f"{self.field} is {shown_decimal(value)}, not {_listed(map(shown_decimal, self.values))}"
        )


_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)


def _capitals(text: str) -> str:
    """ASCII alone: letters of other scripts that become one of ours are another text."""
    return text.translate(_CAPITALS)


def one_spelling(field: str, text: str) -> str:
    """The text that is compared: other spellings of it mean the same."""
    if field in CASELESS:
        return _capitals(text)
    return comparable(text) if field in ADDRESS_FIELDS else text


_BOUNDS: dict[BoundKind, tuple[Callable[[Decimal, Decimal], bool], str]] = {
    "max": (Decimal.__le__, "at most"),
    "min": (Decimal.__ge__, "at least"),
    "above": (Decimal.__gt__, "above"),
    "below": (Decimal.__lt__, "below"),
}


@dataclass(frozen=True, slots=True)
class Bound:
    """The decimal lies on the right side of another: max and min let the bound itself through, above and below do not."""

    field: str
    kind: BoundKind
    bound: Decimal

    def unmet(self, facts: Facts) -> Unmet | None:
        """See `Condition`."""
        value = facts.decimal(self.field)
        if isinstance(value, Unmet):
            return value
        if self.lets(value):
            return None
        words = _BOUNDS[self.kind][1]
        return Unmet(
            lambda: f"{self.field} is {shown_decimal(value)}, not {words} {shown_decimal(self.bound)}"
        )

    def lets(self, value: Decimal) -> bool:
        """Whether a value lies on the right side."""
        return _BOUNDS[self.kind][0](value, self.bound)


@dataclass(frozen=True, slots=True)
class FromNetworks:
    """The request comes from one of these networks; or, negated, from none of them."""

    networks: tuple[Network, ...]
    negated: bool = False

    @property
    def field(self) -> str:
        """See `Condition`."""
        return "ip"

    def unmet(self, facts: Facts) -> Unmet | None:
        """See `Condition`."""
        if facts.circumstances is None:
            return Unmet("where the request comes from is not known", unknown=True)
        ip = _plain(facts.circumstances.ip)
        if any(ip in network for network in self.networks) is not self.negated:
            return None
        if self.negated:
            return Unmet(lambda: f"ip is {ip}, which is excluded")
        return Unmet(lambda: f"ip is {ip}, not in {_listed(self.networks)}")


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """A listener for both families shows IPv4 callers as ::ffff:10.0.0.7, which no network of theirs contains."""
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return mapped or ip


def _listed(values: Iterable[object]) -> str:
    texts = sorted(map(str, values))
    if len(texts) == 1:
        return texts[0]
    if len(texts) <= _FEW:
        return f"one of {', '.join(texts)}"
    return f"one of {', '.join(texts[:_FEW])} and {len(texts) - _FEW} more"
