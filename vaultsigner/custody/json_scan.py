"""Finds members of a JSON document that lies in a buffer, without making an object of anything in it.

A parser would leave a `str` of the key behind; this gives positions only. The structure is walked strictly and to the end
(RFC 8259), so that a document which two parsers could read differently is refused.
"""

import json
import re
from collections.abc import Mapping
from typing import Union

from vaultsigner.errors import VaultsignerError

Span = tuple[int, int]
Wanted = Mapping[str, Union["Wanted", None]]
"""A tree of member names; None marks a value whose place is wanted."""

MAX_DEPTH = 32

_BLANK = rb"[ \t\n\r]*+"
_STRING = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_SCALAR = re.compile(rb"(?:" + _STRING + rb"|" + _NUMBER + rb"|true|false|null)")
_NAME = re.compile(_BLANK + rb"(" + _STRING + rb")" + _BLANK + rb":" + _BLANK)
_AFTER_VALUE = re.compile(_BLANK + rb"([,}\]])")
_BLANKS = re.compile(_BLANK)
_OBJECT, _ARRAY = b"{[]"[:2]
_COMMA, _END_OBJECT, _END_ARRAY = b",}]"


class JsonScanError(VaultsignerError):
    """The document is not the JSON that it should be. The message holds a position, never a part of the document."""


def find(document: memoryview, wanted: Wanted) -> dict[tuple[str, ...], Span]:
    """Where the wanted values lie, by their path. What the document does not have is left out.

    Args:
        document: the whole document and nothing else.
        wanted: the tree of names to look for, e.g. `{"data": {"data": {"private_key": None}}}`.

    Raises:
        JsonScanError: it is not one JSON object, nests more than 32 deep, or has a wanted name twice in one object.
    """
    return _Walk(document, wanted).found


def text_of(document: memoryview, span: Span) -> Span | None:
    """The inside of a text value, as it is written; None for everything else."""
    start, end = span
    if end - start < 2 or document[start] != ord('"'):
        return None
    return start + 1, end - 1


def has_escapes(text: memoryview) -> bool:
    """Whether anything in the inside of a text value stands for something else than itself."""
    return _BACKSLASH.search(text) is not None


_BACKSLASH = re.compile(rb"\\")


class _Walk:
    def __init__(self, document: memoryview, wanted: Wanted) -> None:
        self._document = document
        self.found: dict[tuple[str, ...], Span] = {}
        start = self._after(_BLANKS, 0)
        if start == len(document) or document[start] != _OBJECT:
            raise JsonScanError("the document is no JSON object")
        end = self._object(start, wanted, ())
        if self._after(_BLANKS, end) != len(document):
            raise JsonScanError(f"something follows the document at byte {end}")

    def _object(self, start: int, wanted: Wanted, path: tuple[str, ...]) -> int:
        """Walks the object whose brace is at `start`; the position after it."""
        self._check_depth(path)
        position = self._empty_end(start, _END_OBJECT)
        if position:
            return position
        position, seen = start + 1, set()
        while True:
            name, position = self._name(position)
            value_start = position
            inner: Wanted | None = {}
            if name in wanted:
                if name in seen:
                    raise JsonScanError(f"member {'.'.join((*path, name))} stands twice")
                seen.add(name)
                inner = wanted[name]
            position = self._value(position, inner or {}, (*path, name))
            if inner is None:
                self.found[*path, name] = (value_start, position)
            position, mark = self._separator(position)
            if mark == _END_OBJECT:
                return position
            if mark != _COMMA:
                raise JsonScanError(f"an object is not closed at byte {position}")

    def _array(self, start: int, path: tuple[str, ...]) -> int:
        self._check_depth(path)
        position = self._empty_end(start, _END_ARRAY)
        if position:
            return position
        position, inside = start + 1, (*path, "[]")
        while True:
            position = self._value(self._after(_BLANKS, position), {}, inside)
            position, mark = self._separator(position)
            if mark == _END_ARRAY:
                return position
            if mark != _COMMA:
                raise JsonScanError(f"an array is not closed at byte {position}")

    def _value(self, start: int, wanted: Wanted, path: tuple[str, ...]) -> int:
        first = self._document[start] if start < len(self._document) else 0
        if first == _OBJECT:
            return self._object(start, wanted, path)
        if first == _ARRAY:
            return self._array(start, path)
        match = _SCALAR.match(self._document, start)
        if match is None:
            raise JsonScanError(f"no JSON value at byte {start}")
        return match.end()

    def _name(self, position: int) -> tuple[str, int]:
        match = _NAME.match(self._document, position)
        if match is None:
            raise JsonScanError(f"no member name at byte {position}")
        start, end = match.span(1)
        raw = bytes(self._document[start:end])  # names are not secret
        try:
            # A name may be written with escapes: b"d\u0061ta" is the member data, to every parser.
            name = json.loads(raw) if b"\\" in raw else raw[1:-1].decode()
        except ValueError:
            raise JsonScanError(f"a member name is not UTF-8 at byte {start}") from None
        return name, match.end()

    def _separator(self, position: int) -> tuple[int, int]:
        match = _AFTER_VALUE.match(self._document, position)
        if match is None:
            raise JsonScanError(f"a value is not followed by a comma or a bracket at byte {position}")
        return match.end(), self._document[match.end() - 1]

    def _empty_end(self, start: int, closing: int) -> int:
        position = self._after(_BLANKS, start + 1)
        empty = position < len(self._document) and self._document[position] == closing
        return position + 1 if empty else 0

    def _after(self, pattern: re.Pattern[bytes], position: int) -> int:
        match = pattern.match(self._document, position)
        return match.end() if match else position

    @staticmethod
    def _check_depth(path: tuple[str, ...]) -> None:
        if len(path) >= MAX_DEPTH:
            raise JsonScanError(f"the document nests more than {MAX_DEPTH} deep")
