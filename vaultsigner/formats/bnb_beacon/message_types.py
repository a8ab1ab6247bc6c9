"""The six messages, as values. A message that exists is one that the chain has a form for.

Source: BNB Beacon Chain documentation, "Transaction Encoding"; cosmos-sdk 0.25 `Coins.IsValid` for the order of coins.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from vaultsigner.formats.bnb_beacon.address import ADDRESS_LENGTH
from vaultsigner.formats.bnb_beacon.amino import MAX_INT64
from vaultsigner.formats.bnb_beacon.errors import FormatError

MAX_COINS = 400
"""Coins in all outputs of one transfer together; the most that surely fits into one transaction."""

_TOKEN = re.compile(r"[A-Za-z0-9.\-]{1,32}")
_PAIR = re.compile(r"[A-Za-z0-9.\-]{1,32}_[A-Za-z0-9.\-]{1,32}")
_ORDER_ID = re.compile(r"[A-Za-z0-9\-]{1,128}")

LIMIT_ORDER = 2
SIDES: Mapping[int, str] = MappingProxyType({1: "buy", 2: "sell"})
ORDER_TYPES: Mapping[int, str] = MappingProxyType({LIMIT_ORDER: "LIMIT"})
TIMES_IN_FORCE: Mapping[int, str] = MappingProxyType({1: "GTE", 3: "IOC"})
VOTE_OPTIONS: Mapping[int, str] = MappingProxyType({1: "Yes", 2: "Abstain", 3: "No", 4: "NoWithVeto"})
"""The enumerations: numbers as the chain has them, and the words that people, policies and (for votes) nodes use."""


def is_token(text: str) -> bool:
    """Whether this names a token, such as `BNB` or `BUSD-BD1`."""
    return _TOKEN.fullmatch(text) is not None


def is_pair(text: str) -> bool:
    """Whether this names a trading pair, such as `ANN-457_BNB`."""
    return _PAIR.fullmatch(text) is not None


def is_order_id(text: str) -> bool:
    """Whether this can be the id of an order."""
    return _ORDER_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """A limit order: `side` 1 buys, 2 sells; `time_in_force` 1 is GTE, 3 is IOC; price and quantity in units of 10^-8."""

    symbol: str
    side: int
    order_type: int = LIMIT_ORDER
    time_in_force: int
    price: int
    quantity: int

    def __post_init__(self) -> None:
        _require(is_pair(self.symbol), "an order's symbol is two tokens joined by an underscore")
        _require(_is_one_of(self.side, SIDES), "a side is 1 (buy) or 2 (sell)")
        _require(_is_one_of(self.order_type, ORDER_TYPES), "an order's type is 2 (limit)")
        _require(_is_one_of(self.time_in_force, TIMES_IN_FORCE), "a time in force is 1 (GTE) or 3 (IOC)")
        _require_positive(self.price, "a price")
        _require_positive(self.quantity, "a quantity")


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Takes an order off the book of a trading pair."""

    symbol: str
    order_id: str

    def __post_init__(self) -> None:
        _require(is_pair(self.symbol), "an order's symbol is two tokens joined by an underscore")
        _require(is_order_id(self.order_id), "an order id is 1 to 128 letters, digits and hyphens")


@dataclass(frozen=True, slots=True)
class Coin:
    """An amount of one token, in units of 10^-8."""

    denom: str
    amount: int

    def __post_init__(self) -> None:
        _require(is_token(self.denom), "a token is 1 to 32 letters, digits, dots and hyphens")
        _require_positive(self.amount, "an amount")


@dataclass(frozen=True, slots=True)
class Output:
    """What one receiver gets: at least one coin, sorted by token, no token twice."""

    address: bytes
    coins: tuple[Coin, ...]

    def __post_init__(self) -> None:
        _require(len(self.address) == ADDRESS_LENGTH, f"an address is {ADDRESS_LENGTH} bytes")
        _require_sorted(self.coins)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Payments of the sender to one or several receivers, each receiver once."""

    outputs: tuple[Output, ...]

    def __post_init__(self) -> None:
        _require(bool(self.outputs), "a transfer pays at least one receiver")
        _require(
            len({output.address for output in self.outputs}) == len(self.outputs),
            "a receiver stands in one output only",
        )
        coins = sum(len(output.coins) for output in self.outputs)
        _require(coins <= MAX_COINS, f"a transfer holds at most {MAX_COINS} coins")
        largest = max(_totals(self.outputs).values())
        _require(largest <= MAX_INT64, "the payments in one token add up to more than 2^63-1 units")

    @property
    def inputs(self) -> tuple[Coin, ...]:
        """What the sender gives: the sum of all outputs, sorted by token."""
        totals = _totals(self.outputs)
        return tuple(Coin(denom, totals[denom]) for denom in sorted(totals))


@dataclass(frozen=True, slots=True)
class Freeze:
    """Puts an amount of a token out of use; units of 10^-8."""

    symbol: str
    amount: int

    def __post_init__(self) -> None:
        _require(is_token(self.symbol), "a token is 1 to 32 letters, digits, dots and hyphens")
        _require_positive(self.amount, "an amount")


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """Brings a frozen amount of a token back into use; units of 10^-8."""

    symbol: str
    amount: int

    def __post_init__(self) -> None:
        _require(is_token(self.symbol), "a token is 1 to 32 letters, digits, dots and hyphens")
        _require_positive(self.amount, "an amount")


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote on a proposal: `option` 1 Yes, 2 Abstain, 3 No, 4 NoWithVeto."""

    proposal_id: int
    option: int

    def __post_init__(self) -> None:
        _require_positive(self.proposal_id, "a proposal id")
        _require(_is_one_of(self.option, VOTE_OPTIONS), "a vote's option is 1 to 4")


Message = NewOrder | CancelOrder | Transfer | Freeze | Unfreeze | Vote
MessageKind = Literal["order", "cancel_order", "transfer", "freeze", "unfreeze", "vote"]

_KINDS: dict[type[Message], MessageKind] = {
    NewOrder: "order",
    CancelOrder: "cancel_order",
    Transfer: "transfer",
    Freeze: "freeze",
    Unfreeze: "unfreeze",
    Vote: "vote",
}


def message_kind(message: Message) -> MessageKind:
    """The word for this kind of message in operations, routes and documents."""
    return _KINDS[type(message)]


def _totals(outputs: tuple[Output, ...]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for output in outputs:
        for coin in output.coins:
            totals[coin.denom] = totals.get(coin.denom, 0) + coin.amount
    return totals


def _require(good: bool, rule: str) -> None:
    if not good:
        raise FormatError(rule)


def _is_one_of(value: int, choices: Mapping[int, str]) -> bool:
    # `True in (1, 2)` holds, and True would be encoded as 1 but shown as `true`.
    return type(value) is int and value in choices


def _require_positive(value: int, name: str) -> None:
    _require(type(value) is int and 1 <= value <= MAX_INT64, f"{name} is a whole number from 1 to 2^63-1")


def _require_sorted(coins: tuple[Coin, ...]) -> None:
    denoms = [coin.denom for coin in coins]
    _require(bool(denoms), "an output holds at least one coin")
    # ASCII only, so the order of characters is the order of bytes that a node checks.
    _require(all(one < next_one for one, next_one in pairwise(denoms)), "coins are sorted, each once")
