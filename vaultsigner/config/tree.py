"""Walks a configuration as it was read, before any model, past whatever has the wrong type."""

from collections.abc import Iterator, Mapping

from vaultsigner.config.report import Report
from vaultsigner.strict_yaml import YamlPath, YamlValue

Entry = Mapping[str, YamlValue]


def entries(value: YamlValue) -> Iterator[tuple[int, Entry]]:
    """The mappings in a list, with their places."""
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, dict):
            yield index, entry


def texts(value: YamlValue) -> Iterator[tuple[int, str]]:
    """The texts in a list, with their places."""
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, str):
            yield index, entry


def named(value: YamlValue) -> dict[str, Entry]:
    """The mappings in a mapping."""
    found = value if isinstance(value, dict) else {}
    return {name: entry for name, entry in found.items() if isinstance(entry, dict)}


def check_unique(name: YamlValue, index: int, first: dict[str, int], path: YamlPath, report: Report) -> None:
    """Tell of a name that an earlier entry of its list has.

    Args:
        name: it, if it is text.
        index: of its entry.
        first: the names so far, with where each stood first; this one is added.
        path: of the name.
        report: takes what is wrong.
    """
    if isinstance(name, str) and first.setdefault(name, index) != index:
        report.add(path, f"entry [{first[name]}] of this list has this name already", "keep each name once")
