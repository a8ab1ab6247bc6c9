"""The filters as conditions in SQL. Every value that somebody types becomes a bound parameter."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, LiteralString

from vaultsigner.audit.searching.filters import Filters, moment_text

_TARGET_KINDS = ("wallet", "exchange", "open_api")
# What filters look at. A member of another type, which no record of ours has, counts as absent.
MEMBERS = """{
  "time": "VARCHAR", "chain": "VARCHAR", "seq": "UBIGINT", "kind": "VARCHAR", "request_id": "VARCHAR",
  "principal": {"type": "VARCHAR", "name": "VARCHAR"}, "operation": "VARCHAR",
  "wallet": "VARCHAR", "exchange": "VARCHAR", "open_api": "VARCHAR", "code": "VARCHAR",
  "decision": {"effect": "VARCHAR", "rule": "VARCHAR"},
  "intent": {"amount": "VARCHAR", "items": [{"amount": "VARCHAR"}]}
}"""
_AMOUNTS = """try_cast(list_concat([r.intent.amount], list_transform(r.intent.items, lambda item: item.amount))
  AS DECIMAL(38, 18)[])"""
COLUMNS: dict[str, LiteralString] = {
    "time": "r.time",
    "chain": "r.chain",
    "seq": "r.seq",
    "kind": "r.kind",
    "request_id": "r.request_id",
    "principal_type": "r.principal.type",
    "principal_name": "r.principal.name",
    "operation": "r.operation",
    "wallet": "r.wallet",
    "exchange": "r.exchange",
    "open_api": "r.open_api",
    "code": "r.code",
    "effect": "r.decision.effect",
    "rule": "r.decision.rule",
    "most": f"list_max({_AMOUNTS})",
    "least": f"list_min({_AMOUNTS})",
}
"""What filters look at, of a record `r`."""
PLACE = "time || chain || lpad(seq::VARCHAR, 20, '0')"
"""Of a record among those of all chains, in the order of their times."""


def where(filters: Filters, parameters: dict[str, Any]) -> str:
    """The condition; its values are added to the parameters."""
    plain: dict[LiteralString, object] = {
        "time >= $since": filters.since and moment_text(filters.since),
        "time < $until": filters.until and moment_text(filters.until),
        "kind = $kind": filters.kind,
        "request_id = $request_id": filters.request_id,
        "operation GLOB $operation": filters.operation,
        "effect = $effect": filters.effect,
        "rule = $rule": filters.rule,
        "code = $code": filters.code,
        "most > $above::DECIMAL(38, 18)": _decimal(filters.amount_above),
        "least < $below::DECIMAL(38, 18)": _decimal(filters.amount_below),
    }
    conditions = [text for text, value in plain.items() if value is not None]
    for text, value in plain.items():
        if value is not None:
            parameters[text.rpartition("$")[2].partition(":")[0]] = value
    if filters.principal is not None:
        kind, colon, name = filters.principal.partition(":")
        conditions.append("principal_name = $principal")
        parameters["principal"] = name if colon else kind
        if colon:
            conditions.append("principal_type = $principal_type")
            parameters["principal_type"] = kind
    if filters.target is not None:
        kind, colon, name = filters.target.partition(":")
        known = [each for each in _TARGET_KINDS if not colon or each == kind]
        conditions.append(f"({' OR '.join(f'{each} = $target' for each in known) or 'false'})")
        if known:
            parameters["target"] = name if colon else kind
    return " AND ".join(conditions) or "true"


def hints(filters: Filters, parameters: dict[str, Any]) -> str:
    """What the line of every record that fits has in it, letter by letter, since records are canonical JSON: most lines need not
    be parsed to be passed over. Its values are added to the parameters.
    """
    conditions = []
    for number, texts in enumerate(_texts_within(filters)):
        names = [f"hint_{number}_{each}" for each in range(len(texts))]
        parameters.update(zip(names, texts, strict=True))
        conditions.append(f"({' OR '.join(f'contains(json, ${name})' for name in names)})")
    return " AND ".join(conditions) or "true"


def _texts_within(filters: Filters) -> Iterator[tuple[str, ...]]:
    """One text of each is in the line."""
    for name in ("kind", "request_id", "effect", "rule", "code"):
        value = getattr(filters, name)
        if value is not None:
            yield (_member(name, value),)
    if filters.operation is not None:
        literal = re.split(r"[*?\[\]\\]", filters.operation, maxsplit=1)[0]
        whole = literal == filters.operation
        yield (_member("operation", literal)[: None if whole else -1],)
    if filters.principal is not None:
        kind, colon, name = filters.principal.partition(":")
        yield (f'"principal":{{{_member("name", name if colon else kind)}',)
    if filters.target is not None:
        kind, colon, name = filters.target.partition(":")
        if kinds := [each for each in _TARGET_KINDS if not colon or each == kind]:
            yield tuple(_member(each, name if colon else kind) for each in kinds)


def _member(name: str, value: str) -> str:
    return f'"{name}":{json.dumps(value)}'


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
