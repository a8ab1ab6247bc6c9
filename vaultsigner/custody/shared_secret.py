"""The secret that a client shares with us, as the bytes that both sides compute with: JSON's escapes undone, in a buffer of ours.

Vault's JSON writes < > & and every quote as an escape. Nothing below makes an object of what it reads: all numbers are bytes,
which CPython shares.
"""

import re

from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.wiping import wipe
from vaultsigner.errors import CustodyError

_BACKSLASH = ord("\\")
_U = ord("u")
_SHORT = {ord(letter): ord(meaning) for letter, meaning in zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True)}
_NIBBLES = {ord(digit): int(digit, 16) for digit in "0123456789abcdefABCDEF"}
_SECOND_HALF = 0xC  # the second digit of DC00 to DFFF
_NOT_TEXT = "it is no text in Unicode"

# RFC 3629, section 4: no overlong form, no surrogate, nothing past U+10FFFF.
_UTF8 = re.compile(
    rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*+"
)


class SharedSecret:
    """The secret in UTF-8, never empty.

    Raises:
        ValueError: it is empty, or no text.
    """

    __slots__ = ("_room", "text")

    def __init__(self, written: memoryview) -> None:
        self._room = bytearray(len(written))  # undone, no escape is longer than it was
        try:
            self.text = memoryview(self._room)[: _Unescaping(written, self._room).length]
            _check(self.text)
        except ValueError:
            wipe(self._room)
            raise

    def wipe(self) -> None:
        """Overwrite it."""
        wipe(self._room)


def shared_secret(secret: SecretView) -> SharedSecret:
    """The secret of a client; to be had by `SecretView.derive`.

    Raises:
        CustodyError: key_malformed.
    """
    try:
        return SharedSecret(secret.written)
    except ValueError as error:
        problem = str(error)
    raise CustodyError("key_malformed", f"{secret.reference} is not a client's secret: {problem}")


def _check(text: memoryview) -> None:
    if not text:
        raise ValueError("it is empty")
    if not _UTF8.fullmatch(text):
        raise ValueError(_NOT_TEXT)


class _Unescaping:
    """Writes the text that a JSON string means (RFC 8259, section 7). The string has been scanned: its escapes are whole."""

    def __init__(self, written: memoryview, room: bytearray) -> None:
        self._written = written
        self._room = room
        self._position = 0
        self.length = 0
        while self._position < len(written):
            byte = self._take()
            if byte != _BACKSLASH:
                self._put(byte)
            elif (letter := self._take()) == _U:
                self._unit()
            else:
                self._put(_SHORT[letter])

    def _take(self) -> int:
        self._position += 1
        return self._written[self._position - 1]

    def _put(self, byte: int) -> None:
        self._room[self.length] = byte
        self.length += 1

    def _digits(self) -> tuple[int, int, int, int]:
        return (
            _NIBBLES[self._take()],
            _NIBBLES[self._take()],
            _NIBBLES[self._take()],
            _NIBBLES[self._take()],
        )

    def _unit(self) -> None:
        """A character of up to three bytes; their bits are those of the digits a, b, c, d (RFC 3629, section 3)."""
        a, b, c, d = self._digits()
        middle, low = (b & 0xF) << 2 | c >> 2, (c & 3) << 4 | d
        if (a, b & 8) == (0xD, 8):
            self._pair(b, middle & 0xF, low)
        elif a or b & 8:
            self._put(0xE0 | a)
            self._put(0x80 | middle)
            self._put(0x80 | low)
        elif b or c & 8:
            self._put(0xC0 | middle)
            self._put(0x80 | low)
        else:
            self._put(c << 4 | d)

    def _pair(self, first: int, plane: int, high: int) -> None:
        """A character of four bytes: 4 and 6 bits of the first half are known, the second half has the other ten."""
        left = len(self._written) - self._position
        if first >= _SECOND_HALF or left < len(r"\uDC00") or self._take() != _BACKSLASH or self._take() != _U:
            raise ValueError(_NOT_TEXT)
        a, b, c, d = self._digits()
        if a != 0xD or b < _SECOND_HALF:
            raise ValueError(_NOT_TEXT)
        self._put(0xF0 | (plane + 1) >> 2)
        self._put(0x80 | (plane + 1 & 3) << 4 | high >> 2)
        self._put(0x80 | (high & 3) << 4 | (b & 3) << 2 | c >> 2)
        self._put(0x80 | (c & 3) << 4 | d)
