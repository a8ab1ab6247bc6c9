"""The bytes of a message: its 4-byte type prefix, then its members.

Source: BNB Beacon Chain documentation, "Transaction Encoding" (member numbers and prefixes), checked against the vectors.
"""

from collections.abc import Callable

from vaultsigner.formats.bnb_beacon.address import ADDRESS_LENGTH
from vaultsigner.formats.bnb_beacon.amino import Reader, bytes_member, text_member, varint_member
from vaultsigner.formats.bnb_beacon.errors import FormatError
from vaultsigner.formats.bnb_beacon.message_types import (
    CancelOrder,
    Coin,
    Freeze,
    Message,
    NewOrder,
    Output,
    Transfer,
    Unfreeze,
    Vote,
)

PREFIX_LENGTH = 4
NEW_ORDER_PREFIX = bytes.fromhex("CE6DC043")
CANCEL_ORDER_PREFIX = bytes.fromhex("166E681B")
TRANSFER_PREFIX = bytes.fromhex("2A2C87FA")
FREEZE_PREFIX = bytes.fromhex("E774B32D")
UNFREEZE_PREFIX = bytes.fromhex("6515FF0D")
VOTE_PREFIX = bytes.fromhex("A1CADD36")


def order_id(sender: bytes, sequence: int) -> str:
    """The id of an order made by this account at this sequence: the address in upper-case hex, `-`, sequence + 1."""
    return f"{sender.hex().upper()}-{sequence + 1}"


def encode_message(message: Message, sender: bytes, sequence: int) -> bytes:
    """The bytes of a message that `sender` (20 bytes) makes at `sequence`."""
    match message:
        case NewOrder():
            return b"".join(
                (
                    NEW_ORDER_PREFIX,
                    bytes_member(1, sender),
                    text_member(2, order_id(sender, sequence)),
                    text_member(3, message.symbol),
                    varint_member(4, message.order_type),
                    varint_member(5, message.side),
                    varint_member(6, message.price),
                    varint_member(7, message.quantity),
                    varint_member(8, message.time_in_force),
                )
            )
        case CancelOrder():
            members = text_member(2, message.symbol) + text_member(3, message.order_id)
            return CANCEL_ORDER_PREFIX + bytes_member(1, sender) + members
        case Transfer():
            outputs = b"".join(_party(2, output.address, output.coins) for output in message.outputs)
            return TRANSFER_PREFIX + _party(1, sender, message.inputs) + outputs
        case Freeze() | Unfreeze():
            prefix = FREEZE_PREFIX if isinstance(message, Freeze) else UNFREEZE_PREFIX
            members = text_member(2, message.symbol) + varint_member(3, message.amount)
            return prefix + bytes_member(1, sender) + members
        case Vote():
            members = bytes_member(2, sender) + varint_member(3, message.option)
            return VOTE_PREFIX + varint_member(1, message.proposal_id) + members


def decode_message(data: bytes) -> tuple[Message, bytes]:
    """Read a message and its sender. What is derived (an order's id, a transfer's inputs) is for the caller to compare.

    Raises:
        FormatError: not a message of the six kinds, or one that the chain has no form for.
    """
    decode = _DECODERS.get(data[:PREFIX_LENGTH])
    if decode is None:
        raise FormatError("no message of a known kind")
    reader = Reader(data[PREFIX_LENGTH:])
    message, sender = decode(reader)
    reader.finish()
    if len(sender) != ADDRESS_LENGTH:
        raise FormatError(f"an address is {ADDRESS_LENGTH} bytes")
    return message, sender


def _party(member: int, address: bytes, coins: tuple[Coin, ...]) -> bytes:
    encoded = (bytes_member(2, text_member(1, coin.denom) + varint_member(2, coin.amount)) for coin in coins)
    return bytes_member(member, bytes_member(1, address) + b"".join(encoded))


def _read_new_order(reader: Reader) -> tuple[Message, bytes]:
    sender, _derived_id, symbol = reader.read_bytes(1), reader.read_text(2), reader.read_text(3)
    order_type, side = reader.read_number(4), reader.read_number(5)
    price, quantity, time_in_force = reader.read_number(6), reader.read_number(7), reader.read_number(8)
    order = NewOrder(
        symbol=symbol,
        side=side,
        order_type=order_type,
        time_in_force=time_in_force,
        price=price,
        quantity=quantity,
    )
    return order, sender


def _read_cancel_order(reader: Reader) -> tuple[Message, bytes]:
    sender = reader.read_bytes(1)
    return CancelOrder(reader.read_text(2), reader.read_text(3)), sender


def _read_transfer(reader: Reader) -> tuple[Message, bytes]:
    inputs, outputs = reader.read_structs(1), reader.read_structs(2)
    if len(inputs) != 1:
        raise FormatError("a transfer has one sender")
    sender = _read_party(inputs[0]).address
    return Transfer(tuple(_read_party(output) for output in outputs)), sender


def _read_party(reader: Reader) -> Output:
    party = Output(reader.read_bytes(1), tuple(_read_coin(coin) for coin in reader.read_structs(2)))
    reader.finish()
    return party


def _read_coin(reader: Reader) -> Coin:
    coin = Coin(reader.read_text(1), reader.read_number(2))
    reader.finish()
    return coin


def _read_freeze(reader: Reader) -> tuple[Message, bytes]:
    sender = reader.read_bytes(1)
    return Freeze(reader.read_text(2), reader.read_number(3)), sender


def _read_unfreeze(reader: Reader) -> tuple[Message, bytes]:
    sender = reader.read_bytes(1)
    return Unfreeze(reader.read_text(2), reader.read_number(3)), sender


def _read_vote(reader: Reader) -> tuple[Message, bytes]:
    proposal_id, sender = reader.read_number(1), reader.read_bytes(2)
    return Vote(proposal_id, reader.read_number(3)), sender


_DECODERS: dict[bytes, Callable[[Reader], tuple[Message, bytes]]] = {
    NEW_ORDER_PREFIX: _read_new_order,
    CANCEL_ORDER_PREFIX: _read_cancel_order,
    TRANSFER_PREFIX: _read_transfer,
    FREEZE_PREFIX: _read_freeze,
    UNFREEZE_PREFIX: _read_unfreeze,
    VOTE_PREFIX: _read_vote,
}
