"""Amino's wire form, as far as the chain's messages use it: strict in both directions.

A struct is its members in ascending order; a member is left out when it is zero or empty, so every struct has exactly one
encoding. Reading refuses every other spelling (longer varints, explicit zeros, other orders, unknown members).
Source: tendermint/go-amino 0.14 (proto3 without zigzag, plus 4-byte type prefixes), checked against the vectors.
"""

from vaultsigner.formats.bnb_beacon.errors import FormatError

MAX_INT64 = 2**63 - 1
MAX_VARINT_LENGTH = 9

_VARINT = 0
_BYTES = 2


def encode_varint(value: int) -> bytes:
    """A number from 0 to 2^63-1, seven bits a byte, lowest first.

    Raises:
        FormatError: out of that range.
    """
    if not 0 <= value <= MAX_INT64:
        raise FormatError("a number does not fit into 63 bits")
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def varint_member(number: int, value: int) -> bytes:
    """A member that holds a number; nothing at all for zero."""
    return bytes((number << 3 | _VARINT,)) + encode_varint(value) if value else b""


def bytes_member(number: int, value: bytes) -> bytes:
    """A member that holds bytes, text or a struct; nothing at all when that is empty."""
    return bytes((number << 3 | _BYTES,)) + encode_varint(len(value)) + value if value else b""


def text_member(number: int, value: str) -> bytes:
    """A member that holds text, in UTF-8.

    Raises:
        FormatError: the text holds half of a surrogate pair, which UTF-8 cannot.
    """
    return bytes_member(number, encode_text(value))


def encode_text(value: str) -> bytes:
    """UTF-8, or FormatError for half of a surrogate pair."""
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise FormatError("a text holds half of a surrogate pair") from None


class Reader:
    """Reads one struct from front to back; the caller asks for its members in ascending order, then for its end."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def read_prefix(self, expected: bytes) -> None:
        """Take the 4-byte type prefix, or refuse."""
        if self.take(len(expected)) != expected:
            raise FormatError("not the type that belongs here")

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self._position + count
        if end > len(self._data):
            raise FormatError("the bytes end too early")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def read_varint(self) -> int:
        """A number in its shortest spelling, up to 63 bits: negative numbers and longer spellings are refused."""
        value = 0
        for index in range(MAX_VARINT_LENGTH):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                if byte == 0 and index:
                    raise FormatError("a number is spelt longer than it need be")
                return value
        raise FormatError("a number does not fit into 63 bits")

    def read_number(self, member: int) -> int:
        """The number in this member, 0 where it is left out."""
        if not self._at(member << 3 | _VARINT):
            return 0
        value = self.read_varint()
        if value == 0:
            raise FormatError("a zero is written out, which Amino leaves out")
        return value

    def read_bytes(self, member: int) -> bytes:
        """The bytes in this member, empty where it is left out."""
        if not self._at(member << 3 | _BYTES):
            return b""
        value = self.take(self.read_varint())
        if not value:
            raise FormatError("an empty member is written out, which Amino leaves out")
        return value

    def read_text(self, member: int) -> str:
        """The text in this member, empty where it is left out."""
        try:
            return self.read_bytes(member).decode("utf-8")
        except UnicodeDecodeError:
            raise FormatError("a text is not UTF-8") from None

    def read_structs(self, member: int) -> list["Reader"]:
        """A reader for each struct in this repeated member."""
        structs = []
        while struct := self.read_bytes(member):
            structs.append(Reader(struct))
        return structs

    def finish(self) -> None:
        """Refuse whatever is left: unknown members, members out of order, trailing bytes."""
        if self._position != len(self._data):
            raise FormatError("bytes are left that belong to no member in its place")

    def _at(self, tag: int) -> bool:
        if self._position < len(self._data) and self._data[self._position] == tag:
            self._position += 1
            return True
        return False
