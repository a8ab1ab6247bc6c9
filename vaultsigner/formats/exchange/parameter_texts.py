"""Values of JSON as the texts that stand in parameters."""

import json

from vaultsigner.strict_json import JsonDocument, JsonNumber


def text_of(value: JsonDocument) -> str | None:
    """A text as it is, a number in its own characters, true or false, lists and objects as compact JSON; None for null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else _compact(value)


def _compact(value: JsonDocument) -> str:
    """JSON without blanks, as Binance's own connectors write lists; numbers keep their characters (never a float)."""
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(map(_compact, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_compact(name)}:{_compact(member)}' for name, member in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)
