"""What a record says in a few columns: a row for spreadsheets."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = (
    "time",
    "chain",
    "seq",
    "kind",
    "request_id",
    "principal",
    "ip",
    "operation",
    "target",
    "effect",
    "rule",
    "code",
    "status",
    "amount",
    "what",
)
_TARGET_KINDS = ("wallet", "exchange", "open_api")
# A spreadsheet takes a text that begins so for a formula, the wide forms in some languages; callers choose some of the texts.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def row_of(line: str | bytes) -> dict[str, str]:
    """What a record's line says, column by column; empty where it says nothing. A line that is no record is in `what`."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        return {**dict.fromkeys(COLUMNS, ""), "what": f"no record: {text[:80]}"}
    principal, decision = _object(record, "principal"), _object(record, "decision")
    target = next(((kind, record[kind]) for kind in _TARGET_KINDS if record.get(kind)), None)
    plain = {name: _text(record.get(name)) for name in COLUMNS}
    return {
        **plain,
        "principal": f"{_text(principal.get('type'))}:{_text(principal.get('name'))}" if principal else "",
        "target": f"{target[0]}:{_text(target[1])}" if target else "",
        "effect": _text(decision.get("effect")),
        "rule": _text(decision.get("rule")),
        "amount": " + ".join(_amounts(_object(record, "intent"))),
        "what": _what(record, decision),
    }


def csv_lines(lines: Iterator[str]) -> Iterator[str]:
    """A head, then a line for each record, each with its end."""
    yield _csv(COLUMNS)
    for line in lines:
        row = row_of(line)
        yield _csv([_cell(row[name]) for name in COLUMNS])


def _cell(text: str) -> str:
    """Nothing that a spreadsheet would compute, and nothing that a terminal would obey."""
    shown = f"'{text}" if text.startswith(_FORMULA) else text
    return (
        shown if shown.isprintable() else "".join(sign if sign.isprintable() else "\ufffd" for sign in shown)
    )


def _csv(values: tuple[str, ...] | list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def _what(record: Mapping[str, Any], decision: Mapping[str, Any]) -> str:
    match record.get("kind"):
        case "intent":
            return _text(decision.get("reason"))
        case "control":
            return f"{_text(record.get('event'))} {_text(record.get('details'))}"
        case "checkpoint":
            return f"signed: records 1 to {_text(record.get('tree_size'))}"
        case "dispatch":
            result = _text(record.get("result"))
            return f"{_text(record.get('node') or record.get('host'))}: {result} {_text(record.get('answer'))}".rstrip()
    return _text(record.get("reason"))


def _amounts(intent: Mapping[str, Any]) -> Iterator[str]:
    items = intent.get("items")
    for item in items if isinstance(items, list) else [intent]:
        if isinstance(item, dict) and "amount" in item:
            yield f"{_text(item['amount'])} {_text(item.get('symbol'))}".rstrip()


def _object(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
