"""What a wallet can be asked to sign. Amounts are texts, whole numbers or Decimals; no floats, which would be rounded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from vaultsigner.client.asks import as_text

Amount = str | int | Decimal


class Message(Protocol):
    """One thing to sign. `kind` is what routes call it."""

    @property
    def kind(self) -> str:
        """order, cancel_order, transfer, freeze, unfreeze or vote."""

    def document(self) -> dict[str, object]:
        """The member `msg` of the request."""


def _amount(value: Amount, name: str) -> str:
    if isinstance(value, bool):
        raise TypeError(f"{name} is a truth value")
    return as_text(value, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order on the chain. `side` is buy or sell (1, 2), `time_in_force` GTE or IOC (1, 3), `order_type` LIMIT (2)."""

    symbol: str
    side: str | int
    price: Amount
    quantity: Amount
    time_in_force: str | int = "GTE"
    order_type: str | int = "LIMIT"
    memo: str = ""
    kind: str = field(default="order", init=False)

    def document(self) -> dict[str, object]:
        """See `Message`."""
        return {
            "symbol": self.symbol,
            "side": self.side,
            "order_type": self.order_type,
            "time_in_force": self.time_in_force,
            "price": _amount(self.price, "price"),
            "quantity": _amount(self.quantity, "quantity"),
            **_memo(self.memo),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """The end of an order."""

    symbol: str
    order_id: str
    memo: str = ""
    kind: str = field(default="cancel_order", init=False)

    def document(self) -> dict[str, object]:
        """See `Message`."""
        return {"symbol": self.symbol, "order_id": self.order_id, **_memo(self.memo)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment of several."""

    to_address: str
    symbol: str
    amount: Amount

    def document(self) -> dict[str, object]:
        """A member of `transfers`."""
        return {
            "to_address": self.to_address,
            "symbol": self.symbol,
            "amount": _amount(self.amount, "amount"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A payment, or several in one transaction as `payments`, then without the three members of one."""

    to_address: str = ""
    symbol: str = ""
    amount: Amount = ""
    memo: str = ""
    payments: Sequence[Payment] = ()
    kind: str = field(default="transfer", init=False)

    def document(self) -> dict[str, object]:
        """See `Message`.

        Raises:
            ValueError: one payment and several at once.
        """
        if not self.payments:
            single = Payment(to_address=self.to_address, symbol=self.symbol, amount=self.amount)
            return {**single.document(), **_memo(self.memo)}
        if self.to_address or self.symbol or self.amount != "":
            raise ValueError("give either to_address, symbol and amount, or payments")
        return {"transfers": [each.document() for each in self.payments], **_memo(self.memo)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Coins that are to be frozen."""

    symbol: str
    amount: Amount
    memo: str = ""
    kind: str = field(default="freeze", init=False)

    def document(self) -> dict[str, object]:
        """See `Message`."""
        return {"symbol": self.symbol, "amount": _amount(self.amount, "amount"), **_memo(self.memo)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfreeze(Freeze):
    """Frozen coins that are to be free again."""

    kind: str = field(default="unfreeze", init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A vote on the chain. `option` is Yes, Abstain, No or NoWithVeto (1 to 4)."""

    proposal_id: int
    option: str | int
    memo: str = ""
    kind: str = field(default="vote", init=False)

    def document(self) -> dict[str, object]:
        """See `Message`."""
        return {"proposal_id": self.proposal_id, "option": self.option, **_memo(self.memo)}


def _memo(text: str) -> dict[str, object]:
    return {"memo": text} if text else {}
