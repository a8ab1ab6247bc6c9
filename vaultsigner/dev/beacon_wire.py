"""Protobuf as the chain writes it, read strictly: one way to write anything, nothing unknown, nothing left over."""

Fields = list[tuple[int, int | bytes]]
"""Field numbers with a number or a byte string each, in the order of the bytes."""

TX_DECODE = 2
"""The SDK's code for bytes that are no transaction."""


class Refused(Exception):  # noqa: N818 (the word the chain uses; it is an answer, not a fault)
    """The chain will not have this transaction; `code` is one of the SDK's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_fields(data: bytes) -> Fields:
    """Every field: varints and byte strings, nothing else.

    Raises:
        Refused: another wire type, or the bytes end in the middle.
    """
    fields: Fields = []
    position = 0
    while position < len(data):
        tag, position = read_varint(data, position)
        value, position = read_varint(data, position)
        if tag & 7 == 0:
            fields.append((tag >> 3, value))
        elif tag & 7 == 2 and position + value <= len(data):
            fields.append((tag >> 3, data[position : position + value]))
            position += value
        else:
            raise Refused(TX_DECODE, "malformed field")
    return fields


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of 63 bits and the position after it."""
    value = 0
    for index in range(10):
        if position + index >= len(data):
            break
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if (index and not byte) or value >= 1 << 63:
                break  # a second way to write a number, or a negative one
            return value, position + index + 1
    raise Refused(TX_DECODE, "malformed number")


def in_order(fields: Fields) -> None:
    """Refuses fields whose numbers fall; repeated ones may stand side by side."""
    numbers = [number for number, _ in fields]
    if numbers != sorted(numbers):
        raise Refused(TX_DECODE, "fields out of order")


def once_each(fields: Fields, known: set[int]) -> dict[int, int | bytes]:
    """Each member at most once, in order, never empty: what a canonical encoder writes."""
    numbers = [number for number, _ in fields]
    if numbers != sorted(set(numbers)) or not set(numbers) <= known or not all(value for _, value in fields):
        raise Refused(TX_DECODE, "fields unknown, repeated, empty or out of order")
    return dict(fields)


def byte_member(values: dict[int, int | bytes], number: int) -> bytes:
    """A member that must be there."""
    value = values.get(number)
    if not isinstance(value, bytes):
        raise Refused(TX_DECODE, f"field {number} is missing")
    return value


def count_member(values: dict[int, int | bytes], number: int) -> int:
    """A number; left out means zero."""
    value = values.get(number, 0)
    if not isinstance(value, int):
        raise Refused(TX_DECODE, f"field {number} is no number")
    return value


def utf8(value: int | bytes) -> str:
    """A byte string as text."""
    try:
        return value.decode() if isinstance(value, bytes) else ""
    except UnicodeDecodeError:
        raise Refused(TX_DECODE, "text is not UTF-8") from None
