"""Which headers of an exchange's answer are handed on."""

from collections.abc import Iterable

Headers = tuple[tuple[str, str], ...]

LIMIT_CHARACTERS = 256
_NAMES = frozenset({"content-type", "retry-after"})
_WEIGHTS = ("x-mbx-used-weight", "x-mbx-order-count", "x-sapi-used-")


def headers_that_matter(headers: Iterable[tuple[str, str]]) -> Headers:
    """What the body is, when to come again, and how much of a limit is used; cookies and Location are none of these.

    The first of a name counts, and only what is short and printable: it is to be written to another connection.
    """
    kept: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        if _matters(name.lower()) and _is_plain(name + value):
            kept.setdefault(name.lower(), (name, value))
    return tuple(kept.values())


def _matters(name: str) -> bool:
    return name in _NAMES or name.startswith(_WEIGHTS)


def _is_plain(text: str) -> bool:
    return len(text) <= LIMIT_CHARACTERS and text.isascii() and text.isprintable()
