"""The `msg` of a transfer: one payment in the old form, or several in a `transfers` list.

{"to_address": "tbnb1…", "symbol": "BNB", "amount": "1.5"}
{"to_address": "tbnb1…", "transfers": [{"symbol": "BNB", "amount": "1.5"}, {"symbol": "BUSD-BD1", "amount": 2}]}
{"transfers": [{"to_address": "tbnb1…", "symbol": "BNB", "amount": "1.5"}, …]}
"""

from collections.abc import Iterable
from dataclasses import dataclass

from vaultsigner.domain.amounts import MAX_UNITS, format_units
from vaultsigner.formats.bnb_beacon.field_errors import Location, not_a_list, not_an_object, wrong_value
from vaultsigner.formats.bnb_beacon.fields import Fields
from vaultsigner.formats.bnb_beacon.message_types import MAX_COINS, Coin, Output, Transfer
from vaultsigner.strict_json import JsonDocument


@dataclass(frozen=True, slots=True)
class _Payment:
    """One amount of one token to one receiver; `loc` is where the payment stands in the body."""

    loc: Location
    receiver: bytes
    denom: str
    units: int


def read_transfer(fields: Fields, prefix: str) -> tuple[Transfer | None, list[str]]:
    """Read a transfer.

    Payments to one receiver become one output, receivers in the order in which they first appear.

    Args:
        fields: the members of `msg`.
        prefix: that receivers' addresses must have.

    Returns:
        The transfer, or None after errors were noted; and the names of members that were ignored inside `transfers`.
    """
    if fields.has("transfers"):
        return _several(fields, prefix)
    payment = _payment(fields, fields.address("to_address", prefix))
    return (None if payment is None else _merged([payment])), []


def _several(fields: Fields, prefix: str) -> tuple[Transfer | None, list[str]]:
    found = fields.value("transfers")
    for name in fields.given("symbol", "denom", "amount"):
        text = f"{name} stands beside transfers: write it inside each payment"
        fields.note(wrong_value((*fields.loc, name), text, "ambiguous"))
    has_default = fields.has("to_address")
    default = fields.address("to_address", prefix) if has_default else None
    if found is None:
        return None, []
    loc, listed = found
    entries = _entries(fields, loc, listed)
    payments = [
        _payment(
            entry,
            default if has_default and not entry.has("to_address") else entry.address("to_address", prefix),
        )
        for entry in entries
    ]
    unknown = [f"transfers[{entry.loc[-1]}].{name}" for entry in entries for name in entry.unknown()]
    complete = [payment for payment in payments if payment is not None]
    if len(complete) < len(payments) or not _add_up(fields, loc, complete):
        return None, unknown
    return _merged(complete), unknown


def _entries(fields: Fields, loc: Location, listed: JsonDocument) -> list[Fields]:
    """A reader for each payment in the list; those that are no objects are noted and left out."""
    if not isinstance(listed, list):
        fields.note(not_a_list(loc))
        return []
    if not 1 <= len(listed) <= MAX_COINS:
        fields.note(wrong_value(loc, f"write 1 to {MAX_COINS} payments", "list.length"))
        return []
    entries = []
    for index, entry in enumerate(listed):
        if isinstance(entry, dict):
            entries.append(fields.inside(entry, (*loc, index)))
        else:
            fields.note(not_an_object((*loc, index)))
    return entries


def _payment(fields: Fields, receiver: bytes | None) -> _Payment | None:
    denom, units = fields.token(), fields.amount("amount")
    if receiver is None or denom is None or units is None:
        return None
    return _Payment(fields.loc, receiver, denom, units)


def _add_up(fields: Fields, loc: Location, payments: list[_Payment]) -> bool:
    """Whether the payments make a transfer: no receiver is paid in one token twice, no sum is larger than 2^63-1 units.

    Two amounts are not added up silently: a payment listed twice is more often a mistake than meant.
    """
    good = bool(payments)
    seen: set[tuple[bytes, str]] = set()
    totals: dict[str, int] = {}
    for payment in payments:
        if (payment.receiver, payment.denom) in seen:
            text = "this receiver is already paid in this token: write one amount"
            fields.note(wrong_value(payment.loc, text, "duplicate"))
            good = False
        seen.add((payment.receiver, payment.denom))
        totals[payment.denom] = totals.get(payment.denom, 0) + payment.units
    if max(totals.values(), default=0) > MAX_UNITS:
        text = f"the payments in one token add up to more than {format_units(MAX_UNITS)}: write several transfers"
        fields.note(wrong_value(loc, text, "decimal.too_large"))
        good = False
    return good


def _merged(payments: Iterable[_Payment]) -> Transfer:
    coins: dict[bytes, list[Coin]] = {}
    for payment in payments:
        coins.setdefault(payment.receiver, []).append(Coin(payment.denom, payment.units))
    return Transfer(
        tuple(
            Output(receiver, tuple(sorted(owed, key=lambda coin: coin.denom)))
            for receiver, owed in coins.items()
        )
    )
