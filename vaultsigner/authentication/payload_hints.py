"""For the record: which other text a client seems to sign, when its signature does not fit what it sent. Pure.

Well-known clients sign another text than they send for some parameters. Such a request stays refused: the answer of this
module is a hint to whoever looks for the cause, and never a second way in.
"""

import re
from collections.abc import Callable, Iterator

from vaultsigner.authentication.parameters import decode, is_json

LONGEST_PAYLOAD = 4096
"""A hint costs up to four verifications, which nobody shall have made for a whole body of 64 KiB."""

_SYMBOL = re.compile(rb"(?:^|&)symbol=([^&]*)")


def payload_hint(query: bytes, body: bytes, fits: Callable[[bytes], bool]) -> str | None:
    """The rule that the client seems to follow: `query-only`, `apostrophe`, `decoded`, `decoded-but-symbol`; or None.

    Nothing is looked for in a request that is longer than any order of a client.

    Args:
        query, body: as received.
        fits: whether the client's signature fits a payload.
    """
    if len(query) + len(body) > LONGEST_PAYLOAD:
        return None
    json_body = body if is_json(body) else b""
    text, form = _unsigned(query), b"" if json_body else _unsigned(body)
    sent = text + form + json_body
    others = _other_payloads(text, form, json_body)
    return next((rule for rule, payload in others if payload != sent and fits(payload)), None)


def _other_payloads(text: bytes, form: bytes, json_body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "query-only", text
    yield "apostrophe", (text + form + json_body).replace(b"%27", b"'")
    yield "decoded", decode(text) + decode(form) + json_body
    yield "decoded-but-symbol", _but_symbol(text) + _but_symbol(form) + json_body


def _unsigned(text: bytes) -> bytes:
    return b"&".join(piece for piece in text.split(b"&") if piece.partition(b"=")[0] != b"signature")


def _but_symbol(text: bytes) -> bytes:
    symbol = _SYMBOL.search(text)
    if symbol is None:
        return decode(text)
    return decode(text[: symbol.start(1)]) + symbol[1] + decode(text[symbol.end(1) :])
