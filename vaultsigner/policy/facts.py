"""What is known about one item of a request when a condition asks."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.principals import Principal
from vaultsigner.policy.decimals import product, read_decimal

_LONGEST_SHOWN = 64


class Unmet(NamedTuple):
    """Why a condition does not hold.

    Args:
        words: for people; put together only when somebody asks, because most are for rules that simply do not match.
        unknown: the request does not say, or not readably. Rules that deny match then, too: what nobody knows must not be
            what opens a way around them.
    """

    words: str | Callable[[], str]
    unknown: bool = False

    @property
    def why(self) -> str:
        """The words."""
        return self.words if isinstance(self.words, str) else self.words()


class Facts:
    """One item, with the memo and the circumstances of its request."""

    __slots__ = ("_decimals", "_item", "_memo", "circumstances")

    def __init__(
        self, item: Mapping[str, JsonValue], memo: str = "", circumstances: Circumstances | None = None
    ) -> None:
        self.circumstances = circumstances
        self._item = item
        self._memo = memo
        self._decimals: dict[str, Decimal | Unmet] = {}

    def text(self, field: str) -> str | Unmet:
        """A field as text. A memo is always known: there is one or there is none."""
        value = self._item.get(field)
        if isinstance(value, str):
            return value
        if value is None:
            return self._memo if field == "memo" else Unmet(f"the request has no {field}", unknown=True)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        return Unmet(f"{field} is no single value", unknown=True)

    def decimal(self, field: str) -> Decimal | Unmet:
        """A field as an exact decimal; where an item says price and quantity but no notional, that is their product."""
        known = self._decimals.get(field)
        if known is None:
            known = self._decimals[field] = self._read(field)
        return known

    def _read(self, field: str) -> Decimal | Unmet:
        value = self._item.get(field)
        if value is None:
            if field == "notional":
                return self._notional()
            return Unmet(f"the request has no {field}", unknown=True)
        text = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
        found = read_decimal(text)
        return found if found is not None else Unmet(f"{field} is no finite decimal from 0 up", unknown=True)

    def _notional(self) -> Decimal | Unmet:
        item = self._item
        if item.get("price") is None or item.get("quantity") is None:
            return Unmet("the request has no notional, and not both price and quantity", unknown=True)
        price, quantity = self.decimal("price"), self.decimal("quantity")
        if isinstance(price, Unmet):
            return price
        return quantity if isinstance(quantity, Unmet) else product(price, quantity)


class Question:
    """One request as rules look at it. What is read for one rule is not read again for the next."""

    __slots__ = ("circumstances", "items", "operation", "target", "who")

    def __init__(self, principal: Principal, intent: Intent, circumstances: Circumstances | None) -> None:
        self.who = str(principal)
        self.operation = intent.operation
        self.target = intent.target
        self.circumstances = circumstances
        # Of no items at all "every item passes" would be true.
        self.items = tuple([Facts(item, intent.memo, circumstances) for item in intent.items or ({},)])


def shown(value: str) -> str:
    """A value of a request for a message; in general terms where it is long or would not show as what it is."""
    if not value:
        return "empty"
    return value if len(value) <= _LONGEST_SHOWN and value.isascii() and value.isprintable() else "another"
