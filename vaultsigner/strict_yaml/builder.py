"""From parser events to plain values with places."""

from collections.abc import Iterable
from typing import Any

import yaml

from vaultsigner.strict_yaml.document import (
    Document,
    Position,
    UnreadableError,
    YamlPath,
    YamlProblem,
    YamlValue,
    names_secret,
    shown_key,
)
from vaultsigner.strict_yaml.scalars import read_plain
from vaultsigner.strict_yaml.text import ODD_CHARACTER

_MAX_PROBLEMS = 200


class _Frame:
    """An open list or mapping. `key` is the key whose value comes next."""

    __slots__ = ("container", "key", "path", "repeated")

    def __init__(self, container: list[YamlValue] | dict[str, YamlValue], path: YamlPath) -> None:
        self.container = container
        self.path = path
        self.key: str | None = None
        self.repeated = False
        """True while the value of a repeated key is read: it is checked and then dropped."""


class TreeBuilder:
    """Builds the tree from parser events with a stack of its own: nesting costs no Python recursion."""

    def __init__(self, max_depth: int, date_keys: frozenset[str] = frozenset()) -> None:
        self.document = Document()
        self._date_keys = date_keys
        self._max_depth = max_depth
        self._frames: list[_Frame] = []
        self._documents = 0

    def build(self, events: Iterable[Any]) -> None:
        """Take every event; raises UnreadableError where going on makes no sense."""
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open(event, {})
            elif kind is yaml.SequenceStartEvent:
                self._open(event, [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._frames.pop()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._start_document(event)

    def _start_document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(event, "a second document begins here", "keep one document in a file; remove the ---")
        if event.version or event.tags:
            self._stop(event, "a % directive", "remove it: the file is read as plain YAML without directives")

    def _scalar(self, event: Any) -> None:
        if self._awaits_key():
            self._key(event, self._frames[-1])
            return
        path = self._next_path()
        self._refuse_decoration(event, path)
        value: YamlValue = event.value
        if event.implicit[0]:
            value = self._plain(event, path)
        self._check_characters(event, path)
        self._place(event, path, value)

    def _plain(self, event: Any, path: YamlPath) -> YamlValue:
        dates = bool(path) and path[-1] in self._date_keys
        value, complaint = read_plain(event.value, quotable=not names_secret(path), dates=dates)
        if complaint is not None:
            self._problem(event, path, complaint.message, complaint.hint)
        elif event.start_mark.line != event.end_mark.line:
            hint = "put it in quotes, on one line"
            self._problem(event, path, "text without quotes runs over several lines", hint)
        return value

    def _key(self, event: Any, frame: _Frame) -> None:
        key = str(event.value)
        path = (*frame.path, key)
        self._refuse_decoration(event, path)
        if event.implicit[0] and key == "<<":
            self._problem(event, path, "a merge key (<<)", "write the keys out; nothing is merged")
        elif event.implicit[0] and not _is_text(key):
            self._problem(event, path, "a key that YAML does not read as text", "put the key in quotes")
        self._check_characters(event, path)
        frame.key = key
        frame.repeated = isinstance(frame.container, dict) and key in frame.container
        first = self.document.keys.setdefault(path, _position(event))
        if frame.repeated:
            message = f"{shown_key(key, frame.path)} is there twice; the first is in line {first.line}"
            self._problem(event, path, message, "keep one of the two")

    def _open(self, event: Any, container: list[YamlValue] | dict[str, YamlValue]) -> None:
        if self._awaits_key():
            self._stop(event, "a key must be text, not a list or a mapping", "write a plain name as key")
        path = self._next_path()
        self._refuse_decoration(event, path)
        if len(self._frames) >= self._max_depth:
            message = f"lists and mappings lie more than {self._max_depth} deep"
            self._stop(event, message, "nothing here needs such depth; check brackets and indentation")
        self._place(event, path, container)
        self._frames.append(_Frame(container, path))

    def _alias(self, event: Any) -> None:
        if self._awaits_key():
            self._stop(event, "a key must be text, not an alias", "write a plain name as key")
        path = self._next_path()
        hint = 'write the value out; a star of its own is written "*" in quotes'
        self._problem(event, path, "an alias (*)", hint)
        self._place(event, path, None)

    def _awaits_key(self) -> bool:
        frame = self._frames[-1] if self._frames else None
        return frame is not None and frame.key is None and isinstance(frame.container, dict)

    def _next_path(self) -> YamlPath:
        if not self._frames:
            return ()
        frame = self._frames[-1]
        step = len(frame.container) if isinstance(frame.container, list) else frame.key
        return frame.path if step is None else (*frame.path, step)

    def _place(self, event: Any, path: YamlPath, value: YamlValue) -> None:
        self.document.values.setdefault(path, _position(event))
        if not self._frames:
            self.document.value = value
            return
        frame = self._frames[-1]
        if isinstance(frame.container, list):
            frame.container.append(value)
        elif frame.key is not None:
            if not frame.repeated:
                frame.container[frame.key] = value
            frame.key = None

    def _refuse_decoration(self, event: Any, path: YamlPath) -> None:
        if event.anchor is not None:
            self._problem(event, path, "an anchor (&)", "remove it; write values out where they are needed")
        if event.tag is not None:
            self._problem(event, path, "a tag (!)", "remove it; for text use quotes")

    def _check_characters(self, event: Any, path: YamlPath) -> None:
        if ODD_CHARACTER.search(event.value) is not None:
            self._problem(event, path, "a control or invisible character", "leave such characters out")

    def _problem(self, event: Any, path: YamlPath, message: str, hint: str) -> None:
        if len(self.document.problems) >= _MAX_PROBLEMS:
            self._stop(event, "too many problems; reading stopped here", "mend the ones above first")
        self.document.problems.append(YamlProblem(path, _position(event), message, hint))

    def _stop(self, event: Any, message: str, hint: str) -> None:
        raise UnreadableError(_position(event), message, hint)


def _is_text(word: str) -> bool:
    value, complaint = read_plain(word, quotable=False)
    return complaint is None and isinstance(value, str)


def _position(event: Any) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1)
