"""YAML that reads one way only: plain values, each with its place in the file, or a list of what is wrong and where.

YAML's own comforts are refused because people and parsers read them differently: anchors, tags, merge keys, several
documents, duplicate keys, and plain words that YAML 1.1 or 1.2 would quietly turn into something else than text
(`010`, `1_000`, `12:30:45`, `yes`, `~`). Problems never quote a value that is long or lies under a secret's name.
"""

from typing import Any

import yaml

from vaultsigner.strict_yaml.builder import TreeBuilder
from vaultsigner.strict_yaml.document import (
    SECRET_KEYS,
    Document,
    Position,
    UnreadableError,
    YamlPath,
    YamlProblem,
    YamlValue,
    is_plain_name,
    names_secret,
    shown_key,
)
from vaultsigner.strict_yaml.text import check_text, syntax_problem

__all__ = [
    "SECRET_KEYS",
    "Document",
    "Position",
    "YamlPath",
    "YamlProblem",
    "YamlValue",
    "is_plain_name",
    "names_secret",
    "parse",
    "shown_key",
]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML was built with it; the same events eight times slower where not."""


def parse(
    data: bytes, *, max_bytes: int, max_depth: int = 20, date_keys: frozenset[str] = frozenset()
) -> Document:
    """Read one YAML document strictly, in time that grows with its size only.

    Args:
        data: the file as it is; UTF-8 without byte order mark.
        max_bytes: longer data are refused unread.
        max_depth: how deep lists and mappings may lie in one another.
        date_keys: under which a date without quotes is what was meant; it is read as text.
    """
    builder = TreeBuilder(max_depth, date_keys)
    try:
        check_text(data, max_bytes)
        builder.build(yaml.parse(data, Loader=_LOADER))
    except UnreadableError as stop:
        builder.document.problems.append(stop.problem)
        builder.document.complete = False
    except yaml.YAMLError as error:
        builder.document.problems.append(syntax_problem(error, data))
        builder.document.complete = False
    return builder.document
