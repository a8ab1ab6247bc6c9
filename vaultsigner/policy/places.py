"""Where rules, lists and groups stand in their files. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vaultsigner.strict_yaml import Document, YamlPath, YamlValue


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, as people and editors write it; both numbers count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def place_in(file: str, document: Document, path: YamlPath) -> Place:
    """Where the value at a path stands; what is not written there stands where its nearest parent does."""
    for depth in range(len(path), -1, -1):
        found = document.values.get(path[:depth])
        if found is not None:
            return Place(file, found.line, found.column)
    return Place(file, 1, 1)


class Places:
    """The places of everything in the files of one set, for those who check it: as large as the files, so nobody else keeps it.

    Args:
        files: the name of each file for messages, and what it says; all of them usable.
    """

    def __init__(self, files: Sequence[tuple[str, Document]]) -> None:
        self._rules: dict[str, tuple[str, Document, YamlPath]] = {}
        self._names: dict[str, tuple[str, Document, YamlPath]] = {}
        for file, document in files:
            tree = document.value if isinstance(document.value, dict) else {}
            rules = tree.get("rules")
            for index, entry in enumerate(rules if isinstance(rules, list) else ()):
                if isinstance(entry, dict):
                    self._rules[str(entry.get("id"))] = (file, document, ("rules", index))
            for section, mark in (("lists", "$"), ("groups", "group:")):
                named = tree.get(section)
                for name in named if isinstance(named, dict) else ():
                    self._names[f"{mark}{name}"] = (file, document, (section, name))

    def of(self, rule: str, member: YamlPath = ()) -> Place | None:
        """Where a member of a rule stands, or the nearest thing around it; None where there is no such rule."""
        if rule not in self._rules:
            return None
        file, document, path = self._rules[rule]
        return place_in(file, document, (*path, *member))

    def of_text(self, rule: str, text: str, member: YamlPath = ()) -> Place | None:
        """Where a text stands in a member of a rule, or in a list or a group that is named there; the member's place if nowhere.

        Args:
            rule: its id.
            text: an entry, letter by letter.
            member: where to look, such as `("when", "side")`.
        """
        if rule not in self._rules:
            return None
        file, document, path = self._rules[rule]
        path = (*path, *member)
        for leaf, value in _leaves(_at(document.value, path), path):
            if value == text:
                return place_in(file, document, leaf)
            named = self._names.get(value)
            if named is not None:
                for entry, word in _leaves(_at(named[1].value, named[2]), named[2]):
                    if word == text:
                        return place_in(named[0], named[1], entry)
        return place_in(file, document, path)


def _at(tree: YamlValue, path: YamlPath) -> YamlValue:
    for step in path:
        if isinstance(tree, dict):
            tree = tree.get(str(step))
        elif isinstance(tree, list) and isinstance(step, int):
            tree = tree[step] if step < len(tree) else None
        else:
            return None
    return tree


def _leaves(tree: YamlValue, path: YamlPath) -> Iterator[tuple[YamlPath, str]]:
    """Every text below a place, in the order of the file."""
    if isinstance(tree, str):
        yield path, tree
    elif isinstance(tree, list):
        for index, entry in enumerate(tree):
            yield from _leaves(entry, (*path, index))
    elif isinstance(tree, dict):
        for name, value in tree.items():
            yield from _leaves(value, (*path, name))
