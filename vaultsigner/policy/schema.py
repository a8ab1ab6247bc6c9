"""JSON Schema of policy files, for editors: they complete words and mark mistakes while a rule is written."""

from typing import Any

from vaultsigner.policy.document import PolicyModel

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of one file. It knows shapes and words; what needs other files, such as lists, only `policy check` knows."""
    schema: dict[str, Any] = PolicyModel.model_json_schema()
    _tidy(schema)
    return {"$schema": _DIALECT, "title": "vaultsigner policies, format version 1", **schema}


def _tidy(node: Any) -> None:
    """Leaves out what only the models need: names of their classes, and defaults in their own form."""
    if isinstance(node, list):
        for entry in node:
            _tidy(entry)
    elif isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        if not isinstance(node.get("default", ""), str):
            del node["default"]
        if node.get("anyOf", [{}])[-1] == {"type": "null"}:
            node.update(node.pop("anyOf")[0])
        for member in node.values():
            _tidy(member)
