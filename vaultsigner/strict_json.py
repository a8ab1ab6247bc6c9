"""JSON that two parsers cannot read differently (RFC 8259, with every choice it leaves open taken strictly)."""

import re
from json import JSONDecodeError, JSONDecoder

from vaultsigner.errors import VaultsignerError

MAX_NUMBER_CHARACTERS = 1000
_NESTING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TELLABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


class JsonNumber(str):
    """The characters of a JSON number exactly as they were sent; never a float. A text is a plain `str`."""

    __slots__ = ()


JsonDocument = JsonNumber | str | bool | None | list["JsonDocument"] | dict[str, "JsonDocument"]
"""A parsed document. Ask for JsonNumber before str: every JsonNumber is a str too."""


class MalformedJsonError(VaultsignerError):
    """The body is not JSON, or is JSON of a kind that two parsers could read differently."""

    code = "malformed_body"


def parse(body: bytes, *, max_depth: int = 16) -> JsonDocument:
    """Read one JSON document.

    Args:
        body: the raw bytes, all of them.
        max_depth: how many arrays and objects may stand inside each other.

    Raises:
        MalformedJsonError: not JSON in UTF-8; a byte order mark; a member given twice; NaN or an infinity; nested
            deeper than `max_depth`; a number of more than 1,000 characters; a lone surrogate; text after the document.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        problem = "the body is not UTF-8"
    else:
        if text.startswith("\ufeff"):
            raise MalformedJsonError("the body begins with a byte order mark: leave it out")
        _refuse_deep_nesting(body, max_depth)
        try:
            document: JsonDocument = _DECODER.decode(text)
        except JSONDecodeError as error:
            problem = f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        else:
            # Only an escape can make a surrogate: UTF-8 has none.
            if b"\\ud" in body or b"\\uD" in body:
                _refuse_lone_surrogates(document)
            return document
    # Raised out here because those exceptions hold the whole body, and a log-in's body holds a password.
    raise MalformedJsonError(problem)


def _refuse_deep_nesting(body: bytes, max_depth: int) -> None:
    """Count brackets outside texts, in one pass and without recursion: a deep body must not reach the parser's stack."""
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return
    depth = 0
    for token in _NESTING.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            if depth > max_depth:
                raise MalformedJsonError(f"the body is nested deeper than {max_depth} levels")
        elif first in b"]}":
            depth -= 1


def _refuse_lone_surrogates(document: JsonDocument) -> None:
    if isinstance(document, str):
        if _SURROGATE.search(document):
            raise MalformedJsonError("a text holds half of a surrogate pair")
    elif isinstance(document, list):
        for element in document:
            _refuse_lone_surrogates(element)
    elif isinstance(document, dict):
        for name, value in document.items():
            _refuse_lone_surrogates(name)
            _refuse_lone_surrogates(value)


def _number(characters: str) -> JsonNumber:
    if len(characters) > MAX_NUMBER_CHARACTERS:
        raise MalformedJsonError(f"a number has more than {MAX_NUMBER_CHARACTERS} characters")
    return JsonNumber(characters)


def _constant(name: str) -> JsonNumber:
    raise MalformedJsonError(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, JsonDocument]]) -> dict[str, JsonDocument]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            # A longer or stranger name may be a secret in the wrong place; it is not repeated.
            told = f"the member {name}" if _TELLABLE_NAME.fullmatch(name) else "a member"
            raise MalformedJsonError(f"{told} is given twice in one object")
        seen.add(name)
    return members


_DECODER = JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_number, parse_constant=_constant, strict=True
)
