"""Which metrics and labels PromQL expressions name: no parser, but enough of one for our own files; the rest it refuses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<range>\[[^\]]*\])|(?P<number>[0-9][0-9.eE+]*[smhd]?)"""
    r"""|(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)|(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){},=<>]))"""
)
_WORDS = frozenset(
    {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool"}
)
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
FOREIGN_LABELS = frozenset({"instance", "job"})
"""Prometheus adds these to every series; those of histograms have `le` by themselves."""


@dataclass(frozen=True)
class Named:
    """What an expression names: its metrics, each with the labels that are compared, and the labels it groups by."""

    metrics: Mapping[str, frozenset[str]]
    groups: frozenset[str]


def named(expression: str) -> Named:
    """What an expression names.

    Raises:
        ValueError: it has something in it that is not understood here.
    """
    tokens = list(_tokens(expression))
    metrics: dict[str, frozenset[str]] = {}
    groups: set[str] = set()
    at = 0
    while at < len(tokens):
        kind, text = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind == "name" and text in _GROUPING:
            if following == "(":
                end = _closing(tokens, at + 1, "(", ")")
                groups |= {word for sort, word in tokens[at + 2 : end] if sort == "name"}
                at = end
        elif kind == "name" and text not in _WORDS and following != "(" and not _groups(tokens, at):
            end = _closing(tokens, at + 1, "{", "}") if following == "{" else at
            metrics[text] = metrics.get(text, frozenset()) | _compared(tokens[at + 1 : end])
            at = end
        at += 1
    return Named(metrics, frozenset(groups))


def _groups(tokens: list[tuple[str, str]], at: int) -> bool:
    """Whether it is an aggregation, whose grouping stands before its parentheses: `sum by (le) (…)`."""
    return at + 1 < len(tokens) and tokens[at + 1][1] in ("by", "without") and tokens[at][1].islower()


def _compared(tokens: list[tuple[str, str]]) -> frozenset[str]:
    return frozenset(text for kind, text in tokens if kind == "name")


def _closing(tokens: list[tuple[str, str]], start: int, opens: str, closes: str) -> int:
    depth = 0
    for at in range(start, len(tokens)):
        depth += (tokens[at][1] == opens) - (tokens[at][1] == closes)
        if not depth:
            return at
    raise ValueError(f"no {closes}")


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    # Grafana's own variables stand where durations do, or inside of strings.
    text, at = expression.replace("$__rate_interval", "5m").strip(), 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise ValueError(f"not understood: {text[at:]}")
        at = found.end()
        if found.lastgroup != "range":
            yield found.lastgroup, found[found.lastgroup]
