"""Signed transactions: their bytes, and back.

Source: BNB Beacon Chain documentation, "Transaction Encoding": length, F0625DEE, then 1 message, 2 signature {1 public key,
2 signature, 3 account number, 4 sequence}, 3 memo, 4 source. Checked against the vectors.
"""

import hashlib
from dataclasses import dataclass

from vaultsigner.formats.bnb_beacon.address import PUBLIC_KEY_LENGTH, address_of
from vaultsigner.formats.bnb_beacon.amino import (
    Reader,
    bytes_member,
    encode_varint,
    text_member,
    varint_member,
)
from vaultsigner.formats.bnb_beacon.errors import FormatError
from vaultsigner.formats.bnb_beacon.message_bytes import decode_message, encode_message
from vaultsigner.formats.bnb_beacon.message_types import Message
from vaultsigner.formats.bnb_beacon.sign_document import Account, check_memo, check_number, sign_document

__all__ = [
    "Account",
    "FormatError",
    "Transaction",
    "check_memo",
    "decode_transaction",
    "encode_transaction",
    "sign_document",
    "transaction_hash",
]

MAX_TRANSACTION_BYTES = 64 * 1024
SIGNATURE_LENGTH = 64

_TRANSACTION_PREFIX = bytes.fromhex("F0625DEE")
_PUBLIC_KEY_PREFIX = bytes.fromhex("EB5AE987") + bytes((PUBLIC_KEY_LENGTH,))


@dataclass(frozen=True, slots=True)
class Transaction:
    """A decoded transaction. The chain's name is not in the bytes; whether the signature is good is not known yet.

    Args:
        sender: 20 bytes; the address of `public_key`.
        public_key: 33 bytes, compressed.
        signature: 64 bytes, r and s.
    """

    message: Message
    sender: bytes
    public_key: bytes
    signature: bytes
    account_number: int
    sequence: int
    memo: str
    source: int


def encode_transaction(
    message: Message, account: Account, memo: str, public_key: bytes, signature: bytes, *, source: int = 0
) -> bytes:
    """The bytes to broadcast, for a signature over `sign_document` of the same message, account, memo and source.

    Args:
        public_key: 33 bytes, compressed; its address must be the account's.
        signature: 64 bytes, r and s.

    Raises:
        FormatError: the key is not this account's, a length is wrong, or the transaction is larger than 64 KiB.
    """
    return _encode(
        Transaction(
            message=message,
            sender=account.address,
            public_key=public_key,
            signature=signature,
            account_number=account.account_number,
            sequence=account.sequence,
            memo=memo,
            source=source,
        )
    )


def decode_transaction(data: bytes) -> Transaction:
    """Read a transaction that has exactly one encoding, this one: encoding the answer gives the same bytes again.

    Raises:
        FormatError: anything else.
    """
    if len(data) > MAX_TRANSACTION_BYTES:
        raise FormatError(f"a transaction has at most {MAX_TRANSACTION_BYTES} bytes")
    outer = Reader(data)
    length = outer.read_varint()
    reader = Reader(outer.take(length))
    outer.finish()
    reader.read_prefix(_TRANSACTION_PREFIX)
    message, sender = decode_message(reader.read_bytes(1))
    signature = Reader(reader.read_bytes(2))
    memo, source = reader.read_text(3), reader.read_number(4)
    reader.finish()
    transaction = _read_signature(signature, message, sender, memo, source)
    # Catches what is derived and therefore not kept: an order's id, the inputs of a transfer.
    if _encode(transaction) != data:
        raise FormatError("the bytes are not the one encoding of what they say")
    return transaction


def transaction_hash(data: bytes) -> str:
    """The name of a transaction on the chain: SHA-256 of its bytes, in upper-case hex."""
    return hashlib.sha256(data).hexdigest().upper()


def _read_signature(reader: Reader, message: Message, sender: bytes, memo: str, source: int) -> Transaction:
    key = Reader(reader.read_bytes(1))
    key.read_prefix(_PUBLIC_KEY_PREFIX)
    public_key = key.take(PUBLIC_KEY_LENGTH)
    key.finish()
    transaction = Transaction(
        message=message,
        sender=sender,
        public_key=public_key,
        signature=reader.read_bytes(2),
        account_number=reader.read_number(3),
        sequence=reader.read_number(4),
        memo=memo,
        source=source,
    )
    reader.finish()
    return transaction


def _encode(transaction: Transaction) -> bytes:
    if len(transaction.signature) != SIGNATURE_LENGTH:
        raise FormatError(f"a signature is {SIGNATURE_LENGTH} bytes")
    if address_of(transaction.public_key) != transaction.sender:
        raise FormatError("the public key is not the sender's")
    check_number(transaction.source, "a source")
    message = encode_message(transaction.message, transaction.sender, transaction.sequence)
    signature = b"".join(
        (
            bytes_member(1, _PUBLIC_KEY_PREFIX + transaction.public_key),
            bytes_member(2, transaction.signature),
            varint_member(3, transaction.account_number),
            varint_member(4, transaction.sequence),
        )
    )
    memo_and_source = text_member(3, transaction.memo) + varint_member(4, transaction.source)
    body = _TRANSACTION_PREFIX + bytes_member(1, message) + bytes_member(2, signature) + memo_and_source
    data = encode_varint(len(body)) + body
    if len(data) > MAX_TRANSACTION_BYTES:
        raise FormatError(f"a transaction has at most {MAX_TRANSACTION_BYTES} bytes")
    return data
