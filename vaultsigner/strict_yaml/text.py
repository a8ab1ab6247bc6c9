"""The file as text: UTF-8 whose characters are what they look like."""

import re

import yaml

from vaultsigner.strict_yaml.document import Position, UnreadableError, YamlProblem

ODD_CHARACTER = re.compile(
    r"[^\n\x20-\x7e\xa1-\xac\xae-\u200a\u2010-\u2027\u202f-\u2065\u206a-\ud7ff"
    r"\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Control characters, tabs, byte order marks, line breaks of YAML 1.1 alone, blanks and hyphens that look like others, and
marks that turn text around, with which a rule would show differently from what it says."""


def _position_at(text: str, index: int) -> Position:
    return Position(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


def check_text(data: bytes, max_bytes: int) -> None:
    """Refuse what is too long, no UTF-8, or has characters that mislead.

    Raises:
        UnreadableError: with the first such place.
    """
    start = Position(1, 1)
    if len(data) > max_bytes:
        hint = "split it, or check that it is the right file"
        raise UnreadableError(start, f"the file is larger than {max_bytes} bytes", hint)
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError(start, "the file begins with a byte order mark", "save it as UTF-8 without one")
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        raise UnreadableError(
            _position_at(before, len(before)), "not UTF-8", "save the file as UTF-8"
        ) from None
    odd = ODD_CHARACTER.search(text)
    if odd is not None:
        position = _position_at(text, odd.start())
        if odd.group() == "\t":
            raise UnreadableError(position, "a tab", "use spaces")
        message = f"a control, invisible or look-alike character (U+{ord(odd.group()):04X})"
        raise UnreadableError(position, message, "remove it, or write a plain blank or hyphen")


def syntax_problem(error: yaml.YAMLError, data: bytes) -> YamlProblem:
    """What the parser could not read, with its place. The parser's texts never hold more than one character of the file."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return YamlProblem((), Position(1, 1), "not readable as YAML", "check the syntax")
    lines = data.decode("utf-8").split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    hint = "check indentation, brackets and quotes here and in the line above"
    if "*" in line[max(mark.column - 1, 0) : mark.column + 1]:
        hint = 'a star of its own is written "*" in quotes'
    message = f"not YAML: {getattr(error, 'problem', None) or 'unexpected text'}"
    return YamlProblem((), Position(mark.line + 1, mark.column + 1), message, hint)
