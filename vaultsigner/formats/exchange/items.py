"""The items of an intent: what each order of a request is, in the fields that policy asks for."""

import hashlib
import re
from collections.abc import Mapping

from vaultsigner.domain.names import JsonValue
from vaultsigner.formats.exchange.endpoint import Endpoint, Fields, Leg
from vaultsigner.formats.exchange.field_values import LONGEST, one_spelling
from vaultsigner.formats.exchange.notional import notional_of
from vaultsigner.formats.exchange.parameter_names import PRIVATE
from vaultsigner.strict_json import JsonDocument, MalformedJsonError, parse

Item = dict[str, JsonValue]
Texts = Mapping[str, str]

_ACCOUNT = "(MAIN|UMFUTURE|CMFUTURE|MARGIN|ISOLATEDMARGIN|ISOLATED_MARGIN|FUNDING|OPTION|MINING|C2C|PAY|PORTFOLIO_MARGIN)"
_UNIVERSAL = re.compile(f"{_ACCOUNT}_{_ACCOUNT}")
"""Wallet, "User Universal Transfer": the kinds of transfer."""
_QUOTED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def read_items(row: Endpoint, parameters: Texts) -> tuple[Item, ...] | None:
    """One item for each thing that would be done; None where policy could not see all of it.

    That is: a parameter that the row does not know, two parameters for one field, a value that an exchange may read otherwise
    (of all this, queries and listen keys may have any), a list that cannot be read to the end, an order list without one of its
    orders.
    """
    if row.batch:
        return _of_batch(row, parameters)
    if row.legs:
        return _of_legs(row, parameters)
    item = _item(row, row.fields, parameters, strict=row.takes_only_what_it_lists)
    return None if item is None else (item,)


def _of_batch(row: Endpoint, parameters: Texts) -> tuple[Item, ...] | None:
    around = {name: value for name, value in parameters.items() if name != row.batch}
    orders = orders_in(row, parameters.get(row.batch, ""))
    # What stands beside the list may be a default of its orders to whom it pleases, and nothing to the exchange.
    if (
        not orders
        or not around.keys() <= row.fields.keys()
        or any(name in around for one in orders for name in one)
    ):
        return None
    known = {**{name: field for name, field in row.fields.items() if name != row.batch}, **row.members}
    items = [_item(row, known, {**around, **order}, strict=True) for order in orders]
    found = tuple(item for item in items if item is not None)
    return found if len(found) == len(items) else None


def orders_in(row: Endpoint, text: str) -> list[dict[str, str]]:
    """The orders of a batch's JSON list; none at all where anything in it is no order, or where there are too many."""
    # Counted before anything is read: whoever asks may be nobody yet, and 20,000 empty orders take long.
    bare = _QUOTED.sub("", text)
    if bare.count("{") > row.most or bare.count(",") > row.most * (len(row.members) + 1):
        return []
    try:
        document = parse(text.encode("utf-8"))
    except MalformedJsonError:
        return []
    if not isinstance(document, list) or len(document) > row.most:
        return []
    orders = [_order(element) for element in document]
    found = [order for order in orders if order is not None]
    return found if len(found) == len(orders) else []


def _order(element: JsonDocument) -> dict[str, str] | None:
    if not isinstance(element, dict):
        return None
    order: dict[str, str] = {}
    for name, value in element.items():
        if not isinstance(value, bool | str):
            return None
        order[name] = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return order


def _of_legs(row: Endpoint, parameters: Texts) -> tuple[Item, ...] | None:
    of_legs = row.parameters_of_legs
    around = {name: value for name, value in parameters.items() if name not in of_legs}
    items: list[Item] = []
    for leg in row.legs:
        known = {**row.fields, **leg.shared, **leg.fields}
        if leg.key in parameters:
            mine = {name: value for name, value in parameters.items() if name in known and name not in around}
            item = _item(row, known, {**around, **mine}, strict=True, leg=leg)
            if item is None:
                return None
            items.append(item)
        elif not leg.optional or not leg.fields.keys().isdisjoint(parameters):
            return None
    return tuple(items)


def _item(
    row: Endpoint, known: Fields, values: Texts, *, strict: bool, leg: Leg | None = None
) -> Item | None:
    item: Item = {"endpoint": row.name, "method": row.method, **row.fixed}
    rest: dict[str, JsonValue] = {}
    for name, value in values.items():
        if strict and name not in known:
            return None
        field = known.get(name)
        text = None if field is None else one_spelling(field, value)
        if field is not None and text is not None and field not in item:
            item[field] = text
        elif field == "client_order_id" and text is not None:
            item[field] = f"{item[field]},{text}"
        elif field is not None and strict:
            return None
        else:
            rest[name] = shown(name, value)
    if row.says_both_accounts in values:
        item |= both_accounts(values[row.says_both_accounts])
    if leg is not None and leg.type is not None:
        item["type"] = leg.type_with_price if leg.type_with_price and "price" in item else leg.type
    notional = notional_of(row.notional, item, rest.items())
    if notional is not None:
        item["notional"] = notional
    if rest:
        item["parameters"] = rest
    return item


def both_accounts(kind: str) -> dict[str, str]:
    """`from_account` and `to_account` of a universal transfer; none where the kind is not known."""
    found = _UNIVERSAL.fullmatch(kind)
    return {"from_account": found[1], "to_account": found[2]} if found else {}


def shown(name: str, value: str) -> str:
    """A parameter's value as a record has it; its SHA-256 where it is private or long: approvals are bound to it all the same."""
    if name not in PRIVATE and len(value) <= LONGEST:
        return value
    return f"sha256:{hashlib.sha256(value.encode('utf-8')).hexdigest()}"
