"""Pages of the site out of our own OpenAPI document: a page for each family of calls, one for errors, one for objects. Pure."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

Object = dict[str, Any]
ERRORS, OBJECTS, DOCUMENT = "api/errors.md", "api/objects.md", "api/openapi.json"
_LONGEST_EXAMPLE = 4000


class ApiPages:
    """Makes the pages of one document.

    Args:
        document: OpenAPI 3.1; its references lead into itself.
    """

    def __init__(self, document: Object) -> None:
        self._document = document
        self._tags: dict[str, list[tuple[str, str, Object]]] = defaultdict(list)
        for path, item in document["paths"].items():
            for method, operation in item.items():
                self._tags[operation["tags"][0]].append((method.upper(), path, operation))

    def pages(self) -> dict[str, str]:
        """Markdown by the page's place in the site."""
        families = {_place(tag): self._family(tag) for tag in self._tags}
        return {**families, ERRORS: self._errors(), OBJECTS: self._objects()}

    def document(self) -> str:
        """The document itself, for programs that make clients of it."""
        return json.dumps(self._document, indent=2, ensure_ascii=False)

    def titles(self) -> list[tuple[str, str]]:
        """Titles and places, in the order of the document."""
        return [*((tag, _place(tag)) for tag in self._tags), ("Errors", ERRORS), ("Objects", OBJECTS)]

    def index(self) -> str:
        """Every call in a table, with its link; for the page `api.md`."""
        lines = ["| call | |", "| --- | --- |"]
        for tag, operations in self._tags.items():
            for method, path, operation in operations:
                link = f"{_place(tag)}#{operation['operationId']}"
                lines.append(f"| [`{method} {path}`]({link}) | {_cell(operation['summary'])} |")
        return "\n".join(lines)

    def _family(self, tag: str) -> str:
        parts = [f"# {tag}"]
        for method, path, operation in self._tags[tag]:
            parts += self._operation(method, path, operation)
        return "\n\n".join(parts) + "\n"

    def _operation(self, method: str, path: str, operation: Object) -> Iterator[str]:
        yield f"## `{method} {path}` {{ #{operation['operationId']} }}"
        yield f"**{_text(operation['summary'])}.** {_text(operation['description'])}"
        yield _who(operation["security"])
        if parameters := [self._at(each) for each in operation["parameters"]]:
            yield _table(
                ("parameter", "where", ""),
                [
                    (
                        f"`{each['name']}`",
                        each["in"] + (", required" if each.get("required") else ""),
                        each.get("description", ""),
                    )
                    for each in parameters
                ],
            )
        if "requestBody" in operation:
            yield "### What is sent { #" + operation["operationId"] + "-request }"
            for kind, content in operation["requestBody"]["content"].items():
                yield from self._content(kind, content)
        yield "### What comes back { #" + operation["operationId"] + "-answer }"
        yield from self._answers(operation["responses"])

    def _answers(self, responses: Object) -> Iterator[str]:
        errors = []
        for status, response in responses.items():
            if status.startswith("2"):
                yield f"**{status}** {_text(response['description'])}"
                for kind, content in response.get("content", {}).items():
                    yield from self._content(kind, content)
                continue
            codes = [
                name
                for content in response.get("content", {}).values()
                for name in map(_code, content.get("examples", {}).values())
                if name
            ]
            told = ", ".join(f"[`{code}`](errors.md#{code})" for code in dict.fromkeys(codes))
            errors.append((status, told or _text(response["description"])))
        if errors:
            yield _table(("otherwise", ""), errors, escaped=True)

    def _content(self, kind: str, content: Object) -> Iterator[str]:
        schema = content.get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        yield f"`{kind}`" + (f": [{name}](objects.md#{name})" if name else "")
        for title, example in content.get("examples", {}).items():
            value = self._at(example).get("value")
            text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
            if len(text) <= _LONGEST_EXAMPLE:
                heading = title.replace("_", " ")
                yield f"{heading.capitalize()}:" if heading not in ("answer", "") else "For example:"
                yield f"```json\n{text}\n```"

    def _errors(self) -> str:
        examples = self._document["components"]["examples"]
        statuses: dict[str, set[str]] = defaultdict(set)
        for operations in self._tags.values():
            for _, _, operation in operations:
                for status, response in operation["responses"].items():
                    for content in response.get("content", {}).values():
                        for example in content.get("examples", {}).values():
                            if code := _code(example):
                                statuses[code].add(status)
        parts = [
            "# Errors",
            "What went wrong is told in `code`; `message` says what to do about it. See [API](../api.md).",
        ]
        for code in sorted(statuses):
            body = json.dumps(examples[code]["value"], indent=2, ensure_ascii=False)
            parts += [
                f"## `{code}` {{ #{code} }}",
                f"HTTP {', '.join(sorted(statuses[code]))}",
                f"```json\n{body}\n```",
            ]
        return "\n\n".join(parts) + "\n"

    def _objects(self) -> str:
        parts = ["# Objects", "What calls take and answer. A member with a star must be there."]
        for name, schema in self._document["components"]["schemas"].items():
            parts.append(f"## `{name}` {{ #{name} }}")
            if schema.get("description"):
                parts.append(_text(schema["description"]))
            rows = list(self._members(schema))
            parts.append(
                _table(("member", "type", ""), rows, escaped=True) if rows else f"Type: {self._type(schema)}"
            )
        return "\n\n".join(parts) + "\n"

    def _members(self, schema: Object, before: str = "") -> Iterator[tuple[str, str, str]]:
        """A row for each member, those of members that are objects themselves behind them."""
        for name, member in schema.get("properties", {}).items():
            star = "*" if name in schema.get("required", ()) else ""
            limits = ", ".join(f"`{each}`" for each in member.get("enum", ()))
            told = _cell(
                " ".join(filter(None, (member.get("description"), f"One of {limits}." if limits else "")))
            )
            yield f"`{before}{name}`{star}", self._type(member), told
            inner = member.get("items", member) if isinstance(member.get("items", member), dict) else {}
            if "$ref" not in inner:
                yield from self._members(inner, f"{before}{name}{'[]' if 'items' in member else ''}.")

    def _type(self, schema: Object) -> str:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return f"[{name}](#{name})"
        for several in ("oneOf", "anyOf", "allOf"):
            if several in schema:
                return " or ".join(dict.fromkeys(self._type(each) for each in schema[several]))
        if isinstance(schema.get("items"), dict):
            return f"list of {self._type(schema['items'])}"
        kind = schema.get("type", "any")
        return " or ".join(kind) if isinstance(kind, list) else str(kind)

    def _at(self, described: Object) -> Object:
        """What a reference leads to; anything else as it is."""
        if "$ref" not in described:
            return described
        found: Any = self._document
        for step in described["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        return dict(found)


def _place(tag: str) -> str:
    return f"api/{re.sub(r'[^a-z0-9]+', '-', tag.lower())}.md"


def _code(example: Object) -> str | None:
    reference = example.get("$ref", "")
    return reference.rpartition("/")[2] or None


def _who(security: list[Object]) -> str:
    if not security:
        return "Asked without showing who asks."
    names = dict.fromkeys(name for each in security for name in each)
    ways = {
        "access_token": "an access token (`Authorization: Bearer …`)",
        "signed_request": "a signed request (`X-MBX-APIKEY`)",
        "open_api_token": "an Open API token (`X-Mp-Open-Api-Token`)",
        "partner_signature": "the partner's signature",
    }
    told = " or ".join(ways.get(name, f"`{name}`") for name in names)
    return f"Who asks: {told}{', or nobody in particular where the exchange wants none' if {} in security else ''}."


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, escaped: bool = False) -> str:
    shown = rows if escaped else [tuple(map(_cell, row)) for row in rows]
    lines = [head, tuple("---" for _ in head), *shown]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """In one line; a bar would end the cell."""
    return " ".join(_text(text).split()).replace("|", "&#124;" if "`" not in text else r"\|")


def _text(text: str) -> str:
    """Prose with code in backticks; everything else that could be markup is shown as it stands."""
    parts = text.split("`")
    parts[::2] = [part.replace("&", "&amp;").replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)
